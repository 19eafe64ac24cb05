"""OpenAI's organization: usage minutes old by model, key, project, user and tier, and its bills to settle it.

An admin key (`sk-admin-…`, scope `api.usage.read`) is needed: keys of projects are refused. It can change the
organization too; nothing but GET is ever sent with it. How fresh usage is, OpenAI does not say: the last ten minutes
are taken for incomplete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collectors._openai_costs import OpenAiCosts
from collectors._openai_people import OpenAiPeople
from collectors._openai_usage import FAMILIES, OpenAiUsage
from collectors._page import needed
from collectors._provider_account import AccountReader, Habits
from collectors._provider_root import Rooted, roots_of
from collectors._provider_time import month_begin
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, SourceConfig

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_URL = "https://api.openai.com/v1"
_SELDOM = 300.0
_HOURLY = 3600.0
_HABITS = Habits(
    families={name: 60.0 if name == "completions" else _SELDOM for name in FAMILIES},
    chores={"costs": _HOURLY, "names": _HOURLY, "limits": _HOURLY},
    lag_seconds=600.0,
    advice="use an admin key (sk-admin-…) that may read usage (api.usage.read); keys of projects cannot",
)


def _make(config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
    http = needed(config, http)
    api = Rooted(http, roots_of(config.url or _URL))
    people = OpenAiPeople(api)
    chores = {
        "costs": OpenAiCosts(config, api, month_begin).read,
        "names": people.names,
        "limits": people.limits,
    }
    usage = OpenAiUsage(config, api)
    return AccountReader(config, http, usage, chores, _HABITS, month_begin, whose=lambda: api.organization)


KIND = Kind(
    name="openai",
    help="OpenAI's usage and costs by model, key, project, user and tier, with an admin key",
    make=_make,
    least_seconds=60.0,
    api=Api(_URL, ("OPENAI_ADMIN_KEY",), what="an admin key (sk-admin-…) with api.usage.read"),
)

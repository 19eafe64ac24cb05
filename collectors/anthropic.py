"""Anthropic's organization: usage five minutes old by model, key, workspace and tier, and its bills to settle it.

An admin key (`sk-ant-admin…`) is needed; accounts of individuals have none. It can change the organization too; nothing
but GET is ever sent with it. Asking once a minute is what Anthropic sanctions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collectors._anthropic_claude_code import AnthropicClaudeCode
from collectors._anthropic_costs import AnthropicCosts
from collectors._anthropic_people import AnthropicPeople
from collectors._anthropic_usage import FAMILY, AnthropicUsage
from collectors._page import needed
from collectors._provider_account import AccountReader, Habits
from collectors._provider_root import Rooted, roots_of
from collectors._provider_time import month_begin
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, SourceConfig

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_HOURLY = 3600.0
_HABITS = Habits(
    families={FAMILY: 60.0},
    chores={"costs": _HOURLY, "names": _HOURLY, "limits": _HOURLY, "claude_code": _HOURLY},
    lag_seconds=300.0,
    advice="use an admin key (sk-ant-admin…) of the organization; keys of workspaces and individuals cannot read usage",
)


def _make(config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
    http = needed(config, http)
    api = Rooted(http, roots_of(config.url, usual="/v1"))
    people = AnthropicPeople(api)
    chores = {
        "costs": AnthropicCosts(config, api, month_begin).read,
        "names": people.names,
        "limits": people.limits,
    }
    asides = {"claude_code": AnthropicClaudeCode(config, api, month_begin).read}
    usage = AnthropicUsage(config, api)
    return AccountReader(config, http, usage, chores, _HABITS, month_begin, asides, lambda: api.organization)


KIND = Kind(
    name="anthropic",
    help="Anthropic's usage and costs by model, key, workspace, tier and context, with an admin key",
    make=_make,
    least_seconds=60.0,
    api=Api(
        "https://api.anthropic.com",
        ("ANTHROPIC_ADMIN_KEY",),
        what="an admin key (sk-ant-admin…)",
        key_header="x-api-key",
        headers=(("anthropic-version", "2023-06-01"),),
    ),
)

"""OpenRouter: what its credits were charged by model and key, a minute old, its days' bills, credits and limits.

A management key tells everything; an ordinary key tells of itself, and of no model. What a key has used is in no total:
whoever passes requests on, or logs them, tells the same by model, and nothing would show that it is the same.
It says itself what each request cost: its price list stands beside that, for the models that were used, and prices
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collectors._openrouter_account import OpenRouterAccount
from collectors._openrouter_models import OpenRouterModels
from collectors._openrouter_usage import FAMILY, OpenRouterUsage
from collectors._page import needed
from collectors._provider_account import AccountReader, Habits
from collectors._provider_root import Rooted, roots_of
from collectors._provider_time import month_begin
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, SourceConfig

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_URL = "https://openrouter.ai/api/v1"
_MINUTELY, _SOON, _HOURLY = 60.0, 300.0, 3600.0
_HABITS = Habits(
    families={FAMILY: _MINUTELY},
    chores={"keys": _SOON, "credits": _SOON, "activity": _HOURLY, "models": _HOURLY},
    lag_seconds=120.0,
    advice="spend, credits and limits by key need a management key (openrouter.ai/settings/management-keys)",
)


def _make(config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
    http = needed(config, http)
    api = Rooted(http, roots_of(config.url or _URL, "/api/v1"))
    account = OpenRouterAccount(config.name, api)
    usage = OpenRouterUsage(config, api)
    models = OpenRouterModels(api, usage.models)
    chores = {
        "keys": account.keys,
        "credits": account.credits,
        "activity": account.activity,
        "models": models.list_prices,
    }
    return AccountReader(config, http, usage, chores, _HABITS, month_begin)


KIND = Kind(
    name="openrouter",
    help="OpenRouter's charges by model and key, bills, credits and limits, with a management key",
    make=_make,
    least_seconds=60.0,
    api=Api(_URL, ("OPENROUTER_MANAGEMENT_KEY", "OPENROUTER_API_KEY"), what="a management key (or an ordinary key)"),
)

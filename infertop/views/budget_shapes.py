"""How budgets stand, as screens show it. None is unknown; money is in USD, times in epoch seconds, shares from 0."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BurnRow:
    """What of a budget was spent in the last `seconds`: USD an hour, what is usual then, and what the limit allows.

    Where less of them is known it is over `known_seconds`, of which the rate is the mean.
    """

    seconds: float
    usd_per_hour: float | None
    usual_usd_per_hour: float | None = None
    of_plan: float | None = None
    known_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A budget in its running period. `level` is "ok", or the highest crossed: "50%", "over"; `origin` who keeps it.

    `own_count`: `spent_usd` is what that provider says itself, not the ledger's. `forecast_usd` is (low, mid, high);
    `over` the probability that the limit is reached, `crossings` when each level will be, by mid; `burns` are over
    several windows, the shortest first. `unread` are sources that have not told all of it yet: `spent_usd` is what is
    known so far.
    """

    name: str
    period: str
    limit_usd: float
    spent_usd: float | None
    fraction: float | None
    burn_usd_per_hour: float | None
    forecast_usd: tuple[float | None, float | None, float | None]
    exhausted_at: float | None
    level: str | None
    resets_at: float
    scope: str = ""
    coverage: float | None = None
    origin: str = ""
    own_count: bool = False
    crossings: tuple[tuple[str, float], ...] = ()
    over: float | None = None
    burns: tuple[BurnRow, ...] = ()
    unread: tuple[str, ...] = ()

"""What the recorder publishes after every tick: immutable, so that a screen reads it without asking the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infertop.history.watch_state import Wish
from infertop.money.dimensions import Names
from infertop.money.settings import Budget
from infertop.readings.account import Account

Recent = Mapping[str, Mapping[int, int]]
"""By source and minute, 1e-9 USD."""
Key = tuple[str, str | None]
"""Source and model; the model is None for what belongs to none (a GPU that nobody holds)."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What was used and what it cost: quantities by resource, 1e-9 USD (None where nothing in it has a price).

    `unpriced_tokens` are tokens whose price should be known and is not. `stated` is, by resource, the part of the cost
    that statements tell of, in 1e-9 USD: it belongs to the span, whether or not that was recorded here. `billed_nano`
    is the part of the cost that was charged as it is, None where nothing was.
    """

    quantities: Mapping[str, int] = field(default_factory=dict)
    usd_nano: int | None = None
    unpriced_tokens: int = 0
    stated: Mapping[str, int] = field(default_factory=dict)
    billed_nano: int | None = None

    def plus(self, other: Totals) -> Totals:
        """Return the sum of both."""
        return Totals(
            _added(self.quantities, other.quantities),
            add_usd(self.usd_nano, other.usd_nano),
            self.unpriced_tokens + other.unpriced_tokens,
            _added(self.stated, other.stated),
            add_usd(self.billed_nano, other.billed_nano),
        )


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of the ledger, gaps left out: `start` in epoch seconds, totals by source and model.

    `covered_ms` of it were recorded. `usd_nano` is the cost of all that counts, `apart` what of the totals does not,
    `partly` what counts of the cost of those of which only some does. `spread` has what was told by wider spans: it is
    the mean of them.
    """

    start: int
    covered_ms: int
    totals: Mapping[Key, Totals]
    usd_nano: int | None
    apart: frozenset[Key] = frozenset()
    partly: Mapping[Key, int | None] = field(default_factory=dict)
    spread: frozenset[Key] = frozenset()

    def counted(self, key: Key) -> int | None:
        """Return what counts of a model's cost, in 1e-9 USD; None: nothing has a price, or nothing counts."""
        if key in self.apart or key not in self.totals:
            return None
        return self.partly[key] if key in self.partly else self.totals[key].usd_nano


@dataclass(frozen=True, slots=True)
class Spent:
    """A budget in its period from `start`: 1e-9 USD, and the recorded share of the time.

    None: nothing of it has a price, or nobody recorded; it is 0 where somebody did, and nothing was used.
    """

    start: float
    usd_nano: int | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The ledger as of `ts`. `today` runs since local midnight; `minutes` are the last 60, oldest first, and the open.

    What starts before `closed` is final. `coverage_today` is the share of today that was recorded. `told` are the
    levels that were announced, as (budget, start of the period, level). `status` is a sentence where the history is
    not being written; `in_memory` says that all of it is gone at exit. What of today is in no total is `apart`.
    `accounts` are what providers said of accounts, by source; `providers` those of each model on a source.
    `unassigned` is, by each dimension that [[assign]] gives, what of today's cost that counts has none of it.
    `allowances` are limits that providers keep, as budgets; `names` what ids are called; `recent` what statements of
    the last hour spent of each budget with conditions; `wishes` what viewers wish for incidents.
    """

    ts: float = 0.0
    tick: int = 0
    day_start: float = 0.0
    today: Mapping[Key, Totals] = field(default_factory=dict)
    today_usd_nano: int | None = None
    month_usd_nano: int | None = None
    minutes: tuple[Minute, ...] = ()
    coverage_today: float | None = None
    budgets: Mapping[str, Spent] = field(default_factory=dict)
    told: frozenset[tuple[str, int, str]] = frozenset()
    closed: int = 0
    db_bytes: int = 0
    lost_samples: int = 0
    status: str = ""
    in_memory: bool = False
    notices: tuple[str, ...] = ()
    apart: frozenset[Key] = frozenset()
    accounts: Mapping[str, Account] = field(default_factory=dict)
    providers: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    unassigned: Mapping[str, int | None] = field(default_factory=dict)
    allowances: tuple[Budget, ...] = ()
    names: Names = field(default_factory=dict)
    recent: Mapping[str, Recent] = field(default_factory=dict)
    wishes: tuple[Wish, ...] = ()


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    found = dict(one)
    for name, amount in other.items():
        found[name] = found.get(name, 0) + amount
    return found


def add_usd(one: int | None, other: int | None) -> int | None:
    """Add two costs of which either may be unknown; unknown and unknown stay unknown."""
    if one is None or other is None:
        return other if one is None else one
    return one + other

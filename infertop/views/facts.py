"""Everything that a view is made from, gathered once a tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infertop.engine.collector import Health
from infertop.engine.state import State
from infertop.money.baseline import Mark, Usual
from infertop.money.budgets import Status
from infertop.money.overlap import Choices
from infertop.money.rates import PriceBook
from infertop.readings.account import Account
from infertop.views.api_rates import ApiRates
from infertop.views.costs import Costs
from infertop.views.meters import Meters
from infertop.views.shapes import Event, Searched

Place = tuple[str, str]
Layers = Mapping[str, tuple[float | None, ...]]
"""Values minute by minute, by the name of a model or a class of tokens."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger says, as far as the live view shows it. Money in USD, tokens and requests as counts.

    `totals` are since midnight by source and model ("requests", a token class, "usd"). `minutes` are the starts of the
    minutes of `usd_per_hour` (by model), of `tokens_per_second` (by class) and of `usd_by_place` ($/hour by source and
    model), newest last; None where nobody recorded. `unpriced` are today's tokens by model whose price should be known
    and is not. `unassigned` is, by what [[assign]] gives, the share of today's spend that nobody is given.
    """

    totals: Mapping[Place, Mapping[str, float | None]] = field(default_factory=dict)
    today_usd: float | None = None
    month_usd: float | None = None
    minutes: tuple[float, ...] = ()
    usd_per_hour: Layers = field(default_factory=dict)
    tokens_per_second: Layers = field(default_factory=dict)
    usd_by_place: tuple[Mapping[tuple[str, str | None] | None, float | None], ...] = ()
    budgets: tuple[Status, ...] = ()
    usual: Usual | None = None
    marks: tuple[Mark, ...] = ()
    events: tuple[Event, ...] = ()
    coverage: float | None = None
    unpriced: Mapping[str, int] = field(default_factory=dict)
    unassigned: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What an engine of some kind can tell of a model: metrics of the registry, and sentences about what they mean.

    `counts_at_end` says that its tokens are counted when a request ends, not while it runs.
    """

    says: frozenset[str]
    caveats: tuple[str, ...] = ()
    counts_at_end: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """State, prices, history and what the program knows of itself, at `now` (epoch seconds).

    `prices_loaded_at` is when pricing.toml was read as it is in use, None without one. `choices` say what is
    part of totals and what only tells who used what others count. `told` is what engines can tell, by kind,
    `api` what providers and logs told of the newest whole minutes, `accounts` what providers said of accounts.
    """

    now: float
    state: State
    healths: tuple[Health, ...]
    meters: Meters
    prices: PriceBook
    costs: Costs
    past: Past
    interval_seconds: float
    timezone: str
    host: str
    mode: str
    notices: tuple[str, ...] = ()
    searched: tuple[Searched, ...] = ()
    recorder: str = ""
    prices_loaded_at: float | None = None
    choices: Choices = field(default_factory=Choices)
    told: Mapping[str, Told] = field(default_factory=dict)
    api: ApiRates = field(default_factory=ApiRates)
    accounts: Mapping[str, Account] = field(default_factory=dict)

    def age_of(self, source: str) -> float | None:
        """Return how many seconds ago a source was last read, None where it never was."""
        read = next((health.good_ts for health in self.healths if health.source == source), None)
        return None if read is None else max(0.0, self.now - read)

    def told_ago(self, source: str) -> float | None:
        """Return how long ago the newest minutes ended that a source has told whole, None where none are known."""
        window = self.api.windows.get(source)
        return None if window is None or window.told is None else max(0.0, self.now - window.told)

    @property
    def engines(self) -> tuple[Health, ...]:
        """The sources that serve models."""
        return tuple(health for health in self.healths if self.meters.serves(health.source))

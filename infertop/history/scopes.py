"""Which sums the screen needs all the time: today, this month, and every budget's period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infertop.history.accounts import Account
from infertop.money.dimensions import Names, assign, fits, ways
from infertop.money.overlap import ALWAYS, Counts, Place, Span, all_count
from infertop.money.periods import PeriodKind, period
from infertop.money.settings import Budget, Conditions, Settings


@dataclass(frozen=True, slots=True)
class Periods:
    """When today, this month and each budget's period (by its name) began, in epoch seconds."""

    day: float
    month: float
    budgets: dict[str, float]

    def starts(self) -> set[float]:
        """Return every start once."""
        return {self.day, self.month, *self.budgets.values()}


@dataclass(frozen=True, slots=True)
class Scopes:
    """What is to be summed: by the time zone, budgets and [[assign]] of `settings`.

    `counts` says of what a source tells whether it is part of totals, or only who used what another source counts;
    `apart` are the times of what was so at some time, for sums over any span.
    `names` are what ids are called, `allowances` limits that providers keep.
    """

    settings: Settings = field(default_factory=Settings)
    counts: Counts = all_count
    apart: Mapping[Place, tuple[Span, ...]] = field(default_factory=dict)
    names: Names = field(default_factory=dict)
    allowances: tuple[Budget, ...] = ()

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """All budgets: those of pricing.toml, then the limits that providers keep."""
        return (*self.settings.budgets, *self.allowances)

    @property
    def assigned(self) -> tuple[str, ...]:
        """What [[assign]] gives, in the order in which it is first given."""
        return tuple(dict.fromkeys(name for rule in self.settings.assignments for name, _ in rule.results))

    def at(self, ts: float) -> Periods:
        """Return the periods that `ts` is in."""
        zone = self.settings.zone
        return Periods(
            day=period(PeriodKind.DAY, ts, zone)[0],
            month=period(PeriodKind.MONTH, ts, zone)[0],
            budgets={each.name: period(each.period, ts, each.zone(zone))[0] for each in self.budgets},
        )

    def is_in(self, account: Account, budget: Budget) -> bool:
        """Say whether what is booked on `account` is spent from `budget`."""
        if budget.origin:
            own = account.own()
            return all(own.get(name) == value for name, value in budget.conditions)
        if not self.has(account):
            return False
        return self.fits(budget.conditions, account)

    def fits(self, conditions: Conditions, account: Account) -> bool:
        """Say whether conditions match what is booked on `account`, by name or by id."""
        shown, *others = ways(account.own(), self.names)
        return fits(conditions, (assign(shown, self.settings.assignments, others), *others))

    def times_apart(self, account: Account) -> tuple[Span, ...]:
        """Return when what is booked on `account` is part of no total."""
        place = Place(account.source, account.provider, account.model)
        return self.apart.get(place, () if self.has(account) else (ALWAYS,))

    def has(self, account: Account) -> bool:
        """Say whether what is booked on `account` is part of totals."""
        return self.counts(account.source, account.provider, account.model)

    def dimensions(self, account: Account) -> dict[str, str | None]:
        """Return every dimension of what is booked on `account`: its own, by their names, and the assigned ones."""
        shown, *others = ways(account.own(), self.names)
        return assign(shown, self.settings.assignments, others)

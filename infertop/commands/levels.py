"""Budgets: levels that were crossed or will be, and runaways; each is announced once, also over restarts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from infertop.commands.guard import EPISODE_SECONDS, burns_too, runaway, runaway_text
from infertop.commands.heading import Headings
from infertop.commands.told import BEGUN, Level, Told
from infertop.commands.unread import of_budget
from infertop.history.allowed import spent_by_own_count, with_names
from infertop.history.summary import Summary
from infertop.money.budget_plan import Plan
from infertop.money.budgets import crossed, label, limit_text, reached, spent_text
from infertop.money.lines import NANO
from infertop.money.periods import period
from infertop.money.settings import Budget, Settings
from infertop.readings.safe import safe
from infertop.views.shapes import Event

RUNAWAY = "runaway"
_STALE_SECONDS = 600.0
_SEVERITIES = ("info", "warn", "alarm")


class _Stand(NamedTuple):
    """How much of a budget was spent since its period began at `start`; `plan` is that of this period, if it is new.

    `named` is what people call it. Of `unread` sources a part of that is not known yet: it has no plan then. `told`
    are the levels that were told.
    """

    budget: Budget
    named: str
    start: int
    nano: int
    plan: Plan | None
    unread: tuple[str, ...]
    told: frozenset[str]

    def key(self, level: str, start: int | None = None) -> str:
        """Return the key of the event of a level; one of a limit that was changed within the period is another one."""
        limit = f" of {self.budget.limit_usd.normalize():f}" if BEGUN in self.told else ""
        return f"budget {self.budget.name}{limit} {self.start if start is None else start} {level}"


class _News(NamedTuple):
    """What is to be told as `level`, in words, and how severe it is."""

    level: str
    text: str
    severity: str


class Levels:
    """Remembers what was announced until the recorder has noted it. `plans` say what is to be expected, by budget.

    While sources are `unread` nothing is told of the budgets that they tell of, but that one is over: more of what was
    before can only make it more.
    """

    def __init__(self) -> None:
        self.plans: Mapping[str, Plan] = {}
        self.unread: frozenset[str] = frozenset()
        self._told = Told()
        self._seen: dict[str, tuple[int, int, float]] = {}
        self._over: dict[str, tuple[int, int]] = {}
        self._headings = Headings()

    def cross(self, summary: Summary, settings: Settings, now: float) -> Iterator[tuple[str, Event]]:
        """Yield an event, with its key, for each budget that crossed levels or will: what comes at once is one event.

        Besides for each of which much is burnt in a short time.
        """
        self._told.look(summary)
        own_count = spent_by_own_count(summary.accounts, (each.name for each in settings.budgets), now)
        budgets = (*settings.budgets, *summary.allowances)
        found = (self._stand(each, summary, settings, own_count, now) for each in budgets)
        stands = [stand for stand in found if stand is not None]
        for stand in stands:
            news = (self._crossed(stand), self._heading(stand, settings, now))
            if told := [each for each in news if each is not None]:
                yield stand.key(told[0].level), _event(stand, told, now)
            if late := self._late(stand, settings, now):
                yield stand.key(late.level, self._over[stand.budget.name][0]), _event(stand, [late], now)
        yield from self._runaways(stands, now)

    def take(self) -> list[Level]:
        """Return what was announced since the last time."""
        return self._told.take()

    def _stand(
        self, budget: Budget, summary: Summary, settings: Settings, own_count: Mapping[str, int], now: float
    ) -> _Stand | None:
        """Return how a budget stands; None where that is not known of the running period."""
        spent = summary.budgets.get(budget.name)
        zone = budget.zone(settings.zone)
        start = int(period(budget.period, now, zone)[0])
        own = own_count.get(budget.name) if budget.origin else None
        nano = own if own is not None else spent.usd_nano if spent is not None else None
        if spent is None or int(spent.start) != start or nano is None:
            return None
        plan, unread = self.plans.get(budget.name), of_budget(budget, self.unread, summary.providers)
        if plan is not None and (int(plan.start) != start or now - plan.made > _STALE_SECONDS):
            plan = None
        if unread or (plan is not None and plan.unread):
            plan = None
        told = self._told.of(budget, start, nano, now, zone)
        return _Stand(budget, with_names(budget, summary.names).name, start, nano, plan, unread, told)

    def _note(self, stand: _Stand, levels: Iterable[str]) -> None:
        for each in levels:
            self._told.note(stand.budget, stand.start, each)

    def _crossed(self, stand: _Stand) -> _News | None:
        """Return what is told of the levels that were crossed; none where a higher one was told before."""
        shares, is_over = reached(stand.budget, stand.nano), stand.nano >= stand.budget.limit_usd * NANO
        if stand.unread and not is_over:
            return None
        new = [share for share in shares if label(share) not in stand.told]
        self._note(stand, map(label, new))
        if not new or new[-1] != shares[-1]:
            return None
        budget = stand.budget
        text = f"{_spent(budget, stand.nano)} of {limit_text(budget)} spent"
        text += f" ({', '.join(label(share) for share in new)})"
        if stand.unread:
            text += f", while what {safe(stand.unread[0], 40)} was used for before is still being read back"
        return _News(label(new[-1]), text, "alarm" if is_over else "warn")

    def _late(self, stand: _Stand, settings: Settings, now: float) -> _News | None:
        """Return what is told of the last period, where more was told of its end than was known by then."""
        budget, seen = stand.budget, self._seen.get(stand.budget.name)
        if seen is not None and seen[0] < stand.start and seen[2] >= stand.start - _STALE_SECONDS:
            self._over[budget.name] = seen[:2]
        self._seen[budget.name] = stand.start, stand.nano, now
        start, nano = self._over.get(budget.name, (None, 0))
        last = stand.plan.last if stand.plan is not None else None
        if start is None or last is None or last.start != start:
            return None
        zone = budget.zone(settings.zone)
        told = self._told.of(budget, start, nano, now, zone)
        new = [label(share) for share in crossed(budget, nano, last.nano) if label(share) not in told]
        if not new:
            return None
        for each in new:
            self._told.note(budget, start, each)
        is_over = last.nano >= budget.limit_usd * NANO
        text = f"{_spent(budget, last.nano)} of {limit_text(budget)} spent ({', '.join(new)}) until"
        text += f" {datetime.fromtimestamp(stand.start, zone):%a %d %b %H:%M}, of which a part was not known by then"
        return _News(new[-1], text, "alarm" if is_over else "warn")

    def _heading(self, stand: _Stand, settings: Settings, now: float) -> _News | None:
        budget, plan = stand.budget, stand.plan
        if plan is None or not _is_open(stand):
            return None
        found = self._headings.look(budget, plan, stand.nano, stand.told, now, budget.zone(settings.zone))
        if found is None:
            return None
        self._note(stand, found.levels)
        return _News(found.levels[-1], found.text, found.severity)

    def _runaways(self, stands: Sequence[_Stand], now: float) -> Iterator[tuple[str, Event]]:
        """Yield what is told where much is burnt in a short time; once in an episode and the one that follows.

        The same spend is told once, of the budget that is about the least, with the others that it is spent from.
        """
        episode = int(now // EPISODE_SECONDS)
        same = {f"{RUNAWAY} {each}" for each in (episode - 1, episode)}
        open_now = [(each, each.plan) for each in stands if each.plan is not None and _is_open(each)]
        for stand, plan in sorted(open_now, key=lambda each: -len(each[0].budget.conditions)):
            burn = runaway(stand.budget, plan) if not self._told.ever(stand.budget, same) else None
            if burn is None:
                continue
            others = [
                each for each, its in open_now if each is not stand and burns_too(stand.budget, burn, each.budget, its)
            ]
            for each in (stand, *others):
                self._note(each, [f"{RUNAWAY} {episode}"])
            text = runaway_text(stand.budget, burn, stand.nano / NANO, [(each.named, each.budget) for each in others])
            news = _News(f"{RUNAWAY} {episode}", text, "alarm")
            yield stand.key(news.level), _event(stand, [news], now)


def _spent(budget: Budget, nano: int) -> str:
    return spent_text(Decimal(nano) / NANO, budget.limit_usd)


def _is_open(stand: _Stand) -> bool:
    """Say whether there is still something to be told of what is to come."""
    return bool(stand.budget.alert_at) and stand.nano < stand.budget.limit_usd * NANO


def _event(stand: _Stand, news: list[_News], now: float) -> Event:
    return Event(
        ts=now,
        level=max((each.severity for each in news), key=_SEVERITIES.index),
        kind="budget",
        text=f"{stand.named}: {'; '.join(each.text for each in news)}",
        scope={"budget": stand.named},
        until=now,
    )

"""What is worth a line: figures that left their baseline, budget levels crossed, engines that restarted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from infertop.commands.past import minute_usd_per_hour
from infertop.history.summary import Minute, Summary
from infertop.money.baseline import Baselines, Change, Key
from infertop.money.budgets import label, reached
from infertop.money.lines import NANO
from infertop.money.periods import period
from infertop.money.settings import Settings
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.shapes import Event

_KEPT = 200
USD, TOKENS = "usd_per_hour", "tokens_per_request"
_WORDS = {USD: ("$/hour", "{:,.2f}"), TOKENS: ("tokens/request", "{:,.0f}")}


def figures(minute: Minute) -> dict[Key, float | None]:
    """Return the figures of a closed minute that have a baseline: in all and by model, see `Baselines`."""
    values: dict[Key, float | None] = {}
    for key, usd in minute_usd_per_hour(minute).items():
        if key is None:
            values[(), USD] = usd
        elif key[1] is not None:
            values[_scope(key[0], key[1]), USD] = usd
    for (source, model), row in minute.totals.items():
        requests = row.quantities.get("requests")
        if model is not None and requests:
            tokens = sum(row.quantities.get(name, 0) for name in TOKEN_CLASSES)
            values[_scope(source, model), TOKENS] = tokens / requests
    return values


def _scope(source: str, model: str) -> tuple[tuple[str, str], ...]:
    return (("model", model), ("source", source))


class Watch:
    """Keeps the baselines up to date with the ledger's minutes, and the events that come of them.

    `news` are events that changed since they were last taken, by a key under which they are stored.
    """

    def __init__(self, sigma: float) -> None:
        self.baselines = Baselines(sigma)
        self.events: list[Event] = []
        self._announced: set[tuple[str, int, str]] = set()
        self._new_levels: list[tuple[str, int, str]] = []
        self.news: dict[str, Event] = {}
        self._newest = -1

    def load(self, minutes: Iterable[Minute]) -> None:
        """Take the minutes of an earlier run, oldest first, without making events of them."""
        for minute in minutes:
            self.baselines.add(minute.start, figures(minute))
            self._newest = max(self._newest, minute.start)

    def tick(self, summary: Summary, settings: Settings, now: float) -> None:
        """Take the minutes that closed since the last tick, and look at the budgets."""
        for minute in summary.minutes[:-1]:
            if minute.start > self._newest and minute.covered_ms > 0:
                self._newest = minute.start
                for change in self.baselines.add(minute.start, figures(minute)):
                    self._changed(change)
        self._budgets(summary, settings, now)

    def _changed(self, change: Change) -> None:
        mark = change.mark
        words, form = _WORDS[mark.metric]
        scope = dict(mark.scope)
        about = scope.get("model", "in all")
        value, usual = form.format(mark.value), form.format(mark.usual.mean)
        event = Event(
            ts=mark.since,
            level="warn" if change.until is None else "info",
            kind="mark",
            text=f"{about}: {words} {value}, usually {usual} +- {form.format(mark.usual.deviation)}",
            scope=scope,
            metric=mark.metric,
            value=mark.value,
            expected=mark.usual.mean,
            until=change.until,
        )
        self.add(f"mark {mark.metric} {mark.since} {sorted(scope.items())}", event)

    def _budgets(self, summary: Summary, settings: Settings, now: float) -> None:
        """Make an event of each level of a budget once in its period, also over restarts."""
        for budget in settings.budgets:
            spent = summary.budgets.get(budget.name)
            if spent is None:
                continue
            start = int(period(budget.period, now, settings.zone)[0])
            if int(spent.start) != start:
                continue
            for share in reached(budget, spent.usd_nano):
                key = (budget.name, start, label(share))
                if key in summary.told or key in self._announced:
                    continue
                self._announced.add(key)
                self._new_levels.append(key)
                amount = (spent.usd_nano or 0) / NANO
                word = label(share) if share == 1 else f"{label(share)} of"
                limit = f"{budget.limit_usd:,.2f} USD this {budget.period}"
                text = f"{budget.name}: {word} its {limit}, {amount:,.2f} spent"
                level = "alarm" if share >= 1 else "warn"
                scope = {"budget": budget.name}
                self.add(f"budget {key}", Event(now, level, "budget", text, scope, until=now))

    def add(self, key: str, event: Event) -> None:
        """Add an event, or replace the one with the same key."""
        self.remember(event)
        self.news[key] = event

    def remember(self, event: Event) -> None:
        """Show an event that is stored already; it takes the place of an earlier state of it."""
        others = [each for each in self.events if _same(each) != _same(event)]
        self.events = sorted([event, *others], key=lambda each: -each.ts)[:_KEPT]

    def take_news(self) -> Mapping[str, dict[str, object]]:
        """Return what is to be stored, and forget it."""
        news, self.news = self.news, {}
        return {key: asdict(event) for key, event in news.items()}

    def take_levels(self) -> list[tuple[str, int, str]]:
        """Return the budget levels that were announced, as (budget, start of the period, level), and forget them."""
        levels, self._new_levels = self._new_levels, []
        return levels


def _same(event: Event) -> tuple[float, str, dict[str, str], str]:
    return (event.ts, event.kind, event.scope, event.metric)

"""Figures that left their baseline: $/hour and tokens/request, by model and in all, minute by closed minute."""

from __future__ import annotations

from collections.abc import Iterable

from infertop.commands.minutes import minute_usd_per_hour
from infertop.history.summary import Minute, Summary
from infertop.money.baseline import Baselines, Change, Key, Mark, Scope
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.shapes import Event

MARK = "mark"
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
    served = requested = 0
    for (source, model), row in minute.totals.items():
        requests = row.quantities.get("requests", 0)
        if model is not None and requests > 0:
            tokens = sum(row.quantities.get(name, 0) for name in TOKEN_CLASSES)
            values[_scope(source, model), TOKENS] = tokens / requests
            if (source, model) not in minute.apart:
                served, requested = served + tokens, requested + requests
    if requested:
        values[(), TOKENS] = served / requested
    return values


def _scope(source: str, model: str) -> Scope:
    return (("model", model), ("source", source))


class Marks:
    """The baselines, brought up to date with the ledger's minutes. While `paused`, those that close wait."""

    def __init__(self, sigma: float) -> None:
        self.baselines = Baselines(sigma)
        self.paused = False
        self._newest = -1

    def load(self, minutes: Iterable[Minute]) -> None:
        """Take the minutes of an earlier run, oldest first."""
        for minute in minutes:
            self._add(minute)

    def take(self, summary: Summary) -> list[Change]:
        """Take the minutes that closed since the last time; return marks begun and ended."""
        if self.paused:
            return []
        due = [each for each in summary.minutes if self._newest < each.start < summary.closed]
        return [change for minute in due for change in self._add(minute)]

    def lasting(self) -> frozenset[str]:
        """Return the keys of the marks that last."""
        return frozenset(map(mark_key, self.baselines.marks()))

    def _add(self, minute: Minute) -> list[Change]:
        self._newest = max(self._newest, minute.start)
        return self.baselines.add(minute.start, figures(minute)) if minute.covered_ms > 0 else []


def mark_key(mark: Mark) -> str:
    """Return the key of a mark's event: the same while it lasts, and when it ends."""
    return f"{MARK} {mark.metric} {mark.since} {list(mark.scope)}"


def mark_event(change: Change) -> Event:
    """Return the event of a mark that began or ended."""
    mark = change.mark
    words, form = _WORDS[mark.metric]
    scope = dict(mark.scope)
    value, usual, deviation = (form.format(x) for x in (mark.value, mark.usual.mean, mark.usual.deviation))
    return Event(
        ts=mark.since,
        level="warn" if change.until is None else "info",
        kind=MARK,
        text=f"{scope.get('model', 'in all')}: {words} {value}, usually {usual} +- {deviation}",
        scope=scope,
        metric=mark.metric,
        value=mark.value,
        expected=mark.usual.mean,
        until=change.until,
    )

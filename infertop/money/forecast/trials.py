"""Forecasts as they would have been made before, beside what came of them: what methods are weighed by."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import exp, log

from infertop.money.forecast.hours import DAY, LONGEST, Clockface, Hours
from infertop.money.forecast.level import levels
from infertop.money.forecast.methods import METHODS, path
from infertop.money.forecast.shape import week_shape

LEAST_HOURS = DAY
_LEADS = (*range(1, DAY + 1), *range(2 * DAY, LONGEST + DAY, DAY))
_MOST_TRIALS = 140
_MEMORY = 8 * 168  # hours that a forecast looks back over
_PRIOR_ERROR, _PRIOR_TRIALS = 0.3, 3.0
_MOST_ERROR = 2.5
_SHARPNESS = 4.0
_LEAST_KNOWN = 0.75
_TINY = 0.01


class Trials:
    """Keeps what each method said at past hours of what the hours after them would take, up to `longest` hours."""

    def __init__(self, clock: Clockface, longest: int) -> None:
        self._clock = clock
        self._leads = _LEADS[: bisect_right(_LEADS, max(1, min(longest, LONGEST)))]
        self._stride = DAY // 4 if longest <= DAY + 1 else DAY
        self._said: dict[int, tuple[list[float], ...]] = {}
        self._hours = Hours(0, ())
        self._sums: list[float] = [0.0]
        self._knowns: list[int] = [0]

    def take(self, hours: Hours) -> None:
        """Take the past as it is known now: what was tried on another past is tried again."""
        same = _same_until(self._hours, hours)
        self._hours = hours
        self._sums = [0.0, *accumulate(hours.amounts)]
        self._knowns = [0, *accumulate(hours.known)]
        origins = self._origins()
        kept = {origin for origin in self._said if origin <= same}
        self._said = {each: self._said[each] if each in kept else self._try(each) for each in origins}

    def _origins(self) -> range:
        last = self._hours.until // self._stride * self._stride
        first = max(self._hours.first + LEAST_HOURS, last - self._stride * _MOST_TRIALS)
        return range(-(-first // self._stride) * self._stride, last + 1, self._stride)

    def _try(self, origin: int) -> tuple[list[float], ...]:
        paths = paths_at(self._hours, origin, self._leads[-1], self._clock)
        sums = [list(accumulate(each)) for each in paths]
        return tuple([each[lead - 1] for lead in self._leads] for each in sums)

    def tested(self, ahead: int) -> int:
        """Return for how many hours forecasts can be tested, `ahead` at most: a third of the past, and a day."""
        most = max(DAY // 2, (self._hours.until - self._hours.first - LEAST_HOURS) // 3)
        lead: int = self._leads[max(0, bisect_right(self._leads, min(ahead, most)) - 1)]
        return lead

    def grain(self, hours: int) -> float:
        """Return what counts as nothing of what so many hours take: 1 % of their mean."""
        return _TINY * hours * self._sums[-1] / max(1, len(self._hours.amounts))

    def errors(self, lead: int) -> list[list[float]]:
        """Return of each trial, oldest first, the log of truth over forecast by method, for `lead` hours ahead."""
        at, found = self._leads.index(lead), []
        tiny = self.grain(lead) or 1e-12
        for origin, said in sorted(self._said.items()):
            begin, end = origin - self._hours.first, origin + lead - self._hours.first
            if end >= len(self._sums) or self._knowns[end] - self._knowns[begin] < _LEAST_KNOWN * lead:
                continue
            truth = log(self._sums[end] - self._sums[begin] + tiny)
            found.append([truth - log(each[at] + tiny) for each in said])
        return found


def paths_at(hours: Hours, origin: int, ahead: int, clock: Clockface, late: float | None = None) -> list[list[float]]:
    """Return what each method says at `origin` of each of the hours `ahead`, knowing nothing of them.

    `late` is what the hour at `origin` takes if it goes on as it began, None where that is not known.
    """
    past, slots, shape = _past(hours, origin, clock)
    if late is not None:
        past, slots = [*past, late], [*slots, *clock.slots(origin, origin + 1)]
    shaped, flat = levels(past, [shape[slot] for slot in slots]), levels(past, [1.0] * len(past))
    coming = [shape[slot] for slot in clock.slots(origin, origin + ahead)]
    return [path(method, shaped if method.shaped else flat, coming) for method in METHODS]


def usual_at(hours: Hours, clock: Clockface) -> tuple[list[float], float]:
    """Return the shape of the week and the level of the last one."""
    past, slots, shape = _past(hours, hours.until, clock)
    return shape, levels(past, [shape[slot] for slot in slots]).week


def _past(hours: Hours, origin: int, clock: Clockface) -> tuple[list[float], list[int], list[float]]:
    past = hours.amounts[max(0, origin - hours.first - _MEMORY) : origin - hours.first]
    slots = clock.slots(origin - len(past), origin)
    return past, slots, week_shape(past, slots)


def weights(errors: Sequence[Sequence[float]]) -> list[float]:
    """Return what each method counts for, by its errors (as of `Trials.errors`); they sum to 1."""
    losses = [
        (sum(min(abs(error[at]), _MOST_ERROR) for error in errors) + _PRIOR_ERROR * _PRIOR_TRIALS)
        / (len(errors) + _PRIOR_TRIALS)
        for at in range(len(METHODS))
    ]
    scores = [(min(losses) / loss) ** _SHARPNESS for loss in losses]
    return [score / sum(scores) for score in scores]


def combined(values: Sequence[float], weight: Sequence[float]) -> float:
    """Return the weighted geometric mean."""
    if min(values) <= 0:
        return sum(w * value for value, w in zip(values, weight, strict=True))
    return exp(sum(w * log(value) for value, w in zip(values, weight, strict=True)))


def _same_until(before: Hours, now: Hours) -> int:
    """Return the hour up to which both tell the same; where the older one reached further back, that is no matter."""
    if not before.amounts:
        return now.first
    told: Mapping[int, float] = dict(zip(range(before.first, before.until), before.amounts, strict=True))
    for hour, amount in zip(range(now.first, now.until), now.amounts, strict=True):
        if hour >= before.until or abs(told.get(hour, -1.0) - amount) > 1e-9 * abs(amount):
            return hour
    return now.until

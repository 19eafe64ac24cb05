"""The forecast of what the rest of a period will take, with an interval, and when a sum will be reached."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp
from zoneinfo import ZoneInfo

from infertop.money.forecast.hours import DAY, HOUR, LONGEST, Clockface, Hours
from infertop.money.forecast.interval import half_width
from infertop.money.forecast.methods import METHODS
from infertop.money.forecast.trials import LEAST_HOURS, Trials, combined, paths_at, usual_at, weights

_LEAST_USUAL_HOURS = 2


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will be spent from `since` on (epoch seconds): up to the end of each of `ends`, as of `sums`.

    `spread` is the half-width of the 80 % interval as a log, of sums that have `grain` added on both sides: a sum that
    is hardly anything is known to that, and no better. It stands on `history_hours` of spend and `trials` forecasts of
    before for `tested_hours`; `weights` say what each method counted for.
    """

    since: float
    ends: tuple[float, ...]
    sums: tuple[float, ...]
    spread: float
    history_hours: int
    trials: int
    tested_hours: int
    weights: tuple[tuple[str, float], ...]
    grain: float = 0.0

    @property
    def mid(self) -> float:
        """What will be spent until the end."""
        return self.sums[-1] if self.sums else 0.0

    @property
    def low(self) -> float:
        """What will be spent at least, nine times of ten."""
        return self.edges(self.mid)[0]

    @property
    def high(self) -> float:
        """What will be spent at most, nine times of ten."""
        return self.edges(self.mid)[1]

    def edges(self, left: float) -> tuple[float, float]:
        """Return between what 80 % of the truths lie where `left` is what is still expected."""
        factor, more = exp(self.spread), left + self.grain
        return max(0.0, more / factor - self.grain), more * factor - self.grain

    def until(self, ts: float) -> float:
        """Return what will be spent by `ts`."""
        at = bisect_right(self.ends, ts)
        if at == len(self.ends):
            return self.mid
        begin, before = self._begin(at)
        return before + (self.sums[at] - before) * max(0.0, ts - begin) / (self.ends[at] - begin)

    def reaches(self, amount: float) -> float | None:
        """Return when what is forecast reaches `amount`, epoch seconds; None: not before the end."""
        at = bisect_left(self.sums, amount)
        if at == len(self.sums):
            return None
        begin, before = self._begin(at)
        more = self.sums[at] - before
        return begin if more <= 0 else begin + (self.ends[at] - begin) * max(0.0, amount - before) / more

    def _begin(self, at: int) -> tuple[float, float]:
        """Return when an hour begins, and what is spent by then."""
        return (self.ends[at - 1], self.sums[at - 1]) if at else (self.since, 0.0)


class Forecaster:
    """Forecasts one series of spend. It keeps what it would have said before, so that a new hour costs little."""

    def __init__(self, zone: ZoneInfo, longest_hours: int = LONGEST) -> None:
        self._clock = Clockface(zone)
        self._trials = Trials(self._clock, longest_hours)
        self._stride = DAY // 4 if longest_hours <= DAY + 1 else DAY
        self._hours = Hours(0, ())
        self._paths: list[list[float]] = []
        self._late: float | None = None
        self._usual: tuple[list[float], float] | None = None

    def take(self, hours: Hours, late: float | None = None) -> None:
        """Take the past as it is known now; `late` is what the hour after it takes if it goes on as it began."""
        self._hours, self._late = hours, late
        self._paths, self._usual = [], None
        if len(hours.amounts) >= LEAST_HOURS:
            self._trials.take(hours)

    def forecast(self, since: float, end: float) -> Forecast | None:
        """Return what will be spent from `since`, in the hour after the past or later, until `end`.

        None where less than a day is known: there is nothing to stand on.
        """
        if sum(self._hours.known) < LEAST_HOURS or end <= since:
            return None
        origin = self._hours.until
        ahead = -int(-(end - origin * HOUR) // HOUR)
        if len(self._paths[0] if self._paths else ()) < ahead:
            self._paths = paths_at(self._hours, origin, ahead, self._clock, self._late)
        left = max(1, -int(-(end - since) // HOUR))
        lead, day = self._trials.tested(left), self._trials.tested(min(left, DAY))
        errors = self._trials.errors(lead)
        weight = weights(errors)
        daily = errors if day == lead else self._trials.errors(day)
        ends, sums = _cumulated(self._paths, weight, origin, since, end)
        return Forecast(
            since=since,
            ends=ends,
            sums=sums,
            spread=half_width(_mixed(errors, weight), _mixed(daily, weight), lead, left, self._stride),
            history_hours=sum(self._hours.known),
            trials=len(errors),
            tested_hours=lead,
            weights=tuple((method.name, w) for method, w in zip(METHODS, weight, strict=True)),
            grain=self._trials.grain(left),
        )

    def busiest(self, hours_ago: int) -> float | None:
        """Return the most that an hour took, of those that were over so many hours ago; None on the first day."""
        known = [amount for amount, is_known in zip(self._hours.amounts, self._hours.known, strict=True) if is_known]
        return max(known[:-hours_ago]) if len(known) >= LEAST_HOURS else None

    def usual(self, begin: float, end: float) -> float | None:
        """Return what a span takes in a week like the last, hour by hour; None where too little is known."""
        if sum(self._hours.known) < _LEAST_USUAL_HOURS:
            return None
        if self._usual is None:
            self._usual = usual_at(self._hours, self._clock)
        shape, level = self._usual
        first, last = int(begin // HOUR), -int(-end // HOUR)
        return level * sum(
            shape[slot] * (min(end, (hour + 1) * HOUR) - max(begin, hour * HOUR)) / HOUR
            for hour, slot in zip(range(first, last), self._clock.slots(first, last), strict=True)
        )


def _mixed(errors: Sequence[Sequence[float]], weight: Sequence[float]) -> list[float]:
    return [sum(w * error for w, error in zip(weight, each, strict=True)) for each in errors]


def _cumulated(
    paths: Sequence[Sequence[float]], weight: Sequence[float], origin: int, since: float, end: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the ends of the hours from `since` to `end`, the last cut there, and what is spent by each."""
    ends, amounts = [], []
    for ahead, hour in enumerate(zip(*paths, strict=True)):
        begin, until = max(since, (origin + ahead) * HOUR), min(end, (origin + ahead + 1) * HOUR)
        if until > begin:
            ends.append(float(until))
            amounts.append(combined(hour, weight) * (until - begin) / HOUR)
    return tuple(ends), tuple(accumulate(amounts))

"""When a figure is too far above what it may come to, for too long, to be one of its own habits.

What is judged is how many times the value of ten minutes is the most that is usual. It is a surge where that lasted
for 2, 3, ... 6 slots, the lower the longer, or is many times as much at once; but only if the series did not do as much
by itself in the last week, each duration for itself: what bursts for half an hour every day has to last longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

from infertop.money.detect.tail import Tail
from infertop.money.detect.usual import WEEK, Usual

_CLIP = log(3.0)
_CALM = log(1.2)
_HABIT = 4  # times a week that a series does it by itself
_MORE, _MORE_MOST = 0.08, 1.0  # log: how much more it has to be with each further episode of the week
_LONGEST = 7  # slots; what lasted for so long without being a surge is what is usual now
_DIPS = 2
_YOUNG = 1.25  # on the first day, while nothing is known of mornings
_FIRST_MONDAY = 4.0  # times as much as after a weekend alone is what weekdays may have
_FALLEN = 0.33  # of what is usual: rather an outage, after which the old level comes back
_FALLEN_SLOTS = 72
_SILENT = 0.02  # of what is usual: an outage says nothing of the hours of other days
_LOW, _ON = 0.15, 0.9  # near nothing, of up to where a series that starts from there now and then usually comes
_SUSPICIOUS = log(1.03)  # beyond the least ratio: it is held, and not counted as usual
_LEAST_DAY, _DAYS_SHARE = 0.2, 0.6  # of the week's mean, and of the day's median: a value above both fell from a peak


class Surges:
    """The suspicion of one series: slots that are too far above, and the peaks of the week's episodes of them.

    `steps` are the least ratios: at once, and for 2 to 6 slots; `mean` as in `Rule`.
    """

    __slots__ = ("_dips", "_fallen", "_peaks", "held", "rarity", "steps", "usual")

    def __init__(self, steps: Sequence[float], mean: bool = False) -> None:
        self.usual = Usual(mean)
        self.rarity = Tail()
        self.held: list[tuple[int, float, float, float]] = []  # slot, value, log ratio, that of its fast points
        self.steps = [log(each) for each in steps]
        self._peaks: list[list[float]] = []  # slot, near nothing before it, log ratios by duration
        self._fallen: list[tuple[int, float]] = []
        self._dips = 0

    def most(self, slot: int, shifts: Sequence[int]) -> tuple[float, float] | None:
        """Return the most that a value at `slot` may be, and what it should be; None while that is unknown."""
        usual = self.usual.at(slot, shifts)
        if usual and self.low and any(peak[1] for peak in self._peaks):
            return max(usual[0], self.usual.most_of(_ON)), usual[1]
        return usual

    @property
    def low(self) -> bool:
        """Whether the recent values are near nothing."""
        return self.usual.near < _LOW * self.usual.most_of(_ON)

    def ratio(self, value: float, most: float) -> float:
        """Return the logarithm of how many times `value` is what it may be."""
        floor = self.usual.floor
        return log(max(value + floor, floor / 100) / (max(most, 0.0) + floor))

    def fires(self, slot: int, ratio: float, fast: float) -> bool:
        """Return whether the held slots and one of `ratio` (log) are a surge; `fast` is that of what counts at once."""
        steps = self._thresholds(slot)
        if fast > steps[0]:
            return True
        ratios = [*(each[2] for each in self.held), ratio]
        return any(_sum_up(ratios[-n:]) > steps[n - 1] for n in range(2, min(len(ratios), len(steps)) + 1))

    def _thresholds(self, slot: int) -> list[float]:
        self._peaks = [peak for peak in self._peaks if slot - peak[0] < WEEK]
        young = log(_YOUNG) if self.usual.slots < WEEK / 7 else 0.0
        if self.usual.is_first_monday(slot):
            young = log(_FIRST_MONDAY)
        thresholds = [step + young for step in self.steps]
        if len(self._peaks) >= _HABIT:
            own = (sorted(each)[-_HABIT] for each in list(zip(*self._peaks, strict=True))[2:])
            more = min(_MORE_MOST, _MORE * (len(self._peaks) - _HABIT + 1))
            thresholds = [max(step, habit + more) for step, habit in zip(thresholds, own, strict=True)]
        return thresholds

    def close(self, slot: int, value: float, plan: float, ratio: float | None, fast: float, seconds: float) -> None:
        """Take the value of a slot that is over, outside of a surge; `ratio` is None where nothing was known."""
        keep: float | None = value
        if ratio is None:
            self.usual.accept([(slot, value)])
        else:
            self.rarity.rarity(exp(max(ratio, -5.0)))
            self.usual.heed(value)
            if self._suspect(slot, value, ratio, fast):
                self._fallen = []
            elif self._falls(slot, value, plan):
                keep = value if value > _SILENT * self.usual.near else None
            else:
                self._fallen = []
                self.usual.accept([(slot, value)])
        self.usual.keep(slot, keep, seconds)

    def _suspect(self, slot: int, value: float, ratio: float, fast: float) -> bool:
        suspicious = ratio > self.steps[-1] + _SUSPICIOUS
        if suspicious:
            self._dips = 0
        elif self.held and ratio < _CALM:
            self._dips += 1
        if not (suspicious or (self.held and self._dips < _DIPS)):
            self.usual.accept([each[:2] for each in self.held if each[2] <= self.steps[-1]])
            self.told()
            return False
        self.held.append((slot, value, ratio, fast))
        if len(self.held) >= _LONGEST:
            self.usual.accept([each[:2] for each in self.held])
            self.told()
        return True

    def told(self) -> None:
        """Note what is held as an episode of the series, and hold nothing."""
        if self.held:
            ratios = [each[2] for each in self.held]
            lasting = [
                max((_sum_up(ratios[i : i + n]) for i in range(len(ratios) - n + 1)), default=0.0)
                for n in range(2, len(self.steps) + 1)
            ]
            self._peaks.append([self.held[0][0], float(self.low), max(each[3] for each in self.held), *lasting])
            self.held = []
        self._dips = 0

    def _falls(self, slot: int, value: float, plan: float) -> bool:
        half = self.usual.floor / 2
        if value + half >= _FALLEN * (min(self.usual.near, plan) + half):
            return False
        day = self.usual.day_before(slot)
        if day and value > _LEAST_DAY * self.usual.level and value + half >= _DAYS_SHARE * (day + half):
            return False
        self._fallen.append((slot, value))
        if len(self._fallen) >= _FALLEN_SLOTS:
            self.usual.accept(self._fallen)
            self._fallen = []
        return True

    def begin_at(self, recent: Sequence[tuple[int, float]], held: Sequence[tuple[int, float]]) -> None:
        """Count `recent` slots as usual now, and hold those after it that are too far above."""
        self.forget_recent()
        self.usual.accept(recent)
        most = max(value for _, value in recent)
        self.held = [(slot, value, self.ratio(value, most), 0.0) for slot, value in held]

    def forget_recent(self) -> None:
        """Begin again with what is usual now, after a gap or a surge that became it."""
        self.told()
        self.usual.recent = []
        self._fallen = []

    def rebase(self, factor: float) -> None:
        """Multiply all values by `factor`."""
        self.usual.rebase(factor)
        self.held = [(slot, value * factor, ratio, fast) for slot, value, ratio, fast in self.held]
        self._fallen = [(slot, value * factor) for slot, value in self._fallen]

    def dump(self) -> dict[str, Any]:
        """Return the state, for JSON."""
        lists: dict[str, list[Any]] = {"held": self.held, "fallen": self._fallen, "peaks": self._peaks}
        listed = {name: [list(each) for each in rows] for name, rows in lists.items()}
        return {"usual": self.usual.dump(), "rarity": self.rarity.dump(), "dips": self._dips, **listed}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `dump` returned."""
        self.usual.load(state["usual"])
        self.rarity.load(state["rarity"])
        self._dips = state["dips"]
        self.held = [(slot, value, ratio, fast) for slot, value, ratio, fast in state["held"]]
        self._fallen = [(slot, value) for slot, value in state["fallen"]]
        self._peaks = [list(each) for each in state["peaks"]]


def _sum_up(ratios: Sequence[float]) -> float:
    """Return what a run of log ratios amounts to: of two the lower, of more the mean, no one counting for too much."""
    if len(ratios) <= 2:
        return min(ratios)
    return sum(min(each, _CLIP) for each in ratios) / len(ratios)

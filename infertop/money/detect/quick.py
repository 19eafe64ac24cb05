"""What minutes in a row say before ten of them are over: many times the usual for five, by who never does that."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log
from typing import Any

from infertop.money.detect.usual import DAY, WEEK

_SECONDS = 300.0
_LEAST_VALUES = 3
_MORE = log(1.2)  # than the series did by itself within a week
_WORTH = 0.5  # of the least: what is less is no habit
_APART = 6  # slots within which two bursts are one


class Quick:
    """The last minutes, and the bursts of the week. Ratios are logarithms of how many times a value is the usual."""

    __slots__ = ("_bursts", "_ratios", "_slots")

    def __init__(self) -> None:
        self._ratios: list[float] = []
        self._bursts: list[tuple[int, float]] = []
        self._slots: list[int] = []  # the first that was judged, and the last

    def fires(self, slot: int, ratio: float, step: float, least: float) -> bool:
        """Take the ratio of a value of `step` seconds; say whether all within five minutes were beyond `least`.

        And beyond what the series did in the week before, once a day of it is known. Longer values say nothing.
        """
        self._slots = [self._slots[0] if self._slots else slot, slot]
        count = max(_LEAST_VALUES, ceil(_SECONDS / step)) if 0 < step < _SECONDS else 0
        if not count:
            return False
        self._ratios = [*self._ratios, ratio][-count:]
        lowest = min(self._ratios) if len(self._ratios) == count else 0.0
        if lowest <= _WORTH * least:
            return False
        self._bursts = [each for each in self._bursts if slot - each[0] < WEEK]
        past = [peak for at, peak in self._bursts if slot - at > _APART]
        self._note(slot, lowest)
        known = slot - self._slots[0] >= DAY
        return known and lowest > max([least, *(each + _MORE for each in past)])

    def _note(self, slot: int, peak: float) -> None:
        at, highest = self._bursts[-1] if self._bursts else (slot - _APART - 1, 0.0)
        if slot - at <= _APART:
            self._bursts[-1] = (slot, max(highest, peak))
        else:
            self._bursts.append((slot, peak))

    def forget_minutes(self) -> None:
        """Begin again with the last minutes, after a gap or an incident."""
        self._ratios = []

    def dump(self) -> dict[str, Any]:
        """Return the state, for JSON."""
        return {"ratios": self._ratios, "bursts": [list(each) for each in self._bursts], "slots": self._slots}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `dump` returned."""
        self._ratios, self._slots = list(state["ratios"]), list(state["slots"])
        self._bursts = [(at, peak) for at, peak in state["bursts"]]

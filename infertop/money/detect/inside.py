"""What is usual within an incident that lasts, and when it is outdone: that is something new, and no part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_NEAR = 6  # slots


class Inside:
    """The last hour of an incident. `ratio` tells the logarithm of how many times a value is another."""

    __slots__ = ("beyond", "recent")

    def __init__(self) -> None:
        self.recent: list[tuple[int, float]] = []
        self.beyond: list[tuple[int, float]] = []

    def outdone(self, slot: int, value: float, ratio: Callable[[float, float], float], steps: Sequence[float]) -> bool:
        """Say whether what was beyond and one more value of `slot` are a surge: twice in a row, or many times."""
        most = self._most()
        if most is None:
            return False
        times = ratio(value, most)
        return times > steps[0] or (times > steps[1] and any(each < slot for each, _ in self.beyond))

    def take(self, slot: int, value: float, ratio: Callable[[float, float], float], steps: Sequence[float]) -> None:
        """Take the value of a slot that is over."""
        most = self._most()
        if most is not None and ratio(value, most) > steps[1] and not self.beyond:
            self.beyond = [(slot, value)]
            return
        self.recent = [*self.recent, *self.beyond, (slot, value)][-_NEAR:]
        self.beyond = []

    def _most(self) -> float | None:
        if len(self.recent) < _NEAR:
            return None
        highest = sorted(value for _, value in self.recent)[-2:]
        return sum(highest) / len(highest)

    def rebase(self, factor: float) -> None:
        """Multiply all values."""
        self.recent = [(slot, value * factor) for slot, value in self.recent]
        self.beyond = [(slot, value * factor) for slot, value in self.beyond]

    def dump(self) -> dict[str, Any]:
        """Return the state, for JSON."""
        return {"recent": [list(each) for each in self.recent], "beyond": [list(each) for each in self.beyond]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `dump` returned."""
        self.recent = [(slot, value) for slot, value in state["recent"]]
        self.beyond = [(slot, value) for slot, value in state["beyond"]]

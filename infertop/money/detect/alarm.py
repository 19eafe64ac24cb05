"""From how unusual a point is to a score with one threshold for all: told once, and less by who tells often."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import log10

COOL_DOWN_POINTS = 200
_TOLD = 1.8
_PENALTY = 0.3
_FADES_POINTS = 20_000
_KEEP = 0.5 ** (1 / _FADES_POINTS)


class Alarm:
    """The cool-down and the habituation of one series."""

    __slots__ = ("_peaks", "_points", "_told")

    def __init__(self) -> None:
        self._points = 0
        self._told = 0.0
        self._peaks: deque[tuple[int, float]] = deque()  # falling, over the last cool-down

    def score(self, unusual: float) -> float:
        """Return the score of a point that is so `unusual` (the mean rarity of its parts).

        It is 0 where the last 200 points had one as unusual: that was told. What is told again and again is worth
        less: 0.3 for each tenfold of past tellings, which fade over 20,000 points.
        """
        peaks, points = self._peaks, self._points
        self._points = points + 1
        if peaks and peaks[0][0] <= points - COOL_DOWN_POINTS:
            peaks.popleft()
        self._told *= _KEEP
        news = not peaks or unusual > peaks[0][1]
        while peaks and peaks[-1][1] <= unusual:
            peaks.pop()
        peaks.append((points, unusual))
        if not news:
            return 0.0
        score = unusual - _PENALTY * log10(1 + self._told)
        if unusual >= _TOLD:
            self._told += 1
        return max(score, 0.0)

    def dump(self) -> list[float]:
        """Return the state as plain numbers."""
        return [self._points, self._told, *(number for peak in self._peaks for number in peak)]

    def load(self, state: Sequence[float]) -> None:
        """Take up a state that `dump` returned."""
        points, self._told, *peaks = state
        self._points = int(points)
        self._peaks = deque((int(at), peak) for at, peak in zip(peaks[::2], peaks[1::2], strict=True))

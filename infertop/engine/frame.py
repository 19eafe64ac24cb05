"""What all tracks of a source share: the times of its polls, and what now is."""

from __future__ import annotations

from operator import sub

from infertop.engine.rings import Timeline


class Moment:
    """The newest time that anything is known of; shared by all sources, moved on by whoever knows better."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 0.0

    def reach(self, ts: float | None) -> None:
        """Go on to `ts`, and never back."""
        if ts is not None and ts > self.now:
            self.now = ts


class Frame:
    """What all tracks of a source share: when its polls were, and after how many seconds without one it is stale.

    `line` has every poll, `coarse` one in some seconds of them, for what would be too large otherwise.
    """

    __slots__ = ("_weights", "coarse", "line", "moment", "stale_seconds")

    def __init__(self, moment: Moment, stale_seconds: float) -> None:
        self.line, self.coarse = Timeline(), Timeline()
        self.moment = moment
        self.stale_seconds = stale_seconds
        self._weights: tuple[tuple[int, int], list[float], float] = ((0, 0), [], 0.0)

    @property
    def newest(self) -> float:
        """The time of the newest poll."""
        return self.line.times[-1]

    def weights(self, start: int) -> tuple[list[float], float]:
        """Return the seconds that the polls from `start` on stand for, each and together; all gauges ask the same."""
        line = self.line
        key = (start, line.end)
        if self._weights[0] != key:
            measured = line.measured[start - 1 - line.first :]
            each = list(map(sub, measured[1:], measured))
            self._weights = (key, each, sum(each))
        return self._weights[1:]

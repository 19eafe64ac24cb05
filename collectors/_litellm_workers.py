"""Whose counters a page has: several processes may answer in turns, each with counters of its own.

Replicas behind one address do so, and workers of releases without PROMETHEUS_MULTIPROC_DIR (BerriAI/litellm#10595):
taken for one process, its counters would fall and rise with every page, and each fall would count in full. They are
told apart by when they began; one that began before infertop did has a past that does not count.
"""

from __future__ import annotations

_SAME_START_SECONDS = 1.0
MOST_LINES = 200_000
_MOST_STARTS = 1000


class Worker:
    """One process: what its lines had when it was last read, and on which of its pages. `fresh` until it was read."""

    __slots__ = ("baseline", "fresh", "lines", "page", "started")

    def __init__(self, started: float | None, baseline: bool) -> None:
        self.started = started
        self.baseline = baseline
        self.fresh = True
        self.page = 0
        self.lines: dict[int, tuple[float, int]] = {}


class Workers:
    """The processes that were read, the one that was read last at the end.

    Where they have too many lines, those are forgotten that were not read for longest.
    """

    def __init__(self) -> None:
        self._all: list[Worker] = []
        self._forgotten: list[float | None] = []

    def of(self, started: float | None, since: float) -> Worker:
        """Return the process that began then; a page that does not say when is the one's that was read last.

        What a new one did is not known to be new where it is the first, began before `since`, or was forgotten.
        """
        if started is None and self._all:
            return self._all[-1]
        worker = next((each for each in self._all if _same(each.started, started)), None)
        if worker is None:
            worker = Worker(started, self._is_old(started, since))
        else:
            self._all.remove(worker)
        self._all.append(worker)
        while len(self._all) > 1 and sum(len(each.lines) for each in self._all) > MOST_LINES:
            self._forgotten = [*self._forgotten[-_MOST_STARTS:], self._all.pop(0).started]
        return worker

    def _is_old(self, started: float | None, since: float) -> bool:
        if started is None or not self._all or any(_same(each, started) for each in self._forgotten):
            return True
        # Who was read before and did not say when it began may be this one.
        return started < since or self._all[-1].started is None

    def has(self, key: int) -> bool:
        """Say whether any process has this line."""
        return any(key in each.lines for each in self._all)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _SAME_START_SECONDS

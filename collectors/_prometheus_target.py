"""One target of a Prometheus: its series put back into the page that was scraped, and read as that page would be."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol, cast

from collectors._prometheus_labels import Labels
from collectors._prometheus_systems import System
from infertop.engine.clock import Clock
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.engine.http import Http
from infertop.readings.model import Batch
from infertop.readings.safe import safe

_SETTLED_SECONDS = 30.0
_FUTURE_SECONDS = 1.0
_INTERVALS = 5
_MOST_TIMES = 12_000
_RANK = re.compile("rank|engine|model")
_PROCESS = "process_start_time_seconds"
# vLLM's counters of these names were of blocks before they were of tokens, which only the page's help text told.
_DOUBTFUL = b"vllm:gpu_prefix_cache_hits_total"
_SURE = b"vllm:prefix_cache_hits_total"
_IN_BLOCKS = b"# HELP vllm:gpu_prefix_cache_hits in terms of number of cached blocks\n"


class Reader(Protocol):
    """A collector as far as it reads a page that somebody else fetched."""

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch; raise Unavailable where it is not the system's."""
        ...


def reader(system: System, config: SourceConfig, clock: Clock) -> Reader:
    """Return the system's own collector, which is never asked to fetch anything here."""
    return cast(Reader, system.kind.make(config, Http(config.url or "http://127.0.0.1"), clock))


@dataclass(slots=True)
class Target:
    """A target. `points` has what the last answer said of its series by their places, `starts` how their lines begin.

    `clock` has when it was scraped, where readings have the time of the question instead.

    `newest` is the time of the newest page that was read, `interval` how often it is scraped (None: not known yet).
    """

    labels: Labels
    system: System
    name: str
    url: str
    reader: Reader
    starts: list[bytes] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    points: dict[int, bytes] = field(default_factory=dict)
    newest: float = 0.0
    interval: float | None = None
    problem: str = ""
    clock: dict[int, bytes] = field(default_factory=dict)
    _page: frozenset[int] = frozenset()
    _own: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _scrapers: frozenset[str] = frozenset()
    _gaps: deque[float] = field(default_factory=lambda: deque(maxlen=_INTERVALS))

    def scrapers(self, series: Sequence[Labels]) -> frozenset[str]:
        """Return which labels of new series are none of the page's, having learnt what they tell of that.

        A process's start has no label of its own. And what a whole page comes with all at once was put on by a change
        of the scraper's configuration: counters whose labels differ for that are the same ones, and go on.
        """
        common = set.intersection(*(set(each.items()) for each in series))
        shared = {name for name, _ in common if name != "__name__" and not _RANK.search(name)}
        if self._names and self._names <= {each["__name__"] for each in series}:
            self._scrapers |= shared - self._own
        for each in series:
            if each["__name__"] == _PROCESS:
                self._scrapers |= each.keys() - {"__name__"}
        self._names.update(each["__name__"] for each in series)
        self._own.update(*series)
        return self._scrapers

    def add(self, start: bytes, key: int) -> int:
        """Take a new series; return its place."""
        self.starts.append(start)
        self.keys.append(key)
        return len(self.starts) - 1

    def batches(self, ts: float, least_seconds: float) -> list[Batch]:
        """Return what the pages say that were scraped since the last answer, oldest first.

        Pages closer together than `least_seconds` are left out. All series of a page have its time: those that left it
        are not there any more. The newest page waits where it lacks series that the one before had, as they may still
        be on their way to the storage: a counter that came later would look new, and count from 0.
        """
        found = []
        pages = self._pages(ts)
        before = self.newest
        for scraped, values in pages:
            last = scraped == pages[-1][0]
            if last and self._page - values.keys() and ts - scraped < _SETTLED_SECONDS:
                break
            if scraped <= before:
                continue  # the same scrape again
            if before:
                self._gaps.append(scraped - before)
                self.interval = sorted(self._gaps)[len(self._gaps) // 2]
            before = scraped
            if not last and self.newest and scraped - self.newest < least_seconds:
                continue
            self.newest, self._page = scraped, frozenset(values)
            batch = self._read(scraped, values)
            if batch is not None:
                found.append(batch)
        self.points.clear()
        return found

    def page(self, values: dict[int, bytes]) -> bytes:
        """Return a page with these values by place."""
        starts = self.starts
        body = b"\n".join([starts[at] + values[at] for at in sorted(values)]) + b"\n"
        return body + _IN_BLOCKS if _DOUBTFUL in body and _SURE not in body else body

    def _read(self, scraped: float, page: dict[int, bytes]) -> Batch | None:
        try:
            batch = self.reader.parse(self.page(page), scraped)
        except Unavailable as error:
            self.problem = safe(f"{self.name}: {error.sentence}", 300)
            return None
        self.problem = ""
        return batch

    def _pages(self, ts: float) -> list[tuple[float, dict[int, bytes]]]:
        """Return what is newer than the last page: the times at which was scraped, with the values by place."""
        pages: dict[bytes, dict[int, bytes]] = {}
        passed_over: set[bytes] = set()
        latest = ts + _FUTURE_SECONDS
        for place, points in self.points.items():
            while points:
                points, _, point = points.rpartition(b'"],[')
                said, _, value = point.partition(b',"')
                page = pages.get(said)
                if page is None:
                    if said in passed_over:
                        break
                    scraped = _time(said)
                    if scraped <= self.newest or len(pages) == _MOST_TIMES:
                        passed_over.add(said)
                        break
                    if scraped > latest:
                        continue
                    page = pages[said] = {}
                page[place] = value
        return sorted(((self._scraped(said), page) for said, page in pages.items()), key=itemgetter(0))

    def _scraped(self, said: bytes) -> float:
        """Return when a reading was scraped that has the time `said`."""
        asked = _time(said)
        told = _time(self.clock[0].rpartition(b',"')[2]) if 0 in self.clock else asked
        return told if told <= asked else asked


def _time(said: bytes) -> float:
    try:
        ts = float(said)
    except ValueError:
        return math.inf
    return ts if math.isfinite(ts) else math.inf

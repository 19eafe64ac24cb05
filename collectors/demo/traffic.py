"""The recorded traffic as counters: how much a service had done by any time, the recording going round for ever."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate, pairwise

from infertop.readings.model import Buckets

TTFT_BOUNDS = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5),
    *(10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0, float("inf")),
)
COUNTS = ("requests", "input", "cache_read", "output")


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of a service: requests and tokens by class, and how many first tokens fell into each bucket."""

    counts: dict[str, int]
    ttft: tuple[int, ...]


@dataclass(frozen=True)
class Service:
    """A recorded service. Counters begin at 0 at the start of the epoch; within a minute they rise evenly."""

    name: str
    minutes: tuple[Minute, ...]
    sums: dict[str, tuple[int, ...]]
    ttft_sums: tuple[tuple[int, ...], ...]

    def count(self, what: str, ts: float) -> float:
        """Return how many `what` (one of COUNTS) there had been at `ts`: a whole number."""
        rounds, minute, share = self._place(ts)
        sums = self.sums[what]
        return rounds * sums[-1] + sums[minute] + int(share * self.minutes[minute].counts[what])

    def rate(self, what: str, ts: float) -> float:
        """Return `what` a second in the minute that `ts` falls into."""
        return self.minutes[self._place(ts)[1]].counts[what] / 60

    def ttft(self, ts: float) -> Buckets:
        """Return the histogram of times to first token up to `ts`, cumulative over the bounds as engines give it."""
        rounds, minute, share = self._place(ts)
        whole, before, now = self.ttft_sums[-1], self.ttft_sums[minute], self.minutes[minute].ttft
        each = [rounds * w + b + int(share * n) for w, b, n in zip(whole, before, now, strict=True)]
        middle = [
            0.0005,
            *((low + high) / 2 for low, high in pairwise(TTFT_BOUNDS[:-1])),
            2560.0,
        ]
        total = sum(count * seconds for count, seconds in zip(each, middle, strict=True))
        return Buckets(TTFT_BOUNDS, tuple(float(count) for count in accumulate(each)), total)

    def _place(self, ts: float) -> tuple[int, int, float]:
        rounds, minute = divmod(int(ts // 60), len(self.minutes))
        return rounds, minute, ts / 60 % 1


@cache
def services() -> dict[str, Service]:
    """Read the bundled recording: services by name."""
    text = files("collectors.demo").joinpath("traffic.csv").read_text("utf-8")
    rows: dict[str, list[Minute]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        buckets = [0] * len(TTFT_BOUNDS)
        for pair in row["ttft"].split():
            bucket, count = pair.split(":")
            buckets[int(bucket)] = int(count)
        counts = {name: int(row[name]) for name in COUNTS}
        rows.setdefault(row["service"], []).append(Minute(counts, tuple(buckets)))
    return {name: _service(name, tuple(minutes)) for name, minutes in rows.items()}


def _service(name: str, minutes: tuple[Minute, ...]) -> Service:
    sums = {what: tuple(accumulate((each.counts[what] for each in minutes), initial=0)) for what in COUNTS}
    ttft = [(0,) * len(TTFT_BOUNDS)]
    for minute in minutes:
        ttft.append(tuple(a + b for a, b in zip(ttft[-1], minute.ttft, strict=True)))
    return Service(name, minutes, sums, tuple(ttft))

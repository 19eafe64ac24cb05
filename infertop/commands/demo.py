"""The demo's sources and prices: recorded real traffic on a machine that is made up, read like any other."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.demo.captured import CapturedEngine
from collectors.demo.machine import ENGINES, SMALL
from collectors.demo.meters import DemoEngine, DemoGpus, DemoHost
from collectors.vllm import Vllm
from infertop.engine.clock import Clock
from infertop.engine.collector import Collector, SourceConfig
from infertop.engine.http import Http

NOTICE = "the demo: requests and tokens are recorded real traffic; the GPUs and latencies of the machine are made up"
PAST_SECONDS = 80 * 60
STEP_SECONDS = 10.0


class Now:
    """The recorder's time: that of the demo's past while it is loaded, the clock's from then on."""

    def __init__(self, clock: Clock, *, demo: bool) -> None:
        self._clock = clock
        self.past: float | None = clock.now() - PAST_SECONDS if demo else None

    def __call__(self) -> float:
        """Return epoch seconds."""
        return self._clock.now() if self.past is None else self.past


def collectors(interval: float) -> list[Collector]:
    """Return the demo's collectors."""
    made: list[Collector] = [DemoEngine(engine, _config("vllm", engine.source, interval)) for engine in ENGINES]
    small = _config("vllm", SMALL, interval)
    made.append(CapturedEngine(small, Vllm(small, Http(small.url))))
    made.append(DemoGpus(SourceConfig("nvml", "nvml", interval_seconds=interval)))
    made.append(DemoHost(SourceConfig("host", "host", interval_seconds=interval)))
    return made


def _config(kind: str, name: str, interval: float) -> SourceConfig:
    return SourceConfig(kind, name, url=f"http://{name.partition('@')[2]}", interval_seconds=interval)


def steps(now: float) -> Iterator[float]:
    """Return the times before now at which the demo's past is read, oldest first."""
    count = int(PAST_SECONDS / STEP_SECONDS)
    return (now - (count - n) * STEP_SECONDS for n in range(count))

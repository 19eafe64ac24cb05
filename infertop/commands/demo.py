"""The demo's sources and prices: recorded real traffic on a machine that is made up, read like any other."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.demo import account as provider
from collectors.demo.account import DemoAccount
from collectors.demo.captured import CapturedEngine
from collectors.demo.machine import ENGINES, SMALL
from collectors.demo.meters import DemoEngine, DemoGpus, DemoHost
from collectors.vllm import Vllm
from infertop.engine.clock import Clock
from infertop.engine.collector import Collector, SourceConfig
from infertop.engine.http import Http

NOTICE = (
    "the demo: requests and tokens are recorded real traffic; the machine, its latencies, the account at OpenAI"
    " and what goes wrong there are made up"
)
PAST_SECONDS = 180 * 60
FINE_SECONDS = 20 * 60
GAP_SECONDS = 150.0
"""How long a hole in the demo's polls may be: most of its past is read once a minute."""
_STEP_SECONDS, _FINE_STEP_SECONDS = 60.0, 10.0


class Now:
    """The recorder's time: that of the demo's past while it is loaded, the clock's from then on."""

    def __init__(self, clock: Clock, *, demo: bool) -> None:
        self._clock = clock
        self.began = clock.now()
        self.past: float | None = self.began - PAST_SECONDS if demo else None

    def __call__(self) -> float:
        """Return epoch seconds."""
        return self._clock.now() if self.past is None else self.past


def collectors(interval: float, began: float, since: float) -> list[Collector]:
    """Return the collectors of a demo that began at `began`; its account is told from `since` on."""
    made: list[Collector] = [DemoEngine(engine, _config("vllm", engine.source, interval)) for engine in ENGINES]
    small = _config("vllm", SMALL, interval)
    made.append(CapturedEngine(small, Vllm(small, Http(small.url))))
    made.append(DemoGpus(SourceConfig("nvml", "nvml", interval_seconds=interval)))
    made.append(DemoHost(SourceConfig("host", "host", interval_seconds=interval)))
    config = SourceConfig(provider.KIND, provider.SOURCE, interval_seconds=provider.POLL_SECONDS)
    made.append(DemoAccount(config, began, since))
    return made


def _config(kind: str, name: str, interval: float) -> SourceConfig:
    return SourceConfig(kind, name, url=f"http://{name.partition('@')[2]}", interval_seconds=interval)


def steps(now: float) -> Iterator[float]:
    """Return the times before now at which the demo's past is read, oldest first."""
    fine = now - FINE_SECONDS
    coarse = (PAST_SECONDS - FINE_SECONDS) / _STEP_SECONDS
    yield from (fine - (coarse - n) * _STEP_SECONDS for n in range(int(coarse)))
    yield from (fine + n * _FINE_STEP_SECONDS for n in range(int(FINE_SECONDS / _FINE_STEP_SECONDS)))

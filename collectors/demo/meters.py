"""The demo's meters: collectors that say what the recording says at this time of day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from collectors._gpu_library import process_rows
from collectors.demo.machine import CARDS, ENGINES, GIB, Card, Engine
from collectors.demo.traffic import services
from infertop.engine.collector import SourceConfig
from infertop.readings.model import Batch, Buckets, Series
from infertop.readings.throttle import IDLE, POWER_CAP

_PROCESS = {"name": "VLLM::EngineCore", "user": "serve"}
_FIRST_PID = 41_000
_NEAR_LIMIT = 0.965


@dataclass
class DemoEngine:
    """One engine of the demo; it has run since long before."""

    engine: Engine
    config: SourceConfig
    kind: str = "vllm"

    def __post_init__(self) -> None:
        one = partial(Series.of, model=self.engine.model, rank="0")
        names = ("requests", "input_tokens", "cached_tokens", "output_tokens", "running", "waiting", "kv_cache_usage")
        self._series = (*(one(name) for name in names), one("ttft_seconds"))

    async def collect(self, ts: float) -> Batch:
        """Return the counters as they stood at `ts`."""
        service = services()[self.engine.service]
        load = busy(self.engine, ts)
        out_rate, request_rate = service.rate("output", ts), service.rate("requests", ts)
        seconds_each = 0.025 * out_rate / request_rate if request_rate else 0.0
        running = float(round(request_rate * seconds_each))
        held = running * (service.rate("input", ts) + service.rate("cache_read", ts) + out_rate) / (request_rate or 1)
        values: tuple[float | Buckets, ...] = (
            *(service.count(what, ts) for what in ("requests", "input", "cache_read", "output")),
            running,
            float(round(max(0.0, load - 0.85) * 40)),
            min(1.0, held / self.engine.kv_tokens),
            service.ttft(ts),
        )
        return Batch(self.config.name, ts, self._series, values, started=0.0)

    async def close(self) -> None:
        """Nothing is held."""


@dataclass
class DemoGpus:
    """The GPUs of the demo."""

    config: SourceConfig
    kind: str = "nvml"
    _series: tuple[Series, ...] = ()

    async def collect(self, ts: float) -> Batch:
        """Return what NVML would say at `ts`."""
        readings = [pair for card in CARDS for pair in _card(card, ts)]
        series = tuple(each for each, _ in readings)
        if series != self._series:
            self._series = series
        return Batch(self.config.name, ts, self._series, tuple(value for _, value in readings))

    async def close(self) -> None:
        """Nothing is held."""


def busy(engine: Engine, ts: float) -> float:
    """Return the share of time in which the engine's GPUs work, modelled from its tokens a second."""
    service = services()[engine.service]
    load = service.rate("input", ts) / engine.prefill_per_second + service.rate("output", ts) / engine.decode_per_second
    return min(0.99, load)


_BY_SOURCE = {engine.source: engine for engine in ENGINES}


def _loads(card: Card, ts: float) -> dict[str, float]:
    """Return the SM time of each holder; several on one GPU share what there is."""
    wanted = {source: _wanted(source, ts) / (1 if len(card.holders) == 1 else 2) for source, _ in card.holders}
    over = max(1.0, sum(wanted.values()) / 0.99)
    return {source: load / over for source, load in wanted.items()}


def _wanted(source: str, ts: float) -> float:
    return busy(_BY_SOURCE[source], ts) if source in _BY_SOURCE else 0.12


def _load(card: Card, ts: float) -> float:
    return sum(_loads(card, ts).values())


def _watts(card: Card, ts: float) -> float:
    return card.idle_watts + (card.full_watts - card.idle_watts) * _load(card, ts)


def _card(card: Card, ts: float) -> list[tuple[Series, float]]:
    one = partial(Series.of, gpu=card.uuid)
    load = _load(card, ts)
    readings = [
        (Series.of("gpu_info", gpu=card.uuid, name=card.name, index=str(card.index)), 1.0),
        (one("gpu_utilization"), load),
        (one("gpu_memory_used_bytes"), card.memory_used_bytes),
        (one("gpu_memory_total_bytes"), card.memory_total_bytes),
        (one("gpu_power_watts"), _watts(card, ts)),
        (one("gpu_power_limit_watts"), card.limit_watts),
        (one("gpu_temperature_celsius"), 32.0 + round(load * 40)),
        (one("gpu_sm_clock_hertz"), 1.98e9 if load else 0.345e9),
        (one("gpu_memory_clock_hertz"), 2.619e9),
        (one("gpu_throttle_reasons"), float(_held_down_by(card, ts))),
    ]
    loads = _loads(card, ts)
    for number, (holder, held) in enumerate(card.holders):
        here = partial(Series.of, gpu=card.uuid, holder=holder)
        readings += [(here("placement_memory_bytes"), held), (here("placement_utilization"), loads[holder])]
        pid = _FIRST_PID + 10 * card.index + number
        readings += process_rows(card.uuid, pid, _PROCESS, held, loads[holder])
    return readings


def _held_down_by(card: Card, ts: float) -> int:
    if not _load(card, ts):
        return IDLE
    return POWER_CAP if _watts(card, ts) >= _NEAR_LIMIT * card.limit_watts else 0


@dataclass
class DemoHost:
    """The rest of the demo's machine."""

    config: SourceConfig
    kind: str = "host"
    _series: tuple[Series, ...] = (
        Series("host_cpu_utilization"),
        Series("host_memory_used_bytes"),
        Series("host_memory_total_bytes"),
    )

    async def collect(self, ts: float) -> Batch:
        """Return load and memory at `ts`."""
        load = sum(busy(engine, ts) for engine in ENGINES) / len(ENGINES)
        return Batch(self.config.name, ts, self._series, (0.08 + load / 5, 212.0 * GIB, 1024.0 * GIB))

    async def close(self) -> None:
        """Nothing is held."""

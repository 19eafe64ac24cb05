"""Short ways to write batches, as the tape would have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from infertop.money.lines import Line
from infertop.money.rates import PriceBook
from infertop.money.settings import Energy, HourlyRate, Owned, Settings, Tariff
from infertop.readings.model import Batch, Series

VLLM = "vllm@127.0.0.1:8000"
LLAMA = "llama-3-70b"
START = 6_000_000 * 60  # an hour's and a minute's edge
H100 = "NVIDIA H100 80GB HBM3"


def book(h100: str | None = "2.49", host: str | None = None, energy: Energy | None = None) -> PriceBook:
    """A price book in which an H100 is rented at `h100`, and the host too where it has a rate."""
    gpus = () if h100 is None else (HourlyRate("H100", "pricing.toml:2", Decimal(h100)),)
    of_host = None if host is None else HourlyRate("host", "pricing.toml:9", Decimal(host))
    return PriceBook(Settings(gpus=gpus, host=of_host, energy=energy))


def owned_book(*tariffs: Tariff) -> PriceBook:
    """A price book in which an H100 was bought for 0.73 USD an hour and a kWh costs 0.15 x 1.3 USD."""
    rate = HourlyRate("H100", "pricing.toml:2", owned=Owned(Decimal("6394.8"), Decimal(1)))
    energy = Energy(Decimal("0.15"), "pricing.toml:7", Decimal("1.3"), tariffs)
    return PriceBook(Settings(gpus=(rate,), energy=energy))


@dataclass(frozen=True)
class Gpu:
    """What NVML says of a GPU; `holders` maps sources to (memory, SM utilisation), None where unknown."""

    uuid: str = "GPU-0"
    utilization: float | None = 0.5
    holders: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    name: str = H100
    parent: str = ""
    slices: int | None = None
    joules: float | None = None
    watts: float | None = None
    limit: float | None = None


def nvml(ts: float, *gpus: Gpu, source: str = "nvml") -> Batch:
    """A poll of NVML."""
    said: list[tuple[Series, float]] = []
    for gpu in gpus:
        info = {"name": gpu.name, "index": "0", **({"parent": gpu.parent} if gpu.parent else {})}
        said.append((Series.of("gpu_info", gpu=gpu.uuid, **info), 1.0))
        values = {
            "gpu_utilization": gpu.utilization,
            "gpu_slices": gpu.slices,
            "gpu_energy_joules": gpu.joules,
            "gpu_power_watts": gpu.watts,
            "gpu_power_limit_watts": gpu.limit,
        }
        said += [(Series.of(name, gpu=gpu.uuid), float(v)) for name, v in values.items() if v is not None]
        for holder, (memory, utilization) in gpu.holders.items():
            said.append((Series.of("placement_processes", gpu=gpu.uuid, holder=holder), 1.0))
            held = {"placement_memory_bytes": memory, "placement_utilization": utilization}
            said += [(Series.of(n, gpu=gpu.uuid, holder=holder), v) for n, v in held.items() if v is not None]
    return batch("nvml" if source == "nvml" else source, ts, said)


def engine(
    ts: float, *, source: str = VLLM, model: str = LLAMA, started: float | None = None, **counters: float
) -> Batch:
    """A poll of an engine with one model; counters by metric."""
    return batch(source, ts, [(Series.of(name, model=model), float(v)) for name, v in counters.items()], started)


def host(ts: float) -> Batch:
    """A poll of the machine."""
    return batch("host", ts, [(Series.of("host_cpu_utilization"), 0.1)])


def batch(source: str, ts: float, said: Iterable[tuple[Series, float]], started: float | None = None) -> Batch:
    """A batch of these readings."""
    pairs = list(said)
    return Batch(source, ts, tuple(s for s, _ in pairs), tuple(v for _, v in pairs), started)


def totals(lines: Iterable[Line]) -> dict[tuple[str, str | None, str], int]:
    """Quantities by source, model and resource."""
    found: Counter[tuple[str, str | None, str]] = Counter()
    for line in lines:
        found[line.source, line.model, line.resource] += line.quantity
    return dict(found)


def usd_nano(lines: Iterable[Line]) -> int:
    """The cost of all lines that have one."""
    return sum(line.usd_nano or 0 for line in lines)

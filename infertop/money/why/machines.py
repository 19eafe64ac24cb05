"""What is paid for by the hour: GPUs, energy, the host and reserved throughput; and what belongs to no traffic.

What GPUs of one kind cost an hour is their number times the rate, N x r. Where the work and the utilisation are known,
N = T / (theta x u): T tokens an hour (as that many fresh prompt tokens), theta what a busy GPU-hour serves, u the share
of time that is busy. A fleet that does not grow costs the same whatever it does, so what N did is divided only among
those that pushed it where it went, in proportion to their logarithms: the factors of T, efficiency (-ln theta), and
-ln u, which is the number of GPUs where there are other GPUs than before, else utilisation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infertop.money.weights import TOKEN_WEIGHTS
from infertop.money.why.cells import Amount, Cell, Label, Side
from infertop.money.why.divide import Link, divided
from infertop.money.why.factors import (
    ADJUSTMENTS,
    DEPLOYMENTS,
    EFFICIENCY,
    ENERGY,
    GPU_COUNT,
    GPU_RATE,
    HOST,
    OTHER,
    UTILIZATION,
)
from infertop.money.why.traffic import Contribution, contributions
from infertop.money.why.usage import UsageLine

GPU_TIME = frozenset({"gpu_busy", "gpu_idle", "gpu"})
_MS = 3_600_000
_PLAIN = {"gpu_energy": ENERGY, "host": HOST, "deployment": DEPLOYMENTS, "adjustment": ADJUSTMENTS}


@dataclass(slots=True)
class Pool:
    """GPUs of one kind in one window: how many were held, how many of them were busy, and 1e-9 USD an hour."""

    count: float = 0.0
    busy: float = 0.0
    metered: bool = True
    nano: float = 0.0
    gpus: set[str] = field(default_factory=set)

    def add(self, line: UsageLine) -> None:
        """Add GPU time."""
        hours = line.per_hour / _MS
        self.count += hours
        self.nano += line.nano_per_hour or 0
        self.busy += hours if line.resource == "gpu_busy" else 0.0
        self.metered &= line.resource != "gpu"
        self.gpus.add(line.gpu)

    @property
    def utilization(self) -> float | None:
        """The share of the time in which a kernel ran, None where that was not known."""
        return self.busy / self.count if self.metered and self.count else None


Pools = Mapping[str, tuple[Pool, Pool]]


def pools_of(before: Iterable[UsageLine], after: Iterable[UsageLine]) -> Pools:
    """Return the GPUs of two windows by their kind."""
    found: dict[str, tuple[Pool, Pool]] = {}
    for at, lines in enumerate((before, after)):
        for line in lines:
            found.setdefault(line.pool, (Pool(), Pool()))[at].add(line)
    return found


def gpu_contributions(pools: Pools, own: Mapping[Label, Cell]) -> Iterator[Contribution]:
    """Yield what each factor did to the cost of GPUs; `own` is the traffic of the engines on them."""
    pulls = _pulls(own)
    for name, (before, after) in pools.items():
        label = Label(name)
        rates = [each.nano / each.count if each.count else 0.0 for each in (before, after)]
        if any(each.nano and not each.count for each in (before, after)):
            yield Contribution(OTHER, label, after.nano - before.nano)
            continue
        chain = [Link(GPU_COUNT, before.count, after.count), Link(GPU_RATE, *rates)]
        for factor, nano in divided(before.nano, after.nano, chain).items():
            if factor == GPU_COUNT:
                yield from _of_count(label, before, after, nano, pulls)
            else:
                yield Contribution(factor, label, nano)


def _pulls(own: Mapping[Label, Cell]) -> list[Contribution] | None:
    """Return what the factors of the work did to its logarithm, None where there was none in one of the windows."""
    cells = {label: Cell(_as_work(cell.before), _as_work(cell.after)) for label, cell in own.items()}
    before, after = (sum(cell.sides[at].nano for cell in cells.values()) for at in (0, 1))
    if not (before > 0 and after > 0):
        return None
    per_log = (after - before) / math.log(after / before) if after != before else before
    return [each._replace(nano=each.nano / per_log) for each in contributions(cells)]


def _as_work(side: Side) -> Side:
    """Return a side whose cost is its work."""
    parts = {
        part: Amount(each.quantity, TOKEN_WEIGHTS.get(part.resource, 0.0) * each.quantity)
        for part, each in side.parts.items()
    }
    return Side({way: Amount(each.quantity) for way, each in side.requests.items()}, parts)


def _of_count(
    label: Label, before: Pool, after: Pool, nano: float, pulls: Sequence[Contribution] | None
) -> Iterator[Contribution]:
    """Divide what the number of GPUs did among what moved it there."""
    u0, u1 = before.utilization, after.utilization
    if not (before.count and after.count and u0 and u1 and pulls is not None):
        yield Contribution(GPU_COUNT, label, nano)
        return
    moved = math.log(after.count / before.count)
    work = sum(each.nano for each in pulls)
    others = before.gpus != after.gpus
    busy = math.log(u1 * after.count / (u0 * before.count))
    pushes = [
        *pulls,
        Contribution(EFFICIENCY, label, busy - work),
        Contribution(GPU_COUNT if others else UTILIZATION, label, -math.log(u1 / u0)),
    ]
    along = [each for each in pushes if each.nano * moved > 0]
    whole = sum(each.nano for each in along)
    for each in along:
        yield each._replace(nano=nano * (each.nano / whole))
    if not along and nano:
        yield Contribution(GPU_COUNT, label, nano)


def plain_contributions(before: Iterable[UsageLine], after: Iterable[UsageLine]) -> Iterator[Contribution]:
    """Yield by what it is for what of the change belongs to no factor of traffic or of GPUs."""
    sums: dict[tuple[str, Label], float] = {}
    for sign, lines in ((-1, before), (1, after)):
        for line in lines:
            key = (_PLAIN.get(line.resource, OTHER), Label(line.model or line.dimensions.get("source", "")))
            sums[key] = sums.get(key, 0.0) + sign * (line.nano_per_hour or 0)
    for (factor, label), nano in sums.items():
        if nano:
            yield Contribution(factor, label, nano)

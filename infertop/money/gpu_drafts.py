"""A minute of GPU time and energy, divided among those who held the GPU."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from infertop.money.allocate import GpuUse, Holder, Method, Share, allocate
from infertop.money.drafts import MJ, MS, Dimensions, Draft, basis, price_order
from infertop.money.lines import Basis, Price
from infertop.money.minutes import Energy, GpuSpan, Minute, SpanKey
from infertop.money.parts import split
from infertop.money.traffic import Traffic

BUSY, IDLE, GPU, ENERGY = "gpu_busy", "gpu_idle", "gpu", "gpu_energy"
# What GPUs cost is the sum of these.
GPU_RESOURCES = frozenset({BUSY, IDLE, GPU, ENERGY})
_IDLE_ENERGY = ("state", "idle")


def is_idle(resource: str, dimensions: Dimensions) -> bool:
    """Say whether a line is of GPU time in which nothing ran: that time, or the energy drawn in it."""
    return resource == IDLE or (resource == ENERGY and _IDLE_ENERGY in dimensions)


def gpu_drafts(minute: Minute, traffic: Traffic) -> Iterator[list[Draft]]:
    """Yield the drafts of each whole GPU's time and of each one's energy: what is rounded together."""
    time: dict[str, list[Draft]] = defaultdict(list)
    energy: dict[str, list[Draft]] = defaultdict(list)
    for key, span in sorted(minute.spans.items(), key=lambda item: _order(item[0])):
        shares = allocate(_use(key, span, traffic)).shares
        time[key.root] += _time(key, span, shares)
        for price, drawn in sorted(span.energy.items(), key=lambda item: price_order(item[0])):
            energy[key.root] += _energy(key, drawn, price, shares)
    yield from time.values()
    yield from energy.values()


def _order(key: SpanKey) -> tuple[object, ...]:
    return (key.meter, key.root, key.gpu, key.slices or 0, price_order(key.price), key.held, key.metered)


def _use(key: SpanKey, span: GpuSpan, traffic: Traffic) -> GpuUse:
    holders = tuple(
        Holder(source, traffic.models(source, key.gpu), held.byte_ms, held.sm_ms)
        for source, held in sorted(span.holders.items())
    )
    return GpuUse(key.gpu, span.ms, span.busy_ms if key.metered else None, holders, key.meter)


def _dimensions(key: SpanKey) -> Dimensions:
    """Return what a line says of its GPU; without the slices a part of a GPU could not be priced again."""
    slices = () if key.slices is None else (("slices", str(key.slices)),)
    return (("gpu", key.gpu), *slices)


def _time(key: SpanKey, span: GpuSpan, shares: tuple[Share, ...]) -> Iterator[Draft]:
    gpu = _dimensions(key)
    if not key.metered:
        for share, ms in zip(shares, split(span.ms, [each.busy for each in shares]), strict=True):
            yield Draft(share.source, share.model, GPU, gpu, ms, MS, key.price, basis(share.busy_by))
        return
    busy, idle = _divided(span.ms, span.busy_ms, shares)
    for share, busy_ms, idle_ms in zip(shares, busy, idle, strict=True):
        yield Draft(share.source, share.model, BUSY, gpu, busy_ms, MS, key.price, basis(share.busy_by))
        yield Draft(share.source, share.model, IDLE, gpu, idle_ms, MS, key.price, basis(share.idle_by))


def _energy(key: SpanKey, drawn: Energy, price: Price | None, shares: tuple[Share, ...]) -> Iterator[Draft]:
    """Divide energy as time is divided; that of idle time stands apart where the two can be told apart."""
    gpu = _dimensions(key)
    in_idle = tuple(sorted((*gpu, _IDLE_ENERGY)))
    busy, idle = _divided(round(drawn.busy + drawn.idle), drawn.busy, shares)
    for share, busy_mj, idle_mj in zip(shares, busy, idle, strict=True):
        who = (share.source, share.model, ENERGY)
        if not key.metered:
            both = _basis(drawn, (*share.busy_by, *share.idle_by))
            yield Draft(*who, gpu, busy_mj + idle_mj, MJ, price, both)
        else:
            yield Draft(*who, gpu, busy_mj, MJ, price, _basis(drawn, share.busy_by))
            yield Draft(*who, in_idle, idle_mj, MJ, price, _basis(drawn, share.idle_by))


def _basis(drawn: Energy, steps: Iterable[Method]) -> Basis:
    return Basis.ESTIMATED if drawn.guessed else basis(steps)


def _divided(total: int, busy: float, shares: tuple[Share, ...]) -> tuple[list[int], list[int]]:
    """Return the busy and the idle units of each share; all together they are `total`."""
    busy_units = min(round(busy), total)
    return (
        split(busy_units, [share.busy for share in shares]),
        split(total - busy_units, [share.idle or 0.0 for share in shares]),
    )

"""What an hour of a GPU in a batch costs: by its name, its memory, and how much of the whole it is."""

from __future__ import annotations

from collections.abc import Sequence

from infertop.money.gpu_rate import GpuRate
from infertop.money.gpu_rates import gpu_key, mig_slices
from infertop.money.gpu_shape import GpuAt, reading
from infertop.money.rates import PriceBook
from infertop.readings.model import Value

_UNKNOWN_PART = "no price, because how many compute slices of its GPU it has is not known"


def slices_of(at: GpuAt, values: Sequence[Value]) -> int | None:
    """Return the compute slices of a MIG instance, or those that a GPU has left; None where it is whole or unknown."""
    said = reading(values, at.slices)
    if said is not None:
        return int(said)
    return mig_slices(at.name) if at.parent else None


def rate_of(at: GpuAt, values: Sequence[Value], prices: PriceBook, ts: float) -> GpuRate:
    """Return the rate of a GPU or MIG instance at `ts`; a part of unknown size has no price."""
    slices = slices_of(at, values)
    if slices is None and (at.parent or at.instances):
        return GpuRate(None, False, gpu_key(at.name), (_UNKNOWN_PART,))
    memory = reading(values, at.memory)
    return prices.gpu_rate(at.name, None if memory is None else int(memory), slices, ts=ts)

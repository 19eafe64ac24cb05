"""What an hour of a GPU in a batch costs: by its name, its memory, and how much of the whole it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infertop.money.gpu_rates import gpu_key, mig_slices
from infertop.money.gpu_shape import GpuAt, reading
from infertop.money.rates import GpuRate, PriceBook
from infertop.readings.model import Value

_UNKNOWN_PART = "no price, because how many compute slices of its GPU it has is not known"


def slices_of(at: GpuAt, values: Sequence[Value]) -> int | None:
    """Return the compute slices of a MIG instance, or those that a GPU has left; None where it is whole or unknown."""
    said = reading(values, at.slices)
    if said is not None:
        return int(said)
    return mig_slices(at.name) if at.parent else None


def rate_of(at: GpuAt, values: Sequence[Value], prices: PriceBook) -> GpuRate:
    """Return the rate of a GPU or MIG instance; a part of unknown size has no price."""
    slices = slices_of(at, values)
    if slices is None and (at.parent or at.instances):
        return GpuRate(None, False, gpu_key(at.name), (_UNKNOWN_PART,))
    memory = reading(values, at.memory)
    return prices.gpu_rate(at.name, None if memory is None else int(memory), slices)


def spread_watts(
    gpus: Sequence[GpuAt], values: Sequence[Value], watts: Mapping[str, float | None]
) -> dict[str, float | None]:
    """Return the watts of each GPU and instance: only a whole GPU measures them, its parts share them by slices."""
    found = dict(watts)
    by_gpu = {at.gpu: at for at in gpus}
    for at in gpus:
        whole = watts.get(at.gpu)
        parts = [at, *(by_gpu[each] for each in at.instances)]
        slices = [slices_of(part, values) for part in parts]
        known = [each for each in slices if each is not None]
        if not at.instances or whole is None or len(known) < len(slices) or not sum(known):
            continue
        for part, each in zip(parts, known, strict=True):
            found[part.gpu] = whole * each / sum(known)
    return found

"""What GPUs cost an hour over a live window, by model: the ledger's way of dividing, applied to a window of State."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from infertop.money.allocate import Allocation

Who = tuple[str, str | None]


class ModelSpend(NamedTuple):
    """A model's $/hour on the GPUs that have a price; `usage` leaves idle time out.

    None where none of its GPUs has a price; `usage` also where the utilisation of one of them is unknown. `gpus` are
    all that it is on.
    """

    all_in: float | None
    usage: float | None
    gpus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GpuSpend:
    """What GPUs cost an hour, None where none has a price.

    All models' `all_in` + `unheld` = `gpu`. Where every utilisation is known, all models' `usage` + `idle` + `foreign`
    = `gpu`: `foreign` is the part of `unheld` in which something ran that belongs to no source. `idle` leaves out
    GPUs whose utilisation is unknown.
    """

    gpu: float | None = None
    idle: float | None = None
    unheld: float | None = None
    foreign: float | None = None
    models: Mapping[Who, ModelSpend] = field(default_factory=dict)


def gpu_spend(allocated: Iterable[tuple[Allocation, float | None]]) -> GpuSpend:
    """Return what models and idle time cost, given each GPU's allocation and its USD an hour, None where unknown."""
    every = list(allocated)
    known = [(allocation, usd) for allocation, usd in every if usd is not None]
    unheld = [(each, usd) for each, usd in known if not each.held]
    return GpuSpend(
        gpu=_sum(usd for _, usd in known),
        idle=_sum(usd * share.idle for each, usd in known for share in each.shares if share.idle is not None),
        unheld=sum(usd for _, usd in unheld) if known else None,
        foreign=sum(usd * share.busy for each, usd in unheld for share in each.shares if share.idle is not None)
        if known
        else None,
        models=_models(every),
    )


def _models(allocated: Iterable[tuple[Allocation, float | None]]) -> dict[Who, ModelSpend]:
    all_in: dict[Who, list[float]] = defaultdict(list)
    usage: dict[Who, list[float | None]] = defaultdict(list)
    gpus: dict[Who, dict[str, None]] = defaultdict(dict)
    for allocation, usd in allocated:
        for share in allocation.shares if allocation.held else ():
            who = (share.source, share.model)
            gpus[who][allocation.gpu] = None
            if usd is not None:
                all_in[who].append(usd * share.all_in)
                usage[who].append(None if share.idle is None else usd * share.busy)
    return {who: ModelSpend(_sum(all_in[who]), _whole(usage[who]), tuple(on)) for who, on in gpus.items()}


def _sum(amounts: Iterable[float]) -> float | None:
    known = list(amounts)
    return sum(known) if known else None


def _whole(amounts: Iterable[float | None]) -> float | None:
    every = list(amounts)
    known = [amount for amount in every if amount is not None]
    return sum(known) if known and len(known) == len(every) else None

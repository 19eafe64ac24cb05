"""What is shown of one model and of one GPU: plain values, as `shapes.py` has them for tables."""

from __future__ import annotations

from dataclasses import dataclass

from infertop.views.shapes import Event, Explained, GpuRow, ModelRow, Spark


@dataclass(frozen=True, slots=True)
class ModelPage:
    """A model drilled into.

    `history` maps "usd_per_hour", "input", "cache_read", "output" (tokens/s) and "requests" (a second) to bins
    over `times`, the starts of the bins. `prefill_usd_per_hour` and `decode_usd_per_hour` are the parts of its $/hour
    that prompts and generation cost, told apart by `split_method`. `not_reported` is what an engine of its kind never
    says, `not_shown` what it could say and does not (yet), `caveats` are sentences about what its figures mean.
    """

    at: float
    row: ModelRow
    gpus: tuple[GpuRow, ...]
    split_method: str
    allocation_note: str
    times: tuple[float, ...]
    history: dict[str, Spark]
    events: tuple[Event, ...]
    explained: tuple[Explained, ...]
    not_reported: tuple[str, ...] = ()
    not_shown: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    price_notes: tuple[str, ...] = ()
    prefill_usd_per_hour: float | None = None
    decode_usd_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class GpuHistory:
    """What a GPU did: `meters` maps the registry's names of its gauges to bins over `times`, the starts of the bins."""

    uuid: str
    times: tuple[float, ...]
    meters: dict[str, Spark]

"""Whom a GPU's time goes to: its busy part by work done on it, its idle part by memory held.

Pure, for any span: the ledger allocates a minute, the live view a window. Formula (b: busy share of the GPU's time,
w: work, m: memory times the time it was held): share_j = b * w_j / sum(w) + (1 - b) * m_j / sum(m).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """By what a part was divided: the words that the screen shows."""

    SM_TIME = "measured SM time"
    GPU_TIME = "measured GPU time"
    TOKENS = "weighted tokens"
    REQUESTS = "requests"
    MEMORY = "memory held"
    EQUAL = "equal"


# What stands in for a measurement of the GPU itself.
ESTIMATES = frozenset({Method.TOKENS, Method.REQUESTS, Method.EQUAL})


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What a model did in the span; None where its engine does not report it.

    `compute_seconds` is its GPU time on this GPU. `token_weight` is its tokens by `weighted_tokens`.
    """

    model: str | None
    compute_seconds: float | None = None
    token_weight: float | None = None
    requests: float | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A source that has processes on the GPU: memory times the time it was held, and SM utilisation times time.

    Where some of its models have `compute_seconds`, the others are not on this GPU. Without models it is one that is
    not known (an engine that is still loading).
    """

    source: str
    models: tuple[ModelUse, ...] = ()
    memory_byte_seconds: float | None = None
    busy_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class GpuUse:
    """One GPU (or MIG instance) over a span of `seconds`; `busy_seconds` is None where utilisation is not known.

    `meter` is the source that reads the GPU: time in which nobody holds memory is put down to it.
    """

    gpu: str
    seconds: float
    busy_seconds: float | None
    holders: tuple[Holder, ...] = ()
    meter: str = "nvml"


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the GPU's span, between 0 and 1: `busy` of it in use, `idle` of it not.

    Where utilisation is not known, `idle` is None and `busy` is the whole part. `busy_by` and `idle_by` say how the
    part was come by, step by step; they are empty where there was nobody to share with.
    """

    source: str
    model: str | None
    busy: float
    idle: float | None
    busy_by: tuple[Method, ...] = ()
    idle_by: tuple[Method, ...] = ()

    @property
    def all_in(self) -> float:
        """The part of the GPU's cost that this model carries when idle time is divided too."""
        return self.busy + (self.idle or 0.0)


@dataclass(frozen=True, slots=True)
class Allocation:
    """Whom one GPU's span goes to: busy and idle of all shares sum to 1. `held` is False where no source is on it."""

    gpu: str
    shares: tuple[Share, ...]
    held: bool

    @property
    def method(self) -> str:
        """By what the GPU is divided, in words; empty where there is nothing to divide."""
        busy = list(dict.fromkeys(step for share in self.shares for step in share.busy_by))
        idle = list(dict.fromkeys(step for share in self.shares for step in share.idle_by))
        parts = [f"{what} by {', then '.join(by)}" for what, by in (("busy", busy), ("idle", idle)) if by]
        return ", ".join(parts)


def allocate(use: GpuUse) -> Allocation:
    """Return whom the GPU's span goes to.

    The busy part goes to holders by measured SM time, else by their models' measured GPU time, else by weighted
    tokens, else by requests, else equally; within a holder to its models by measured GPU time, and so on. A measure
    counts where all have it and somebody's is above 0. The idle part goes to holders by memory, to the models of one
    holder equally. Without utilisation all of it goes as the busy part does.
    """
    busy = _busy_share(use)
    held = bool(use.holders)
    parts = _parts(use.holders) if held else [_Part(use.meter, None, 1.0, (), 1.0, ())]
    shares = (
        Share(each.source, each.model, each.work, None, each.busy_by)
        if busy is None
        else Share(each.source, each.model, busy * each.work, (1.0 - busy) * each.memory, each.busy_by, each.idle_by)
        for each in parts
    )
    return Allocation(use.gpu, tuple(shares), held)


@dataclass(frozen=True, slots=True)
class _Part:
    """A model's part of all work on the GPU, and of all memory held on it."""

    source: str
    model: str | None
    work: float
    busy_by: tuple[Method, ...]
    memory: float
    idle_by: tuple[Method, ...]


def _busy_share(use: GpuUse) -> float | None:
    if use.busy_seconds is None or not math.isfinite(use.busy_seconds):
        return None
    return min(max(use.busy_seconds / use.seconds, 0.0), 1.0) if use.seconds > 0 else 0.0


def _parts(holders: Sequence[Holder]) -> list[_Part]:
    models = [_models_here(each) for each in holders]
    work, work_by = _divide(
        (Method.SM_TIME, [each.busy_seconds for each in holders]),
        (Method.GPU_TIME, [_sum([one.compute_seconds for one in each]) for each in models]),
        (Method.TOKENS, [_sum([one.token_weight for one in each]) for each in models]),
        (Method.REQUESTS, [_sum([one.requests for one in each]) for each in models]),
    )
    memory, memory_by = _divide((Method.MEMORY, [each.memory_byte_seconds for each in holders]))
    parts = []
    for i, holder in enumerate(holders):
        inside, inside_by = _divide(
            (Method.GPU_TIME, [one.compute_seconds for one in models[i]]),
            (Method.TOKENS, [one.token_weight for one in models[i]]),
            (Method.REQUESTS, [one.requests for one in models[i]]),
        )
        even, even_by = _divide((Method.MEMORY, [None] * len(models[i])))
        parts += [
            _Part(
                holder.source,
                one.model,
                work[i] * inside[k],
                _steps(work_by, inside_by),
                memory[i] * even[k],
                _steps(memory_by, even_by),
            )
            for k, one in enumerate(models[i])
        ]
    return parts


def _models_here(holder: Holder) -> tuple[ModelUse, ...]:
    measured = tuple(each for each in holder.models if each.compute_seconds is not None)
    return measured or holder.models or (ModelUse(None),)


def _divide(*measures: tuple[Method, Sequence[float | None]]) -> tuple[list[float], Method | None]:
    """Return parts that sum to 1 by the first measure that all have and that is above 0 for somebody, and which."""
    count = len(measures[0][1])
    if count == 1:
        return [1.0], None
    for method, values in measures:
        known = [max(value, 0.0) for value in values if value is not None and math.isfinite(value)]
        whole = sum(known)
        if len(known) == count and 0 < whole < math.inf:
            return [value / whole for value in known], method
    return [1.0 / count] * count, Method.EQUAL


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _steps(*steps: Method | None) -> tuple[Method, ...]:
    return tuple(dict.fromkeys(step for step in steps if step is not None))

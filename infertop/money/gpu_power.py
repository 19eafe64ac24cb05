"""How many watts a GPU drew on average over a span, and how that is known.

The energy counter is exact. Without one, power is taken to have changed evenly from reading to reading (the trapezoid
rule). Without either, an owned GPU is taken to have drawn its power limit, the most it can have: an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from infertop.money.gpu_price import slices_of
from infertop.money.gpu_shape import GpuAt
from infertop.readings.model import Value

# Above what any GPU draws: a reading beyond it is a fault of the meter.
_ABSURD_WATTS = 10_000.0


class PowerBy(StrEnum):
    """By what power is known: the words that the screen shows, after the name of the meter that tells."""

    COUNTER = "energy counter"
    READINGS = "power readings"
    LIMIT = "power limit"


class Drawn(NamedTuple):
    """Mean watts of a GPU. Of a MIG instance, `part` are its slices and all that are in use or left of its GPU.

    `whole_watts` are those of the whole GPU, which alone measures them.
    """

    whole_watts: float
    by: PowerBy
    part: tuple[int, int] | None = None

    @property
    def watts(self) -> float:
        """The watts of this GPU or instance: instances share those of their GPU by slices."""
        return self.whole_watts if self.part is None else self.whole_watts * self.part[0] / self.part[1]

    @property
    def guessed(self) -> bool:
        """Whether this was not measured."""
        return self.by is PowerBy.LIMIT


def drawn(counted: float | None, sampled: float | None, limit: float | None) -> Drawn | None:
    """Return the mean watts by the first that is known and can be true, None where none is.

    `counted` is the increase of the energy counter a second, `sampled` the mean of power readings, `limit` the power
    limit; all in watts.
    """
    known = ((counted, PowerBy.COUNTER), (sampled, PowerBy.READINGS), (limit, PowerBy.LIMIT))
    return next((Drawn(watts, by) for watts, by in known if watts is not None and 0 <= watts <= _ABSURD_WATTS), None)


def between(before: float | None, now: float | None) -> float | None:
    """Return the mean of what changed evenly from one reading to the next; of one reading alone, that one."""
    if before is None or now is None:
        return before if now is None else now
    return (before + now) / 2


def share_out(
    gpus: Sequence[GpuAt], values: Sequence[Value], whole: Mapping[str, Drawn | None]
) -> dict[str, Drawn | None]:
    """Return what each GPU and instance drew: only a whole GPU measures it, its parts share it by slices."""
    found = dict(whole)
    by_gpu = {at.gpu: at for at in gpus}
    for at in gpus:
        of = whole.get(at.gpu)
        parts = [at, *(by_gpu[each] for each in at.instances)]
        slices = [slices_of(part, values) for part in parts]
        known = [each for each in slices if each is not None]
        if not at.instances or of is None or len(known) < len(slices) or not sum(known):
            continue
        for part, each in zip(parts, known, strict=True):
            found[part.gpu] = of._replace(part=(each, sum(known)))
    return found

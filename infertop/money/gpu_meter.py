"""How long which GPU was there, busy, and held by whom: what NVML's polls add to a minute.

A GPU's time runs from one poll to the next in which it is still there. NVML looks back (utilisation and SM time are
averages of the time before the poll), so what a poll says holds for the time since the one before.

MIG: an instance carries the price of its slices, its parent that of the rest, where nothing can run: it is idle and
held by nobody. Only the whole GPU measures energy: it is divided by slices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from infertop.money.gpu_price import rate_of, slices_of, spread_watts
from infertop.money.gpu_shape import GpuAt, GpuShape, HolderAt, gpu_shape, reading
from infertop.money.lines import Price
from infertop.money.minutes import Energy, GpuSpan, Held, Minute, Minutes, SpanKey, Terms, milliseconds, pieces
from infertop.money.rates import PriceBook
from infertop.readings.model import Batch, Value

_EMPTY = GpuShape((), ())
# Above what any GPU draws: a reading beyond it is a fault of the meter.
_ABSURD_WATTS = 10_000.0

Values = tuple[Value, ...]


class _Now(NamedTuple):
    """What a poll says of one GPU; `watts` is the mean power since the poll before, None where it is unknown."""

    key: SpanKey
    utilization: float | None
    watts: float | None
    owned: bool
    holders: tuple[HolderAt, ...]


class GpuMeter:
    """The GPUs of one source (NVML)."""

    def __init__(self, source: str, gap_seconds: float) -> None:
        self.source = source
        self._gap_ms = milliseconds(gap_seconds)
        self._shape: GpuShape = _EMPTY
        self._ms: int | None = None
        self._joules: dict[str, float | None] = {}

    def advance(self, batch: Batch, minutes: Minutes, terms: Terms) -> None:
        """Add the time since the last poll; after a hole nothing is added, because it is not known."""
        if batch.series is not self._shape.series and batch.series != self._shape.series:
            self._shape = gpu_shape(batch.series)
        now = milliseconds(batch.ts)
        joules = {each.gpu: reading(batch.values, each.energy) for each in self._shape.gpus}
        if self._ms is not None and now - self._ms <= self._gap_ms:
            watts = self._watts(batch.values, joules, now - self._ms)
            here = list(self._readings(batch.values, watts, terms.prices))
            for start, ms in pieces(self._ms, now):
                minute = minutes.at(start)
                energy_price = terms.prices.energy_price(start / 1000) if any(each.owned for each in here) else None
                for each in here:
                    span = minute.span(each.key)
                    _add(span, each, ms, energy_price if each.owned else None)
                    _hold(span, minute, each.holders, batch.values, ms, terms)
        self._ms, self._joules = now, joules

    def dump(self) -> dict[str, Any]:
        """Return what `load` needs to go on from here, JSON-able."""
        return {"ms": self._ms, "joules": self._joules}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` returned."""
        self._ms, self._joules = state["ms"], dict(state["joules"])

    def _readings(self, values: Values, watts: dict[str, float | None], prices: PriceBook) -> Iterator[_Now]:
        """Yield what this poll says of each GPU that was there at the last one too."""
        for at in self._shape.gpus:
            slices = slices_of(at, values)
            if at.gpu not in self._joules or (at.instances and slices == 0):
                continue
            rate = rate_of(at, values, prices)
            utilization = 0.0 if at.instances else reading(values, at.utilization)
            holders = () if at.instances else at.holders
            key = SpanKey(self.source, at.gpu, at.root, slices, rate.price, bool(holders), utilization is not None)
            busy = None if utilization is None else min(utilization, 1.0)
            yield _Now(key, busy, watts[at.gpu], rate.owned, holders)

    def _watts(self, values: Values, joules: dict[str, float | None], ms: int) -> dict[str, float | None]:
        """Return the mean power since the last poll: by the energy counter, else what the poll says."""
        watts = {at.gpu: self._mean_watts(values, at, joules[at.gpu], ms) for at in self._shape.gpus}
        return spread_watts(self._shape.gpus, values, watts)

    def _mean_watts(self, values: Values, at: GpuAt, joules: float | None, ms: int) -> float | None:
        before = self._joules.get(at.gpu)
        if joules is not None and before is not None and ms:
            counted = (joules - before) * 1000 / ms
            if 0 <= counted <= _ABSURD_WATTS:
                return counted
        drawn = reading(values, at.power)
        return drawn if drawn is not None and drawn <= _ABSURD_WATTS else None


def _add(span: GpuSpan, now: _Now, ms: int, energy_price: Price | None) -> None:
    """Add time and energy; the energy of idle time is told from that of busy time by utilisation."""
    busy = 1.0 if now.utilization is None else now.utilization
    span.ms += ms
    span.busy_ms += 0.0 if now.utilization is None else busy * ms
    if now.watts is None:
        return
    energy = span.energy.setdefault(energy_price, Energy())
    energy.busy += now.watts * ms * busy
    energy.idle += now.watts * ms * (1.0 - busy)


def _hold(span: GpuSpan, minute: Minute, holders: Sequence[HolderAt], values: Values, ms: int, terms: Terms) -> None:
    """Add who held the GPU, with how much memory, and for how much SM time."""
    for at in holders:
        held = span.holders.setdefault(at.source, Held())
        memory, utilization = reading(values, at.memory), reading(values, at.utilization)
        if memory is not None:
            held.byte_ms = (held.byte_ms or 0.0) + memory * ms
        if utilization is not None:
            held.sm_ms = (held.sm_ms or 0.0) + utilization * ms
        if at.source not in minute.models and at.source not in minute.inherited:
            minute.inherited[at.source] = terms.models_of(at.source)

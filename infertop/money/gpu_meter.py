"""How long which GPU was there, busy, and held by whom: what NVML's polls add to a minute.

A GPU's time runs from one poll to the next in which it is still there. NVML looks back (utilisation and SM time are
averages of the time before the poll), so what a poll says holds for the time since the one before.

MIG: an instance carries the price of its slices, its parent that of the rest, where nothing can run: it is idle and
held by nobody. Only the whole GPU measures energy: it is divided by slices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from infertop.money.gpu_power import Drawn, between, drawn, share_out
from infertop.money.gpu_price import rate_of, slices_of
from infertop.money.gpu_shape import GpuShape, HolderAt, gpu_shape, reading
from infertop.money.lines import Price
from infertop.money.minutes import Energy, GpuSpan, Held, Minute, Minutes, SpanKey, Terms, milliseconds, pieces
from infertop.money.rates import PriceBook
from infertop.readings.model import Batch, Value

_EMPTY = GpuShape((), ())

Values = tuple[Value, ...]


class _Now(NamedTuple):
    """What a poll says of one GPU; `drawn` is the mean power since the poll before, None where it is unknown."""

    key: SpanKey
    utilization: float | None
    drawn: Drawn | None
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
        self._watts: dict[str, float | None] = {}

    def advance(self, batch: Batch, minutes: Minutes, terms: Terms) -> None:
        """Add the time since the last poll; after a hole nothing is added, because it is not known."""
        if batch.series is not self._shape.series and batch.series != self._shape.series:
            self._shape = gpu_shape(batch.series)
        now = milliseconds(batch.ts)
        joules = {each.gpu: reading(batch.values, each.energy) for each in self._shape.gpus}
        watts = {each.gpu: reading(batch.values, each.power) for each in self._shape.gpus}
        if self._ms is not None and now - self._ms <= self._gap_ms:
            power = self._power(batch.values, joules, watts, now - self._ms)
            for start, ms in pieces(self._ms, now):
                here = list(self._readings(batch.values, power, terms.prices, start / 1000))
                minute = minutes.at(start)
                energy_price = terms.prices.energy_price(start / 1000) if any(each.owned for each in here) else None
                for each in here:
                    span = minute.span(each.key)
                    _add(span, each, ms, energy_price if each.owned else None)
                    _hold(span, minute, each.holders, batch.values, ms, terms)
        self._ms, self._joules, self._watts = now, joules, watts

    def dump(self) -> dict[str, Any]:
        """Return what `load` needs to go on from here, JSON-able."""
        return {"ms": self._ms, "joules": self._joules, "watts": self._watts}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` returned."""
        self._ms, self._joules, self._watts = state["ms"], dict(state["joules"]), dict(state.get("watts", {}))

    def _readings(self, values: Values, power: dict[str, Drawn | None], prices: PriceBook, ts: float) -> Iterator[_Now]:
        """Yield what this poll says of each GPU that was there at the last one too."""
        for at in self._shape.gpus:
            slices = slices_of(at, values)
            if at.gpu not in self._joules or (at.instances and slices == 0):
                continue
            rate = rate_of(at, values, prices, ts)
            utilization = 0.0 if at.instances else reading(values, at.utilization)
            holders = () if at.instances else at.holders
            key = SpanKey(self.source, at.gpu, at.root, slices, rate.price, bool(holders), utilization is not None)
            busy = None if utilization is None else min(utilization, 1.0)
            here = power[at.gpu]
            # A rent includes the energy: what nobody pays for is not worth a guess.
            yield _Now(key, busy, here if here and (rate.owned or not here.guessed) else None, rate.owned, holders)

    def _power(
        self, values: Values, joules: dict[str, float | None], watts: dict[str, float | None], ms: int
    ) -> dict[str, Drawn | None]:
        """Return what each GPU and instance drew since the last poll, `ms` ago."""
        whole = {
            at.gpu: drawn(
                _a_second(self._joules.get(at.gpu), joules[at.gpu], ms),
                between(self._watts.get(at.gpu), watts[at.gpu]),
                reading(values, at.limit),
            )
            for at in self._shape.gpus
        }
        return share_out(self._shape.gpus, values, whole)


def _a_second(before: float | None, now: float | None, ms: int) -> float | None:
    return (now - before) * 1000 / ms if before is not None and now is not None and ms else None


def _add(span: GpuSpan, now: _Now, ms: int, energy_price: Price | None) -> None:
    """Add time and energy; the energy of idle time is told from that of busy time by utilisation."""
    busy = 1.0 if now.utilization is None else now.utilization
    span.ms += ms
    span.busy_ms += 0.0 if now.utilization is None else busy * ms
    if now.drawn is None:
        return
    energy = span.energy.setdefault(energy_price, Energy())
    energy.busy += now.drawn.watts * ms * busy
    energy.idle += now.drawn.watts * ms * (1.0 - busy)
    energy.guessed = energy.guessed or now.drawn.guessed


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

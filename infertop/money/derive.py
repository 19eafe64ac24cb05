"""From the tape to the ledger: a fold over batches in order of time that yields the lines of each minute.

The same batches with the same prices give the same lines, whether derived in one go or taken up from a saved state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from infertop.money.engine_meter import EngineMeter
from infertop.money.engine_shape import is_engine
from infertop.money.gpu_meter import GpuMeter
from infertop.money.gpu_shape import is_gpus
from infertop.money.host_meter import HostMeter, is_host
from infertop.money.lines import Line
from infertop.money.minute_lines import lines_of
from infertop.money.minutes import Minutes, Terms, milliseconds
from infertop.money.minutes_state import dump_minute, load_minute
from infertop.money.price_history import PriceHistory
from infertop.money.rates import PriceBook
from infertop.money.repriced_minute import reprice_minute
from infertop.money.repricing import Repricing
from infertop.money.statement_lines import PricedBefore, statement_lines
from infertop.money.traffic import model_order
from infertop.money.weights import TOKEN_WEIGHTS
from infertop.readings.increase import EMPTY_PAGES
from infertop.readings.model import Batch, Series, Statement

GAP_SECONDS = 15.0
_VERSION = 1


class Meter(Protocol):
    """What turns the batches of one source into entries of minutes."""

    def advance(self, batch: Batch, minutes: Minutes, terms: Terms) -> None:
        """Add what happened since the source's last batch."""
        ...

    def dump(self) -> dict[str, Any]:
        """Return its state, JSON-able."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` returned."""
        ...


# What a source is, by what it says; the first that fits.
_KINDS: Mapping[str, tuple[Callable[[tuple[Series, ...]], bool], Callable[[str, float], Meter]]] = {
    "gpus": (is_gpus, GpuMeter),
    "host": (is_host, HostMeter),
    "engine": (is_engine, EngineMeter),
}


class Deriver:
    """The fold. `prices` and `local_sources` may be replaced at any time: batches that come later follow them.

    `gap_seconds` says for a source how long a hole in its polls may be. `local_sources` are the engines on this
    machine: those that hold no GPU carry the host's cost.
    """

    def __init__(
        self,
        prices: PriceBook,
        *,
        gap_seconds: Callable[[str], float] = lambda _source: GAP_SECONDS,
        local_sources: Collection[str] = frozenset(),
        weights: Mapping[str, float] = TOKEN_WEIGHTS,
    ) -> None:
        self.prices = prices
        self.history: PriceHistory | None = None
        self.local_sources = local_sources
        self._gap_seconds = gap_seconds
        self._weights = weights
        self._minutes = Minutes()
        self._meters: dict[str, tuple[str, Meter]] = {}
        self._last: dict[str, float] = {}
        self._silent: dict[str, int] = {}  # sources by how many batches without a series they began with

    @property
    def watermark(self) -> int:
        """The end of the last closed minute, in epoch seconds; 0 where none was closed."""
        return self._minutes.watermark

    def advance(self, batch: Batch) -> None:
        """Take the next batch; one that is not newer than the last of its source was taken already and adds nothing."""
        source, ts = batch.source, batch.ts
        before = self._last.get(source)
        meter = self._meter(batch)
        if meter is None or (before is not None and ts <= before):
            return
        self._last[source] = ts
        meter.advance(batch, self._minutes, Terms(self.prices, self.local_sources, self._models_of))
        if before is not None and ts - before <= self._gap_seconds(source):
            self._minutes.cover(milliseconds(before), milliseconds(ts))

    def statement_lines(self, statement: Statement, before: PricedBefore | None = None) -> list[Line]:
        """Return the lines of a statement; `before` tells what a line like this was priced by."""
        if self.history is None or self.history.newest is not self.prices:
            self.history = PriceHistory(self.prices)
        return statement_lines(statement, self.history, before)

    def open_lines(self) -> list[Line]:
        """Return the lines of all minutes that are not closed, as far as they are known.

        They replace what was returned for these minutes before: amounts move between lines while a minute goes on.
        """
        return [line for start in sorted(self._minutes.by_start) for line in self._lines(start)]

    def close_before(self, ts: float) -> list[Line]:
        """Return the final lines of the minutes that end at or before `ts`, and forget those minutes.

        What comes too late for them is booked in the first open minute. A minute is best closed when every source has
        been polled after its end, or a gap's length later.
        """
        return [line for minute in self._minutes.take_before(ts) for line in lines_of(minute, self._weights)]

    def open_minutes(self) -> list[int]:
        """Return the starts of the minutes that are not closed."""
        return sorted(self._minutes.by_start)

    def coverage_ms(self, minute: int) -> int:
        """Return the milliseconds of an open minute in which a source was polled without a gap; 0 for others."""
        found = self._minutes.by_start.get(minute)
        return found.coverage_ms() if found else 0

    def reprice(self, repricing: Repricing) -> None:
        """Take other prices from now on; in open minutes they also hold for what had none, or a default one."""
        self.prices, self.history = repricing.prices, repricing.history
        for minute in self._minutes.by_start.values():
            reprice_minute(minute, repricing)

    def forget(self, source: str) -> None:
        """Take the next batch of a source for its first, because another server has its name now."""
        self._meters.pop(source, None)
        self._last.pop(source, None)
        self._silent.pop(source, None)

    def dump(self) -> dict[str, Any]:
        """Return the state after the last batch, open minutes included, JSON-able."""
        return {
            "version": _VERSION,
            "watermark": self._minutes.watermark,
            "deployed_ms": self._minutes.deployed_ms,
            "last": dict(self._last),
            "silent": dict(self._silent),
            "meters": {source: [kind, meter.dump()] for source, (kind, meter) in self._meters.items()},
            "minutes": [dump_minute(minute) for _, minute in sorted(self._minutes.by_start.items())],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `dump` returned, in place of what is here.

        ValueError where it is of another version; KeyError, TypeError or ValueError where it is no such state.
        """
        if state.get("version") != _VERSION:
            raise ValueError(f"the saved state has version {state.get('version')!r}, this infertop reads {_VERSION}")
        minutes = Minutes()
        minutes.watermark = state["watermark"]
        minutes.deployed_ms = state.get("deployed_ms", 0)
        minutes.by_start = {minute.start: minute for minute in map(load_minute, state["minutes"])}
        meters: dict[str, tuple[str, Meter]] = {}
        for source, (kind, of_meter) in state["meters"].items():
            meter = _KINDS[kind][1](source, self._gap_seconds(source))
            meter.load(of_meter)
            meters[source] = (kind, meter)
        self._last, self._silent = dict(state["last"]), dict(state.get("silent", {}))
        self._minutes, self._meters = minutes, meters

    def _lines(self, start: int) -> list[Line]:
        return lines_of(self._minutes.by_start[start], self._weights)

    def _meter(self, batch: Batch) -> Meter | None:
        """Return the meter of the batch's source, made by what its first telling batch says."""
        known = self._meters.get(batch.source)
        if known is not None:
            return known[1]
        for kind, (fits, make) in _KINDS.items():
            if fits(batch.series):
                meter = make(batch.source, self._gap_seconds(batch.source))
                self._meters[batch.source] = (kind, meter)
                if isinstance(meter, EngineMeter) and self._silent.pop(batch.source, 0) >= EMPTY_PAGES:
                    meter.begin()
                return meter
        silent = 0 if batch.series else self._silent.get(batch.source, 0) + 1
        self._silent[batch.source] = min(silent, EMPTY_PAGES)
        return None

    def _models_of(self, source: str) -> tuple[str | None, ...]:
        meter = self._meters.get(source, ("", None))[1]
        return tuple(sorted(meter.models, key=model_order)) if isinstance(meter, EngineMeter) else ()

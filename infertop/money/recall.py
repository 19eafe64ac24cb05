"""The ledger of a span that was not recorded: a fold of its own over what is read back of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from infertop.money.derive import Deriver
from infertop.money.lines import Line
from infertop.money.rates import PriceBook
from infertop.readings.model import Batch

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Folded:
    """Final lines, and the recorded milliseconds of their minutes."""

    lines: tuple[Line, ...]
    covered_ms: Mapping[int, int]


def fold(
    batches: Iterable[Batch], prices: PriceBook, gap_seconds: float, local_sources: Collection[str] = frozenset()
) -> Folded:
    """Derive the lines of these batches alone; the first of each source is the baseline of its counters."""
    deriver = Deriver(prices, gap_seconds=lambda _source: gap_seconds, local_sources=local_sources)
    last = 0.0
    for batch in sorted(batches, key=lambda each: each.ts):
        deriver.advance(batch)
        last = batch.ts
    covered = {minute: deriver.coverage_ms(minute) for minute in deriver.open_minutes()}
    return Folded(tuple(deriver.close_before(last + _MINUTE)), {minute: ms for minute, ms in covered.items() if ms})

"""The ledger of a span that was not recorded: a fold of its own over what is read back of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from infertop.money.derive import Deriver
from infertop.money.lines import Line
from infertop.money.rates import PriceBook
from infertop.readings.model import Batch

_MINUTE = 60
RECALLED = "recalled"
"""The flag of lines that were read back: in a minute of both they stand beside those that were recorded."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Final lines, and the recorded milliseconds of their minutes."""

    lines: tuple[Line, ...]
    covered_ms: Mapping[int, int]


def fold(
    spans: Iterable[Sequence[Batch]],
    prices: PriceBook,
    gap_seconds: float,
    local_sources: Collection[str] = frozenset(),
) -> Folded:
    """Derive the lines of these spans alone, each of one source: its first batch is the baseline of the counters."""
    deriver = Deriver(prices, gap_seconds=lambda _source: gap_seconds, local_sources=local_sources)
    each = [(batch.ts, at, batch) for span in spans for at, batch in enumerate(span)]
    last = 0.0
    for _, at, batch in sorted(each, key=itemgetter(0)):
        if at == 0:
            deriver.forget(batch.source)
        deriver.advance(batch)
        last = batch.ts
    covered = {minute: deriver.coverage_ms(minute) for minute in deriver.open_minutes()}
    lines = (replace(line, flags=f"{line.flags} {RECALLED}".strip()) for line in deriver.close_before(last + _MINUTE))
    return Folded(tuple(lines), {minute: ms for minute, ms in covered.items() if ms})

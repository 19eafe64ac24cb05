"""What the recorder needs of whoever makes ledger lines from the tape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from infertop.money.lines import Line
from infertop.money.repricing import Repricing
from infertop.money.statement_lines import PricedBefore
from infertop.readings.model import Batch, Statement


class Deriver(Protocol):
    """A fold over batches: the same batches and prices give the same lines. It is used by one thread at a time."""

    def advance(self, batch: Batch) -> None:
        """Take the next batch into account."""
        ...

    def forget(self, source: str) -> None:
        """Take the next batch of a source for its first."""
        ...

    def statement_lines(self, statement: Statement, before: PricedBefore) -> list[Line]:
        """Return the lines of a statement; `before` tells what a line like this was priced by."""
        ...

    def reprice(self, repricing: Repricing) -> None:
        """Price by other prices from now on, and what is open as far as they hold for it."""
        ...

    def open_lines(self) -> list[Line]:
        """Return the lines that are not closed yet, as they stand now."""
        ...

    def close_before(self, ts: float) -> list[Line]:
        """Return the lines that end at or before `ts` for the last time, and let go of them."""
        ...

    def open_minutes(self) -> list[int]:
        """Return the starts of the minutes that are not closed, in epoch seconds."""
        ...

    def coverage_ms(self, minute: int) -> int:
        """Return the milliseconds of an open minute in which a source was polled without a gap."""
        ...

    def dump(self) -> dict[str, Any]:
        """Return the whole state, fit for JSON."""
        ...

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that was dumped; raise KeyError, TypeError or ValueError where it is none."""
        ...

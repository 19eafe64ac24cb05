"""The rows of a fleet's models, made a few at a time, so that no key waits until all of them are.

Two hundred rows take a tenth of a second: made at once, every tenth key would feel it. A few are made at once as ever.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from infertop.views.facts import Facts
from infertop.views.model_rows import each_row, in_order
from infertop.views.shapes import ModelRow

AT_ONCE = 24  # engines
_SLICE_SECONDS = 0.002
_MOST_OF_A_CORE = 0.125


class Crowd:
    """Keeps the rows that were made last, and makes new ones from the facts of a tick until the next."""

    def __init__(self) -> None:
        self._made: tuple[float, tuple[ModelRow, ...]] | None = None
        self._making: asyncio.Task[None] | None = None
        self._not_before = 0.0

    def rows(self, facts: Facts) -> tuple[ModelRow, ...] | None:
        """Return the rows to show now, None where they are to be made at once: there are few, or none yet."""
        if len(facts.engines) <= AT_ONCE:
            self._made = None
            return None
        if self._making is not None and self._making.done():
            self._making.result()
            self._making = None
        if self._making is None and time.monotonic() >= self._not_before:
            self._making = asyncio.create_task(self._make(facts))
        if self._made is None:
            return None
        later = facts.now - self._made[0]
        return tuple(
            row if row.age_seconds is None else replace(row, age_seconds=row.age_seconds + later)
            for row in self._made[1]
        )

    async def _make(self, facts: Facts) -> None:
        rows, began, spent = [], time.monotonic(), 0.0
        slice_began = time.perf_counter()
        for row in each_row(facts):
            rows.append(row)
            if (took := time.perf_counter() - slice_began) >= _SLICE_SECONDS:
                spent += took
                await asyncio.sleep(_SLICE_SECONDS)
                slice_began = time.perf_counter()
        self._made = facts.now, in_order(rows)
        self._not_before = began + spent / _MOST_OF_A_CORE

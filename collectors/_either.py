"""A page that may be one of several systems', or show two that count the same: one table of several reads it."""

from __future__ import annotations

from collections.abc import Sequence

from collectors._page import Adapt, MetricsPage, Reading
from infertop.readings.mapping import Table

# What says nothing of a model: a page with these alone is not yet that system's.
_BESIDE = frozenset({"requests_failed", "unreadable_lines"})


class EitherPage:
    """A page read by the first of `tables` that finds a model on it, and by that one as long as it does.

    The others are passed over although the page has their series: they count the same requests. A line that cannot be
    read never brings in another table, only a page on which the one that was chosen finds nothing at all.
    """

    def __init__(self, where: str, tables: Sequence[tuple[Table, Adapt | None]]) -> None:
        self._pages = tuple(MetricsPage(where, table, adapt) for table, adapt in tables)
        self._chosen: MetricsPage | None = None

    def read(self, body: bytes) -> Reading:
        """Read a page; the reading is without series where no table finds a model."""
        first: Reading | None = None
        for page in dict.fromkeys((*((self._chosen,) if self._chosen else ()), *self._pages)):
            reading: Reading = page.read(body)
            if any(series.metric not in _BESIDE for series in reading.series):
                self._chosen = page
                return reading
            first = first or reading
        assert first is not None  # there is a table at least
        return Reading((), (), first.started, first.notes, first.rejected)

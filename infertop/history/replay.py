"""A history played again: the readings and sums of its past, step by step, as they would have come.

It reads and never writes, also while another infertop records. It belongs to one thread at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from infertop.history.reader import Reader, Unreadable
from infertop.history.replay_cells import Cells
from infertop.history.replay_span import Grain, Recorded, coarser, finest, recorded
from infertop.history.replay_sums import PastSums
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.history.tape import Tape
from infertop.readings.model import Batch

MINUTE = 60
STATE_SECONDS = 900
_SPACINGS = "SELECT ts FROM polls WHERE source = ? AND ts <= ? ORDER BY ts DESC LIMIT 9"


@dataclass(frozen=True, slots=True)
class Step:
    """What came up to `ts`: polls, and at the end of a minute the sums as of then.

    `intervals` says of sources how many seconds there are between two of their polls; `telling` are those that told of
    use in statements. What a step along the way does not say holds as before.
    """

    ts: float
    batches: tuple[Batch, ...] = ()
    summary: Summary | None = None
    grain: Grain | None = None
    intervals: Mapping[str, float] = field(default_factory=dict)
    telling: Collection[str] = ()


class Player:
    """Plays a history, a path or a uri, from any time on. Whoever asks gets Unreadable where the database fails."""

    def __init__(self, where: Path | str, scopes: Scopes | None = None) -> None:
        self._reader = Reader(where)
        self._scopes = scopes or Scopes()
        self._sums = PastSums(self._scopes)
        self._tape: Tape | None = None
        self._seq = 0
        self._cells: Cells | None = None
        self.at = 0.0

    @property
    def reader(self) -> Reader:
        """The reader, for other questions to the same history."""
        return self._reader

    def recorded(self) -> Recorded | None:
        """Return what the history reaches over."""
        return self._reader.ask(recorded)

    def begin(self, ts: float, scopes: Scopes, *, coarse: bool = False) -> Step:
        """Go to `ts`; return the readings of the quarter of an hour before it, and the sums as of its minute.

        With `coarse` readings come from roll-ups: those of a whole day at a thousand times its speed are too many.
        """
        return self._reader.ask(self._begin, ts, scopes, coarse)

    def go_on(self, upto: float) -> Step:
        """Return what came from where it stands up to `upto`, which lies in the same minute or at its end."""
        return self._reader.ask(self._go_on, upto)

    def close(self) -> None:
        """Close the database."""
        self._reader.close()

    def _begin(self, connection: sqlite3.Connection, ts: float, scopes: Scopes, coarse: bool) -> Step:
        self._scopes, self._sums, self.at = scopes, PastSums(scopes), ts
        self._sums.begin(connection, int(ts // MINUTE * MINUTE))
        grain = (coarser(connection, ts) if coarse else None) or finest(connection, ts)
        self._tape = self._cells = None
        intervals: dict[str, float] = {}
        if grain is Grain.READINGS:
            self._tape = Tape(connection)
            self._seq = self._tape.position(ts - STATE_SECONDS)
            intervals = _intervals(connection, ts)
        elif grain is not None:
            self._cells = Cells(grain)
            self._cells.begin(ts - STATE_SECONDS)
        batches = tuple(each for each in self._read(connection, ts) if each.ts >= ts - STATE_SECONDS)
        return Step(ts, batches, self._sums.as_of(ts), grain, intervals, self._sums.telling())

    def _go_on(self, connection: sqlite3.Connection, upto: float) -> Step:
        self.at = upto
        batches = tuple(self._read(connection, upto))
        minute = int(upto // MINUTE * MINUTE)
        if minute <= self._sums.upto:
            return Step(upto, batches)
        self._sums.go_on(connection, minute)
        return Step(upto, batches, self._sums.as_of(upto), telling=self._sums.telling())

    def _read(self, connection: sqlite3.Connection, upto: float) -> list[Batch]:
        if self._cells is not None:
            return self._cells.until(connection, upto)
        if self._tape is None:
            return []
        batches = []
        for read in self._tape.polls(self._seq, upto):
            self._seq = read.seq
            batches.append(read.batch)
        return batches


def _intervals(connection: sqlite3.Connection, ts: float) -> dict[str, float]:
    """Return how far apart the polls of each source were before `ts`."""
    found = {}
    for number, name in connection.execute("SELECT id, name FROM sources").fetchall():
        times = [row[0] / 1000 for row in connection.execute(_SPACINGS, (number, ts * 1000)).fetchall()]
        if len(times) > 2:
            found[str(name)] = median(after - before for before, after in zip(times[1:], times, strict=False))
    return found


__all__ = ["Grain", "Player", "Recorded", "Step", "Unreadable"]

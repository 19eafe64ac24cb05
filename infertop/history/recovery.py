"""Go on where the last session stopped: derive again what the tape has behind the watermark."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from infertop.history.deriver import Deriver
from infertop.history.meta import read_watermark
from infertop.history.recalls import Recalls
from infertop.history.rollup import Rollups
from infertop.history.tape import Tape

MINUTE = 60


@dataclass(slots=True)
class Recovered:
    """The end of the last closed minute (0: none), the time of each source's last poll, and what went wrong."""

    closed: int = 0
    last: dict[str, float] = field(default_factory=dict)
    notice: str = ""


def recover(
    connection: sqlite3.Connection, deriver: Deriver, rollups: Rollups, ts: float, recalls: Recalls
) -> Recovered:
    """Bring a new deriver and new roll-ups to where they were after the last poll on the tape.

    The deriver goes on from its state at the watermark, so that the lines are those of a run without a break. The
    roll-ups are made again from the minute before the first that is not closed.
    """
    mark = read_watermark(connection)
    found = Recovered(closed=mark.closed)
    if mark.state is not None:
        try:
            deriver.load(mark.state)
        except (KeyError, TypeError, ValueError) as error:
            found.notice = f"the ledger's saved state cannot be used ({error}); the open minute is counted from now on"
    deriver.close_before(mark.closed)  # nothing is left to close by then, but a state that is new must not reopen it
    rollups.closed = mark.closed
    tape = Tape(connection)
    start = min(mark.poll, tape.position(mark.closed - MINUTE)) if mark.closed else 0
    for seq, batch, source, ids in tape.polls(start):
        if seq > mark.poll:
            if recalls.begins(batch):
                deriver.forget(batch.source)
            deriver.advance(batch)
        rollups.add(source, batch.series, ids, batch.ts, batch.values, batch.started)
        found.last[batch.source] = batch.ts
    ahead = max(found.last.values(), default=0.0) - ts
    if ahead > MINUTE:
        behind = f"{ahead / MINUTE:.0f} minutes behind the last recording"
        found.notice = f"this machine's clock is {behind}; what is read until then may not be counted"
    return found

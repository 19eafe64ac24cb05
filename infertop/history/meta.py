"""Single values by name, and the watermark: up to where the ledger was derived, with the state to go on from there."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Watermark:
    """The last poll that is in `state` and in the ledger, and the end of the last closed minute."""

    poll: int = 0
    closed: int = 0
    state: dict[str, Any] | None = None


def read_meta(connection: sqlite3.Connection, key: str, default: str = "") -> str:
    """Return a value, or `default` where there is none."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else default


def write_meta(connection: sqlite3.Connection, key: str, value: object) -> None:
    """Store a value."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, str(value)))


def read_watermark(connection: sqlite3.Connection) -> Watermark:
    """Return the watermark, one at the very beginning where there is none."""
    content = json.loads(read_meta(connection, "watermark", "{}"))
    return Watermark(**content)


def write_watermark(connection: sqlite3.Connection, mark: Watermark) -> None:
    """Store the watermark."""
    content = json.dumps({"poll": mark.poll, "closed": mark.closed, "state": mark.state})
    write_meta(connection, "watermark", content)

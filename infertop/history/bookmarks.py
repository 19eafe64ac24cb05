"""How far what is read piece by piece has been told: written with what it told, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from infertop.history.catalog import plain

Bookmarks = dict[str, dict[str, str]]
"""By source, then by key: a file, say."""


def write_bookmarks(connection: sqlite3.Connection, source: str, bookmarks: Mapping[str, str]) -> None:
    """Store where a source is by now; an empty bookmark is forgotten."""
    who = plain(source)
    gone = [(who, plain(key)) for key, content in bookmarks.items() if not content]
    kept = [(who, plain(key), content) for key, content in bookmarks.items() if content]
    connection.executemany("DELETE FROM bookmarks WHERE source = ? AND key = ?", gone)
    connection.executemany("INSERT OR REPLACE INTO bookmarks VALUES (?,?,?)", kept)


def read_bookmarks(connection: sqlite3.Connection) -> Bookmarks:
    """Return where every source was when it was last read."""
    found: Bookmarks = {}
    for source, key, content in connection.execute("SELECT source, key, content FROM bookmarks"):
        found.setdefault(source, {})[key] = content
    return found

"""What people call the ids in the ledger: applied whenever lines are read, so that a rename holds for the past too."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable

from infertop.history.catalog import plain
from infertop.money.dimensions import Names, told_apart
from infertop.readings.account import Name


def write_names(connection: sqlite3.Connection, names: Iterable[Name]) -> bool:
    """Store names, return whether any is new or another one. An id that is gone from its list keeps its name."""
    before = dict(_rows(connection))
    said = {(plain(each.kind), plain(each.id)): plain(each.name) for each in names if each.name}
    new = [(*key, name) for key, name in said.items() if before.get(key) != name]
    connection.executemany("INSERT OR REPLACE INTO names VALUES (?,?,?)", new)
    return bool(new)


def read_names(connection: sqlite3.Connection) -> Names:
    """Return the name of every (dimension, id); one that several ids of a dimension have is followed by its id's end.

    A database of an older version has none.
    """
    try:
        found = dict(_rows(connection))
    except sqlite3.OperationalError:
        return {}
    often = Counter((kind, name) for (kind, _), name in found.items())
    return {
        (kind, number): name if often[kind, name] == 1 else f"{name}{told_apart(number)}"
        for (kind, number), name in found.items()
    }


def _rows(connection: sqlite3.Connection) -> Iterable[tuple[tuple[str, str], str]]:
    rows = connection.execute("SELECT kind, id, name FROM names").fetchall()
    return (((kind, number), name) for kind, number, name in rows)

"""May a file be used as a history: what is asked before anything is written at its place, or moved from it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from infertop.history.connect import connect_reader, uri
from infertop.history.files import NAME, was_written
from infertop.history.schema import APPLICATION_ID

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_APPLICATION = slice(68, 72)  # sqlite.org/fileformat.html, "The Database Header"

OTHERS = "another program's database"
NONE = "no database"


def refusal(path: Path) -> str:
    """Return what the file at `path` is that is no history of infertop, "" where it may be one or become one.

    A damaged one of ours may be: its header says so, or its name, or the lock beside it. An empty file may become one.
    """
    try:
        if not path.exists():
            return ""
        if not path.is_file():
            return "a folder" if path.is_dir() else "no file"
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return ""  # opening it says why
    if not header or _is_known(path):
        return OTHERS if header.startswith(_MAGIC) and _is_others(path, header) else ""
    if not header.startswith(_MAGIC) or len(header) < _HEADER_BYTES:
        return NONE
    return OTHERS if _is_others(path, header, damaged=True) else ""


def _is_known(path: Path) -> bool:
    """Say whether a damaged file is ours by its name, or because an infertop wrote it."""
    return path.name == NAME or was_written(path)


def _is_others(path: Path, header: bytes, *, damaged: bool = False) -> bool:
    """Say whether a database is another program's; `damaged` is the answer where that cannot be known."""
    application = int.from_bytes(header[_APPLICATION], "big")
    if application:
        return application != APPLICATION_ID
    try:  # ours has no id before its first step, or has it in its log
        connection = connect_reader(uri(path))
    except sqlite3.OperationalError:
        return False  # locked, or not to be read now
    except sqlite3.DatabaseError:
        return damaged
    try:
        said = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError:
        return damaged
    finally:
        connection.close()
    return bool(tables) and said != APPLICATION_ID

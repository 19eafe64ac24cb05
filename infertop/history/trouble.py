"""What SQLite's errors mean for the person at the screen, and what the writer does about them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from infertop.readings.safe import safe


class Kind(StrEnum):
    """What went wrong with the database."""

    FULL = "full"
    READ_ONLY = "read_only"
    LOCKED = "locked"
    IO = "io"
    DAMAGED = "damaged"
    OTHER = "other"


_KINDS = (
    ("SQLITE_FULL", Kind.FULL),
    ("SQLITE_IOERR_SHMSIZE", Kind.FULL),  # what readers and the writer share found no room
    ("SQLITE_READONLY", Kind.READ_ONLY),
    ("SQLITE_CANTOPEN", Kind.READ_ONLY),
    ("SQLITE_PERM", Kind.READ_ONLY),
    ("SQLITE_AUTH", Kind.READ_ONLY),
    ("SQLITE_BUSY", Kind.LOCKED),
    ("SQLITE_LOCKED", Kind.LOCKED),
    ("SQLITE_PROTOCOL", Kind.LOCKED),
    ("SQLITE_CORRUPT", Kind.DAMAGED),
    ("SQLITE_NOTADB", Kind.DAMAGED),
    ("SQLITE_IOERR", Kind.IO),
)

_REASONS = {
    Kind.FULL: "disk full at {path}",
    Kind.READ_ONLY: "{path} cannot be written, because the file or its folder is read-only",
    Kind.LOCKED: "{path} is locked by another program",
    Kind.IO: "the disk under {path} fails ({name})",
    Kind.DAMAGED: "{path} is damaged",
    Kind.OTHER: "{path} cannot be written ({text})",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the history cannot be written: `reason` is a part of a sentence."""

    kind: Kind
    reason: str

    @property
    def sentence(self) -> str:
        """What the screen says."""
        return f"history paused: {self.reason}; live figures go on"


def trouble(error: sqlite3.Error, path: object) -> Trouble:
    """Say what `error` means for the database at `path`."""
    name = getattr(error, "sqlite_errorname", "") or ""
    kind = next((kind for prefix, kind in _KINDS if name.startswith(prefix)), Kind.OTHER)
    return Trouble(kind, _REASONS[kind].format(path=safe(path), name=name, text=safe(error)))


def is_bug(error: sqlite3.Error) -> bool:
    """Say whether the program is at fault and not the disk: such an error must be loud."""
    return not isinstance(error, sqlite3.OperationalError) and trouble(error, "").kind is Kind.OTHER

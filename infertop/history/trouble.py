"""What SQLite's errors mean for the person at the screen, and what the writer does about them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
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


_UNTIL = {
    Kind.FULL: "there is space again",
    Kind.READ_ONLY: "it can be written",
    Kind.LOCKED: "that one lets go of it",
    Kind.IO: "the disk works again",
    Kind.DAMAGED: "there is a whole one",
    Kind.OTHER: "that is mended",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the history cannot be written: `reason` and `until`, what has to come about, are parts of a sentence."""

    kind: Kind
    reason: str

    @property
    def until(self) -> str:
        """When it goes on by itself."""
        return _UNTIL[self.kind]

    def sentence(self, since: float) -> str:
        """Return what the screen of the one that writes says."""
        return f"history paused since {clock(since)}: {self.reason}; live figures go on, and it does once {self.until}"


def of_kind(kind: str, path: object) -> Trouble:
    """Return the trouble that was noted as `kind`."""
    known = next((each for each in Kind if each == kind), Kind.OTHER)
    return Trouble(known, _REASONS[known].format(path=safe(path), name="I/O", text="see what it says itself"))


def clock(ts: float) -> str:
    """Return the time of day, for a sentence that stands until it is over."""
    return datetime.fromtimestamp(ts, UTC).strftime("%H:%M:%S UTC")


def trouble(error: sqlite3.Error, path: object) -> Trouble:
    """Say what `error` means for the database at `path`."""
    name = getattr(error, "sqlite_errorname", "") or ""
    kind = next((kind for prefix, kind in _KINDS if name.startswith(prefix)), Kind.OTHER)
    return Trouble(kind, _REASONS[kind].format(path=safe(path), name=name, text=safe(error)))


def is_bug(error: sqlite3.Error) -> bool:
    """Say whether the program is at fault and not the disk: such an error must be loud."""
    return not isinstance(error, sqlite3.OperationalError) and trouble(error, "").kind is Kind.OTHER

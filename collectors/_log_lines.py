"""The lines of a log that has grown: only what was appended is read, and only lines that matter become objects.

Memory is bounded by the longest line that is read, whatever the file holds.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from stat import S_ISREG
from typing import Any

CHUNK_BYTES = 1 << 20
MAX_LINE_BYTES = 8 << 20
_HEAD_BYTES = 256


@dataclass(slots=True)
class Place:
    """How far a file has been read: up to `offset`, the end of a line, or amid one that is passed over.

    `inode` and the checksum of how the file begins tell another file under the same name from one that has grown.
    """

    inode: int = 0
    offset: int = 0
    passing: bool = False
    head: int = 0
    checksum: int = 0

    def dump(self) -> list[int]:
        """Return it fit for JSON."""
        return [self.inode, self.offset, int(self.passing), self.head, self.checksum]

    @classmethod
    def load(cls, said: object) -> Place:
        """Return what `dump` returned; the file's beginning where it is something else."""
        if isinstance(said, list) and len(said) == 5 and all(type(each) is int and each >= 0 for each in said):
            return cls(said[0], said[1], bool(said[2]), said[3], said[4])
        return cls()


def opened(path: str) -> FileIO:
    """Open a regular file to read; raise OSError where it is anything else: a pipe would never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no regular file")
    return FileIO(descriptor, "r")


class Grown:
    """The part of a file behind a place, line by line; `place` moves on with it.

    `restarted` says that the file is another one than the place was in, or has been cut, and is read from its
    beginning. `passed` counts lines with a marker that were too long to be read.
    """

    def __init__(self, file: FileIO, place: Place) -> None:
        self.place = place
        self.passed = 0
        self._file = file
        self.restarted = not self._is_same()
        if self.restarted:
            self.place = Place(inode=os.fstat(file.fileno()).st_ino)

    def lines(self, markers: Sequence[bytes], spent: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the whole lines that hold a marker, up to the last line's end or until `spent`."""
        place, file, rest = self.place, self._file, b""
        file.seek(place.offset)
        while piece := file.read(CHUNK_BYTES):
            text = rest + piece
            if place.passing and not (text := self._passed(text, markers)):
                continue
            end = text.rfind(b"\n") + 1
            yield from lines_with(text, end, markers)
            place.offset += end
            rest = text[end:]
            if len(rest) > MAX_LINE_BYTES:
                self.passed += any(marker in rest for marker in markers)
                place.offset += len(rest)
                place.passing, rest = True, b""
            if spent():
                break
        self._note_head()

    def _passed(self, text: bytes, markers: Sequence[bytes]) -> bytes:
        """Pass over what is left of a long line; return what is behind it."""
        end = text.find(b"\n") + 1
        self.place.offset += end or len(text)
        self.place.passing = not end
        return text[end:] if end else b""

    def _is_same(self) -> bool:
        stat, place = os.fstat(self._file.fileno()), self.place
        if stat.st_ino != place.inode or stat.st_size < place.offset or not place.offset:
            return False
        if zlib.crc32(os.pread(self._file.fileno(), place.head, 0)) != place.checksum:
            return False
        return place.passing or os.pread(self._file.fileno(), 1, place.offset - 1) == b"\n"

    def _note_head(self) -> None:
        length = min(self.place.offset, _HEAD_BYTES)
        self.place.head, self.place.checksum = length, zlib.crc32(os.pread(self._file.fileno(), length, 0))


def lines_with(text: bytes, end: int, markers: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the lines of `text` up to `end`, the end of a line, that hold one of the markers."""
    hits = {marker: text.find(marker, 0, end) for marker in markers}
    while live := [at for at in hits.values() if at >= 0]:
        hit = min(live)
        start, stop = text.rfind(b"\n", 0, hit) + 1, text.find(b"\n", hit, end)
        yield text[start:stop]
        hits = {marker: text.find(marker, stop, end) if -1 < at < stop else at for marker, at in hits.items()}


def parsed(text: bytes) -> Mapping[str, Any] | None:
    """Return the object that a text is, None where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None

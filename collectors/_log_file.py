"""One file of an agent's logs: appended to line by line, or written anew whole, and how far it has been read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import FileIO
from typing import Any, Protocol

from collectors._agent_logs import Unread
from collectors._log_lines import Grown, Place, opened, parsed
from collectors._log_said import NotReadError
from collectors._log_tree import Stamp
from infertop.readings.model import Statement

MAX_WHOLE_BYTES = 64 << 20


class Records(Protocol):
    """What the records of one file mean, one after the other.

    `context` is what later records need to know of earlier ones, fit for JSON; records that are read later go on from
    it. A record that is about usage and cannot be read raises NotReadError.
    """

    context: dict[str, Any]

    def say(self, record: Mapping[str, Any]) -> Iterable[Statement]:
        """Return what a record says."""
        ...


class LineLog:
    """A file with a record on each line, to which lines are added."""

    def __init__(self, path: str, bookmark: str, records: Records, markers: Sequence[bytes]) -> None:
        self.unread = Unread()
        self.ended = False
        self._path = path
        self._records = records
        self._markers = markers
        said = _said(bookmark)
        self._place = Place.load(said.get("place"))
        if self._place.offset and isinstance(known := said.get("context"), dict):
            records.context.update(known)

    def read(self, spent: Callable[[], bool]) -> Iterator[Statement]:
        """Yield what the new lines say."""
        fresh = not self._place.offset
        with opened(self._path) as file:
            grown = Grown(file, self._place)
            if grown.restarted and not fresh:
                self._records.context.clear()
            for line in grown.lines(self._markers, spent):
                yield from self._say(line)
            self._place = grown.place
            self.ended = file.tell() >= _size(file)
        if grown.passed:
            self.unread.add("a line is too long to be read", grown.passed)

    @property
    def bookmark(self) -> str:
        """Where it is, and what is known by then."""
        return json.dumps({"place": self._place.dump(), "context": self._records.context}, separators=(",", ":"))

    def _say(self, line: bytes) -> Iterator[Statement]:
        record = parsed(line)
        if record is None:
            self.unread.add("a line is no JSON object")
            return
        try:
            yield from self._records.say(record)
        except NotReadError as why:
            self.unread.add(str(why))


class WholeLog:
    """A file that is one record and is written anew whenever something is added."""

    def __init__(self, path: str, records: Records) -> None:
        self.unread = Unread()
        self.ended = True
        self._path = path
        self._records = records
        self._stamp: list[int] = []

    def read(self, _spent: Callable[[], bool]) -> Iterator[Statement]:
        """Yield what it says; half of a file that is being written is read again once it has changed."""
        with opened(self._path) as file:
            self._stamp = _stamp(file)
            if self._stamp[1] > MAX_WHOLE_BYTES:
                self.unread.add(f"a file of {self._stamp[1] / 1e6:.0f} MB is too long to be read")
                return
            record = parsed(file.read(MAX_WHOLE_BYTES))
        if record is None:
            self.unread.add("a file is no JSON object, or it is being written")
            return
        try:
            yield from self._records.say(record)
        except NotReadError as why:
            self.unread.add(str(why))

    @property
    def bookmark(self) -> str:
        """As which it was read."""
        return json.dumps({"stamp": self._stamp}, separators=(",", ":"))


def of_lines(path: str) -> bool:
    """Say whether a file of this path has a record on each line."""
    return path.endswith(".jsonl")


def is_current(bookmark: str, stamp: Stamp) -> bool:
    """Say whether a file that looks like this has been read to its end."""
    said = _said(bookmark)
    if "stamp" in said:
        return bool(said["stamp"] == list(stamp))
    place = Place.load(said.get("place"))
    return (place.inode, place.offset, place.passing) == (stamp.inode, stamp.size, False)


def _said(bookmark: str) -> dict[str, Any]:
    return dict(parsed(bookmark.encode("utf-8", "surrogatepass")) or {}) if bookmark else {}


def _stamp(file: FileIO) -> list[int]:
    stat = os.fstat(file.fileno())
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]


def _size(file: FileIO) -> int:
    return os.fstat(file.fileno()).st_size

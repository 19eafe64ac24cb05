"""The files under some folders, and which of them have changed: found by looking at few of them at a time.

What changed lately is looked at each time, everything else in turn: following ten thousand files that nobody writes
costs less than a millisecond a look, and one that is taken up again is seen within a minute or two. Folders tell by
their own time that something is new in them.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import chain, islice
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

DATABASE = ".db"
HOT_SECONDS = 900.0
IN_TURN = 256
MAX_FILES = 200_000
_MAX_DEPTH = 10
_MAX_HOT = 512
# A folder in which something was made within the same tick of its clock as it was listed is listed again.
_SETTLED_NS = 2_000_000_000


class Stamp(NamedTuple):
    """What tells that a file has changed."""

    inode: int
    size: int
    mtime_ns: int


def stamp_of(path: str) -> Stamp:
    """Return what a file looks like now; a database with its journal, where its changes come first.

    Raise OSError where there is no regular file.
    """
    stat = os.stat(path)
    if not S_ISREG(stat.st_mode):
        raise OSError(f"{path} is no regular file")
    stamp = Stamp(stat.st_ino, stat.st_size, stat.st_mtime_ns)
    if path.endswith(DATABASE):
        with suppress(OSError):
            journal = os.stat(path + "-wal")
            stamp = Stamp(stamp.inode, stamp.size + journal.st_size, max(stamp.mtime_ns, journal.st_mtime_ns))
    return stamp


class _Folder(NamedTuple):
    depth: int
    identity: tuple[int, int]


class Tree:
    """The files below `roots` that `wanted` says to read, in the folders that it `enters`. It belongs to one thread.

    `unreadable` are folders that could not be listed, `beyond` counts files that are too many, `gone` has the files
    that were found to be gone since it was last emptied.
    """

    def __init__(
        self, roots: Iterable[str], wanted: Callable[[str], bool], enters: Callable[[str], bool] = lambda _path: True
    ) -> None:
        self._roots = tuple(roots)
        self._wanted = wanted
        self._enters = enters
        self.files: dict[str, Stamp] = {}
        self.gone: set[str] = set()
        self.unreadable: set[str] = set()
        self.beyond = 0
        self._folders: dict[str, _Folder] = {}
        self._times: dict[str, int] = {}
        self._hot: dict[str, float] = {}
        self._to_list: deque[tuple[str, int]] = deque()
        self._file_turn: deque[str] = deque()
        self._folder_turn: deque[str] = deque()

    def look(self, now: float, seconds: float = 1.0) -> dict[str, Stamp]:
        """Return what is new or has changed since the last look, as far as that is known after `seconds`.

        Paths of files that are gone have no entry in `files` any more.
        """
        deadline = time.monotonic() + seconds
        changed: dict[str, Stamp] = {}
        self._look_at_folders(now)
        for path in list(islice(self._hot, _MAX_HOT)):
            self._look_at(path, now, changed)
        for path in _next(self._file_turn, self.files):
            if path not in self._hot:
                self._look_at(path, now, changed)
        while self._to_list:
            self._list(*self._to_list.popleft(), now, changed)
            if time.monotonic() >= deadline:
                break
        self._cool(now)
        return changed

    @property
    def listing(self) -> bool:
        """Whether folders are still to be listed."""
        return bool(self._to_list)

    def _look_at_folders(self, now: float) -> None:
        for path in self._roots:
            if path not in self._folders:
                self._to_list.append((path, 0))
        hot = {os.path.dirname(path) for path in self._hot}
        for path in dict.fromkeys(chain(self._roots, hot, _next(self._folder_turn, self._folders))):
            known = self._folders.get(path)
            if known is None:
                continue
            try:
                mtime = os.stat(path).st_mtime_ns
            except OSError:
                self._forget_folder(path)
                continue
            if mtime != self._times.get(path):
                self._to_list.append((path, known.depth))

    def _list(self, path: str, depth: int, now: float, changed: dict[str, Stamp]) -> None:
        try:
            stat = os.stat(path)
            identity = stat.st_dev, stat.st_ino
            if path not in self._folders and any(each.identity == identity for each in self._above(path)):
                return  # a link to a folder that it is in
            with os.scandir(path) as entries:
                found = list(islice(entries, 2 * MAX_FILES))
        except OSError:
            if depth or os.path.exists(path):
                self.unreadable.add(path)
            return
        self.unreadable.discard(path)
        self._folders[path] = _Folder(depth, identity)
        settled = now * 1e9 - stat.st_mtime_ns > _SETTLED_NS
        self._times[path] = stat.st_mtime_ns if settled else -1
        here = set()
        for entry in found:
            here.add(entry.path)
            if self._wanted(entry.path):
                if entry.path not in self.files:
                    self._look_at(entry.path, now, changed)
            elif (
                entry.path not in self._folders
                and self._enters(entry.path)
                and depth < _MAX_DEPTH
                and _is_folder(entry)
            ):
                self._to_list.append((entry.path, depth + 1))

    def _above(self, path: str) -> Iterable[_Folder]:
        while (parent := os.path.dirname(path)) != path:
            path = parent
            if path in self._folders:
                yield self._folders[path]

    def _look_at(self, path: str, now: float, changed: dict[str, Stamp]) -> None:
        before = self.files.get(path)
        try:
            stamp = stamp_of(path)
        except OSError:
            self._forget(path)
            return
        if stamp == before:
            return
        if before is None and len(self.files) >= MAX_FILES:
            self.beyond += 1
            return
        self.files[path] = changed[path] = stamp
        age = now - stamp.mtime_ns / 1e9
        if before is not None or age < HOT_SECONDS or path.endswith(DATABASE):
            self._hot[path] = now if before is not None else now - max(age, 0.0)

    def _forget(self, path: str) -> None:
        if self.files.pop(path, None) is not None:
            self.gone.add(path)
        self._hot.pop(path, None)

    def _forget_folder(self, path: str) -> None:
        self._folders.pop(path, None)
        self._times.pop(path, None)

    def _cool(self, now: float) -> None:
        for path in [
            path for path, since in self._hot.items() if now - since > HOT_SECONDS and not path.endswith(DATABASE)
        ]:
            del self._hot[path]


def _next(turn: deque[str], everything: Iterable[str]) -> list[str]:
    """Return the next few whose turn it is; once all had theirs it begins anew."""
    if not turn:
        turn.extend(everything)
    return [turn.popleft() for _ in range(min(IN_TURN, len(turn)))]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() or (entry.is_symlink() and S_ISDIR(os.stat(entry.path).st_mode))
    except OSError:
        return False

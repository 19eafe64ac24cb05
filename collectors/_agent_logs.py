"""The collector of an agent's logs on this machine: files are found, what is new in them is read, in a thread.

A poll works for part of a second and hands over what it got, with how far it got; a long history takes many polls,
the newest files first. What is told twice is the same statement: nothing counts twice, whatever is read again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from collectors._log_tree import Stamp, Tree
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.worker import Stuck, Worker
from infertop.readings.model import Batch, Statement
from infertop.readings.safe import safe

LEAST_SECONDS = 2.0
_WORK_SECONDS = 0.6
_MOST_STATEMENTS = 3000
_AGAIN_SECONDS = 0.4  # others use the machine too: the screen, and the writer of what was read
_LONGEST_SECONDS = 2.0
_DEADLINE_SECONDS = 4.5
_MANY_BYTES = 20_000_000
_RETRY_SECONDS = 60.0


@dataclass(slots=True)
class Unread:
    """Records that are about usage and cannot be read: how many, and why the first."""

    count: int = 0
    first: str = ""

    def add(self, why: str, count: int = 1) -> None:
        """Count records that cannot be read."""
        self.count += count
        self.first = self.first or (why if count else "")


class Log(Protocol):
    """One file that is being read. `bookmark` says how far, fit for `Format.log`."""

    unread: Unread

    def read(self, spent: Callable[[], bool]) -> Iterator[Statement]:
        """Yield what is new, until the end or until `spent`; raise OSError where the file cannot be read."""
        ...

    @property
    def bookmark(self) -> str:
        """Where it is."""
        ...

    @property
    def ended(self) -> bool:
        """Whether all that is there now has been read."""
        ...


def everywhere(path: str) -> bool:
    """Say of any folder that there may be logs in it."""
    return True


@dataclass(frozen=True, slots=True)
class Format:
    """How an agent keeps its logs. `name` is what people call it.

    `wanted` says whether a file of this path is a log, `enters` whether there may be logs in a folder; `log` makes the
    reader of a file (path, bookmark, source), and `current` says whether one that looks like this has nothing new.
    """

    name: str
    wanted: Callable[[str], bool]
    log: Callable[[str, str, str], Log]
    current: Callable[[str, Stamp], bool]
    enters: Callable[[str], bool] = everywhere


@dataclass(slots=True)
class _Ready:
    """What was read and has not been handed over."""

    statements: dict[str, Statement] = field(default_factory=dict)
    bookmarks: dict[str, str] = field(default_factory=dict)
    unread: Unread = field(default_factory=Unread)

    def add(self, each: Statement) -> None:
        before = self.statements.get(each.key)
        if before is None or each.order() < before.order():
            self.statements[each.key] = each


class AgentLogs:
    """Reads the logs of one agent below `folders`."""

    def __init__(self, config: SourceConfig, log_format: Format, folders: Iterable[str]) -> None:
        self.kind = config.kind
        self.config = config
        self._format = log_format
        self._folders = tuple(folders)
        self._tree = Tree(self._folders, log_format.wanted, log_format.enters)
        self._bookmarks: dict[str, str] = {}
        self._pending: dict[str, Stamp] = {}
        self._ready = _Ready()
        self._failed: dict[str, str] = {}
        self._retried = 0.0
        self._resumed = True
        self._worker = Worker(f"infertop {config.name}")

    def resume(self, bookmarks: Mapping[str, str]) -> None:
        """Go on from where an earlier run was."""
        self._bookmarks.update(bookmarks)

    async def collect(self, ts: float) -> Batch:
        """Read what is new for a part of a second; what is left is read by the next polls."""
        try:
            await self._worker.call(lambda: self._work(ts), _DEADLINE_SECONDS)
        except Stuck as stuck:
            raise Unavailable(
                f"reading {self._format.name}'s logs has not come back for {stuck.seconds:.0f} s"
            ) from None
        ready, self._ready = self._ready, _Ready()
        return Batch(
            self.config.name,
            ts,
            (),
            (),
            statements=tuple(ready.statements.values()),
            covered=(),
            bookmarks=ready.bookmarks,
            notes=tuple(self._notes(ready)),
            rejected=ready.unread.count,
            again_seconds=_AGAIN_SECONDS if self._pending or self._tree.listing else None,
        )

    async def close(self) -> None:
        """Let the thread end."""
        self._worker.close()

    def _work(self, now: float) -> None:
        """Look for what has changed, and read it, the newest files first. In the thread."""
        if not any(os.path.isdir(folder) for folder in self._folders):
            where = ", ".join(safe(folder, 100) for folder in self._folders) or "nowhere"
            raise Unavailable(f"there are no logs of {self._format.name}: looked in {where}", state=State.ABSENT)
        end, worked = time.monotonic() + _LONGEST_SECONDS, time.thread_time() + _WORK_SECONDS

        def spent() -> bool:
            many = len(self._ready.statements) >= _MOST_STATEMENTS
            return many or time.monotonic() > end or time.thread_time() > worked

        self._pending |= self._tree.look(now, _WORK_SECONDS / 2)
        self._forget_gone()
        self._try_again(now)
        for path in sorted(self._pending, key=lambda each: -self._pending[each].mtime_ns):
            if self._read(path, self._pending[path], spent):
                del self._pending[path]
            if spent():
                break

    def _read(self, path: str, stamp: Stamp, spent: Callable[[], bool]) -> bool:
        """Read a file on; return whether that is done for now."""
        bookmark = self._bookmarks.get(path, "")
        if bookmark and self._format.current(bookmark, stamp):
            return True
        log = self._format.log(path, bookmark, self.config.name)
        try:
            for each in log.read(spent):
                self._ready.add(each)
        except OSError as error:
            self._failed[path] = error.strerror or type(error).__name__
            return True
        self._failed.pop(path, None)
        self._ready.unread.add(log.unread.first, log.unread.count)
        if log.bookmark != bookmark:
            self._bookmarks[path] = self._ready.bookmarks[path] = log.bookmark
        return log.ended

    def _forget_gone(self) -> None:
        """Forget how far files were read that are gone, also those that went while nobody looked."""
        gone, self._tree.gone = self._tree.gone, set()
        if self._resumed and not self._tree.listing:
            gone |= {path for path in self._bookmarks if path not in self._tree.files}
            self._resumed = False
        for path in gone:
            self._pending.pop(path, None)
            self._failed.pop(path, None)
            if self._bookmarks.pop(path, None) is not None:
                self._ready.bookmarks[path] = ""

    def _try_again(self, now: float) -> None:
        """Read files once more that could not be read: who may do so does not show in a file's time."""
        if now - self._retried >= _RETRY_SECONDS:
            self._retried = now
            files = self._tree.files
            self._pending |= {path: files[path] for path in self._failed if path in files}

    def _notes(self, ready: _Ready) -> Iterator[str]:
        left = sum(stamp.size for stamp in self._pending.values())
        if self._tree.listing or left > _MANY_BYTES:
            yield f"reading back: {left / 1e6:.0f} MB in {len(self._pending)} files are left at most"
        if self._failed:
            path, why = next(iter(self._failed.items()))
            yield f"{len(self._failed)} files cannot be read, one is {safe(path, 120)}: {safe(why, 80)}"
        if self._tree.unreadable:
            path = next(iter(self._tree.unreadable))
            yield f"{len(self._tree.unreadable)} folders cannot be read, one is {safe(path, 120)}"
        if self._tree.beyond:
            yield f"there are more than {len(self._tree.files)} files: the rest is not read"
        if ready.unread.count:
            yield f"{ready.unread.count} records of usage cannot be read; the first: {safe(ready.unread.first, 200)}"

"""The database's files: where they are, who may read them, who writes, and what happens to a damaged one."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

NAME = "infertop.db"
_ATTEMPTS = 4
_ATTEMPT_SECONDS = 0.02
_NOTED_BYTES = 64
_PAST_SECONDS = 30 * 86_400.0

# WAL needs memory shared by all processes, which these file systems do not give.
_FUSE = ("fuse.sshfs", "fuse.glusterfs")
_REMOTE = ("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "9p", "lustre", "gpfs", "ceph", "beegfs")
NETWORK = frozenset((*_REMOTE, *_FUSE, "afpfs", "webdav"))
_SIDES = ("", "-wal", "-shm", "-journal")


def default_path() -> Path:
    """Return where the database is kept unless `--db` says otherwise."""
    from platformdirs import user_data_path

    return user_data_path("infertop") / NAME


def create(path: Path) -> None:
    """Make an empty file that its owner alone may read, unless there is one; SQLite gives -wal and -shm its mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def network_filesystem(path: Path, mounts: Iterable[tuple[str, str]] | None = None) -> str:
    """Return the type of the network file system that `path` is on, or "" where it is on a local one.

    `mounts` are (mount point, type); by default those of this machine.
    """
    place = path.resolve()
    found = [
        (len(point), kind) for point, kind in (_mounts() if mounts is None else mounts) if place.is_relative_to(point)
    ]
    kind = max(found, default=(0, ""))[1]
    return kind if kind in NETWORK else ""


def _mounts() -> list[tuple[str, str]]:
    import psutil

    return [(each.mountpoint, each.fstype) for each in psutil.disk_partitions(all=True)]


def move_aside(path: Path, ts: float) -> Path:
    """Rename the database and what belongs to it to `*.corrupt-<time>`, and return the new name."""
    stamp = datetime.fromtimestamp(ts, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    copy = 1
    while aside.exists():
        copy += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{copy}")
    for side in _SIDES:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{side}", f"{aside}{side}")
    return aside


class Locked(Exception):  # noqa: N818 - it is a finding, not a failure
    """Another process writes this database; `pid` is its number where it is known."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(f"process {pid} writes")
        self.pid = pid


class Lock:
    """The right to write a database: a lock on `<db>.lock` that the kernel takes back when the process ends.

    The file holds "pid tick", and "kind since" while nothing can be written: who writes, the last tick that was
    acknowledged, what is in the way (see trouble.py) and since when. Its few bytes are there before a disk is full.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock; raise Locked where somebody has it and OSError where the file cannot be made."""
        self._file = os.open(lock_path(path), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _take(self._file):
                raise Locked(writer_pid(path))
        except (OSError, Locked):
            os.close(self._file)
            raise
        self.last_tick = self._tick = _read(path).tick

    def note(self, tick: int) -> None:
        """Write down who writes, and which tick is safe."""
        self._tick = tick
        self._write(f"{os.getpid()} {tick}")

    def fails(self, kind: str, since: float) -> None:
        """Write down that nothing can be written since then, so that viewers can say so."""
        self._write(f"{os.getpid()} {self._tick} {kind} {int(since)}")

    def _write(self, line: str) -> None:
        with suppress(OSError):  # what is in the way of the database may be in the way of this
            os.pwrite(self._file, f"{line}\n".encode().ljust(_NOTED_BYTES), 0)

    def release(self) -> None:
        """Let another process write. The file stays: removing it would let two processes lock two files."""
        os.close(self._file)


def _take(file: int) -> bool:
    """Lock the file, trying again for a moment: a viewer that looks whether somebody writes is in the way as long."""
    for _ in range(_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_ATTEMPT_SECONDS)
        else:
            return True
    return False


def lock_path(path: Path) -> Path:
    """Return where the lock of the database at `path` is."""
    return path.with_name(f"{path.name}.lock")


def writer_pid(path: Path) -> int | None:
    """Return the process that has, or had last, the lock of the database at `path`."""
    return _read(path).pid or None


def in_the_way(path: Path) -> tuple[str, float] | None:
    """Return what keeps the writer of the database at `path` from writing, and since when; None where nothing does."""
    noted = _read(path)
    return (noted.kind, noted.since) if noted.kind else None


def was_written(path: Path) -> bool:
    """Say whether an infertop stored anything in the database at `path`, by the lock beside it."""
    return _read(path).tick > 0


def is_written(path: Path) -> bool:
    """Say whether a process has the lock of the database at `path`."""
    try:
        file = os.open(lock_path(path), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(file)


def last_noted(path: Path, ts: float) -> float:
    """Return when the writer of the database at `path` last wrote; `ts`, the time now, where that cannot be known."""
    try:
        noted = lock_path(path).stat().st_mtime
    except OSError:
        return ts
    return noted if 0 < ts - noted < _PAST_SECONDS else ts  # a clock that runs apart tells nothing


class _Noted(NamedTuple):
    """What the lock file says; 0 and "" where that is not known, or nothing is in the way."""

    pid: int = 0
    tick: int = 0
    kind: str = ""
    since: float = 0.0


def _read(path: Path) -> _Noted:
    try:
        words = lock_path(path).read_bytes()[:_NOTED_BYTES].decode("ascii", "replace").split()
        kind, since = (words[2], float(words[3])) if len(words) > 3 else ("", 0.0)
        return _Noted(int(words[0]), int(words[1]), kind, since)
    except (OSError, ValueError, IndexError):
        return _Noted()

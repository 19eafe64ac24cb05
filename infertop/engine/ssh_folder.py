"""Where control sockets are: a folder that only this user can enter, gone when infertop ends."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_PREFIX = "infertop-ssh-"
# A socket's path has at most 104 bytes on BSD (108 on Linux), of which ssh wants 17 for a name while it binds.
_LONGEST = 104 - 17 - 1


class NoFolderError(Exception):
    """There is no place for control sockets; the text says why."""


def make_folder() -> Path:
    """Make a folder of mode 0700 for sockets, and clear those away that an infertop left which was killed."""
    problem = "no place is short enough"
    for parent in _parents():
        try:
            _sweep(parent)
            folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
        except OSError as error:
            problem = f"{parent}: {error.strerror or 'refused'}"
            continue
        if len(os.fsencode(folder)) + len("/c00") <= _LONGEST:
            return folder
        remove_folder(folder)
    raise NoFolderError(problem)


def remove_folder(folder: Path) -> None:
    """Remove the folder and what is left in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _parents() -> list[Path]:
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    own = [Path(named)] if named and _is_private(Path(named)) else []
    return [*own, Path(tempfile.gettempdir()), Path("/tmp")]


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _sweep(parent: Path) -> None:
    for each in parent.glob(f"{_PREFIX}*-*"):
        pid = each.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if pid.isdecimal() and each.lstat().st_uid == os.getuid() and not _runs(int(pid)):
                remove_folder(each)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

"""One process as Linux tells it: a fifth of what psutil takes for the same (docs/architecture.md).

Wire format: /proc/PID/stat and cmdline (proc_pid_stat(5)).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from infertop.engine.processes import Process, read_process

_ARGUMENT_BYTES = 128 * 1024
_NAME = 15  # characters that the kernel keeps of a name


def reader(proc: Path) -> Callable[[int], Process | None]:
    """Return what reads a process below `proc`; psutil's where that does not say when the machine started."""
    boot = _boot_seconds(proc)
    if boot is None:
        return read_process
    ticks = os.sysconf("SC_CLK_TCK")
    return lambda pid: _process(f"{proc}/{pid}", pid, boot, ticks)


def content(path: str, size: int) -> bytes:
    """Return the beginning of a file of /proc, nothing where it cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(file, size)
    except OSError:
        return b""
    finally:
        os.close(file)


def _process(folder: str, pid: int, boot: float, ticks: int) -> Process | None:
    stat = content(f"{folder}/stat", 4096)
    name, _, rest = stat.partition(b"(")[2].rpartition(b")")
    fields = rest.split(None, 20)
    if len(fields) < 20:
        return Process(pid) if os.path.isdir(folder) else None
    words = content(f"{folder}/cmdline", _ARGUMENT_BYTES).decode("utf-8", "surrogateescape").split("\0")
    # Whoever sets a title leaves empty arguments behind it.
    argv = tuple(word for word in words if word)
    argv = tuple(argv[0].split()) if len(argv) == 1 and " " in argv[0] else argv  # a title is one text
    called = name.decode("utf-8", "surrogateescape")
    if len(called) >= _NAME and argv and (whole := argv[0].rsplit("/", 1)[-1]).startswith(called):
        called = whole
    return Process(pid, int(fields[1]) or None, boot + int(fields[19]) / ticks, called, argv, _user(folder))


def _user(folder: str) -> int | None:
    try:
        return os.stat(folder).st_uid
    except OSError:
        return None


def _boot_seconds(proc: Path) -> float | None:
    """Return when the machine started, in epoch seconds."""
    for line in content(f"{proc}/stat", 2**20).splitlines():
        if line.startswith(b"btime "):
            return float(line.split()[1])
    return None

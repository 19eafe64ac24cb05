"""The program in a pseudo-terminal, with an emulator that shows what a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

ROOT = Path(__file__).parents[2]
ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|.)", re.S)
# Requests and modes that the emulator would print: keyboard protocol, queries with an intermediate `$`.
FOREIGN = re.compile(rb"\x1b\[[<>=?][0-9;]*u|\x1b\[\?[0-9]+\$p")


class Terminal:
    """`python -m tests.tui.play` on `columns` x `rows`; `out` is all that it wrote."""

    def __init__(self, *words: str, columns: int = 80, rows: int = 24, **environ: str) -> None:
        self.out = bytearray()
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._status: int | None = None
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM")}
            defaults = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
            os.chdir(ROOT)
            command = [sys.executable, "-m", "tests.tui.play", *words]
            os.execve(sys.executable, command, {**kept, **defaults, **environ})
        self._resize(columns, rows)

    def _resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self._resize(columns, rows)
        os.kill(self.pid, signal.SIGWINCH)

    def press(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def read(self, until: Callable[[], bool], seconds: float = 20.0) -> bool:
        """Read until the condition holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self._chunk(0.05):
                return until()
            if until():
                return True
        return False

    def settle(self, quiet: float = 0.4, seconds: float = 20.0) -> None:
        """Read until nothing was written for a while."""
        end, size, since = time.monotonic() + seconds, len(self.out), time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < quiet:
            if not self._chunk(0.05):
                return
            if len(self.out) != size:
                size, since = len(self.out), time.monotonic()

    def _chunk(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if not ready:
            return True
        try:
            chunk = os.read(self._descriptor, 65_536)
        except OSError:
            return False
        self.out += chunk
        self._stream.feed(FOREIGN.sub(b"", chunk))
        return bool(chunk)

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    @property
    def cells(self) -> list[list[tuple[object, ...]]]:
        """Every cell as character and style."""
        buffer = self.screen.buffer
        return [
            [
                (c.data, c.fg, c.bg, c.bold, c.underscore, c.reverse)
                for c in (buffer[y][x] for x in range(self.screen.columns))
            ]
            for y in range(self.screen.lines)
        ]

    def close(self) -> int:
        """Return the exit status, after having killed what did not leave."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self._descriptor)
                return os.waitstatus_to_exitcode(status)
            self._chunk(0.05)
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self._descriptor)
        return os.waitstatus_to_exitcode(status)

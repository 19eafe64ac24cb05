"""The program in a pseudo-terminal, and what a person would see on it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyte

from tests.acceptance.program import Program

ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|.)", re.DOTALL)
# What the emulator would print: the keyboard protocol, and queries with an intermediate `$`.
_UNKNOWN = re.compile(rb"\x1b\[[<>=?][0-9;]*u|\x1b\[\?[0-9]+\$p")
_TERMINAL = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


class Screen:
    """`infertop WORDS` on a terminal of its own; `out` is all that it wrote."""

    def __init__(self, program: Program, *words: str, columns: int = 140, rows: int = 40, **options: Any) -> None:
        self.out = bytearray()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = program.environment | _TERMINAL
        options |= {"stdin": inner, "stdout": inner, "stderr": inner, "env": environment, "text": False}
        self.process = program.start(*words, start_new_session=True, **options)
        os.close(inner)

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(self._screen.display)

    @property
    def printed(self) -> str:
        """Everything that was written, without the escape sequences."""
        return ESCAPE.sub(b"", bytes(self.out)).decode()

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Read until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or not self._read():
                raise AssertionError(f"not on the screen within {seconds:g} s:\n{self.text}")

    def shows(self, *texts: str) -> None:
        """Read until all of these stand on the screen."""
        self.until(lambda: all(text in self.text for text in texts))

    def leave(self) -> int:
        """Press q, and return the exit status."""
        self.press("q")
        end = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < end:
            self._read()
        return self.process.wait(1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self._terminal)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], 0.05)
        if not ready:
            return True
        try:
            chunk = os.read(self._terminal, 65_536)
        except OSError:
            return False
        self.out += chunk
        self._stream.feed(_UNKNOWN.sub(b"", chunk))
        return bool(chunk)


@contextmanager
def on_screen(program: Program, *words: str, **options: Any) -> Iterator[Screen]:
    """Run infertop on a terminal while the block runs."""
    screen = Screen(program, *words, **options)
    try:
        yield screen
    finally:
        screen.close()

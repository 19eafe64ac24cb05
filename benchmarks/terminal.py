"""A terminal program measured from outside, as the person in front of it feels it.

    python benchmarks/terminal.py [--seconds 15] [--settle 4] [--keys 40] -- infertop --demo

The program gets a pseudo-terminal of 160x45 cells that answers as a modern one does.
  first paint   seconds until 200 visible characters have been drawn, and the CPU time spent until then
  cpu, rss      of the program and all its children, over --seconds after --settle seconds
  bytes/s       what it writes to the terminal in that time
  key -> paint  from a key press (Down and Up by turns) until the first byte that follows
CPU time is from /proc, so this needs Linux.
"""

from __future__ import annotations

import argparse
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple, Self

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.figures import figure, heading, quantile

ROWS, COLUMNS = 45, 160
DRAWN = 200
UP_AND_DOWN = (b"\x1b[B", b"\x1b[B", b"\x1b[B", b"\x1b[A", b"\x1b[A", b"\x1b[A")
_PAINT_SECONDS = 30.0
_LEAVE_SECONDS = 8.0
_KEY_SECONDS = 0.6
_BETWEEN_KEYS_SECONDS = 0.087  # no divisor of a second, so that presses fall everywhere between two ticks
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGESIZE")
_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|.)", re.DOTALL)
# What Textual asks: is synchronised output known (yes, and off), and where is the cursor.
_ANSWERS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[6n": b"\x1b[1;1R"}


class Paint(NamedTuple):
    """When the first picture was out: seconds on the clock, and seconds of CPU."""

    seconds: float
    cpu_seconds: float


class Steady(NamedTuple):
    """What a program costs while nobody touches it: cores, bytes of memory, bytes a second to the terminal."""

    cpu: float
    rss: float
    bytes_per_second: float


class Program:
    """A command in a terminal of its own, until the `with` block ends."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self.output = bytearray()
        self.ended = False
        self._began = time.monotonic()
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            _become(command, environ or {}, cwd)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.ended:
            os.kill(self._pid, signal.SIGTERM)
            self.read(_LEAVE_SECONDS, lambda: self.ended)
        if not self.ended:
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def first_paint(self) -> Paint:
        """Wait for the first picture."""
        self.read(_PAINT_SECONDS, lambda: self.visible() >= DRAWN)
        return Paint(time.monotonic() - self._began, self.cpu_seconds())

    def steady(self, seconds: float) -> Steady:
        """Watch for some seconds."""
        began, cpu, size = time.monotonic(), self.cpu_seconds(), len(self.output)
        self.read(seconds)
        took = time.monotonic() - began
        return Steady((self.cpu_seconds() - cpu) / took, self.rss(), (len(self.output) - size) / took)

    def answers(self, count: int, keys: Sequence[bytes] = UP_AND_DOWN) -> list[float]:
        """Press keys by turns and return how many milliseconds each took to be answered; keys without are left out."""
        found = []
        for _, key in zip(range(count), cycle(keys)):
            self.read(_BETWEEN_KEYS_SECONDS)
            size, pressed = len(self.output), time.monotonic()
            os.write(self._terminal, key)
            if self.read(_KEY_SECONDS, lambda size=size: len(self.output) > size):
                found.append((time.monotonic() - pressed) * 1000)
        return found

    def read(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Take what is written for so many seconds, or until `until()` holds; return whether it came to hold."""
        end = time.monotonic() + seconds
        while not self.ended and (left := end - time.monotonic()) > 0:
            if select.select([self._terminal], [], [], left)[0]:
                self._take()
            if until is not None and until():
                return True
        return until is not None and until()

    def visible(self) -> int:
        """Return how many characters that are no blanks have been drawn."""
        return len(re.sub(rb"\s", b"", _ESCAPE.sub(b"", bytes(self.output[:200_000]))))

    def cpu_seconds(self) -> float:
        """Return the CPU time of the program and its children."""
        ticks = 0
        for stat in _stats(self._pid):
            ticks += int(stat[11]) + int(stat[12])
        return ticks / _TICKS

    def rss(self) -> float:
        """Return the bytes of memory of the program and its children."""
        return float(sum(int(stat[21]) for stat in _stats(self._pid)) * _PAGE)

    def _take(self) -> None:
        try:
            chunk = os.read(self._terminal, 65536)
        except OSError:
            chunk = b""
        self.ended = not chunk
        self.output += chunk
        for question, answer in _ANSWERS.items():
            if question in chunk:
                os.write(self._terminal, answer)


def _become(command: Sequence[str], environ: Mapping[str, str], cwd: Path | None) -> None:
    try:
        os.chdir(cwd or ".")
        os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **environ})
        os.execvp(command[0], command)
    finally:
        os._exit(127)


def _stats(pid: int) -> Iterator[list[str]]:
    """Read /proc/PID/stat of a process and its descendants, from the third field on."""
    family = {str(pid)}
    for entry in sorted((each for each in os.listdir("/proc") if each.isdigit()), key=int):
        try:
            stat = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if entry in family or stat[1] in family:
            family.add(entry)
            yield stat


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one program and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--settle", type=float, default=4.0)
    parser.add_argument("--keys", type=int, default=40)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    told = parser.parse_args(arguments)
    command = [word for word in told.command if word != "--"]
    if not command:
        parser.error("which program?")
    heading(" ".join(command))
    with Program(command) as program:
        paint = program.first_paint()
        program.read(told.settle)
        steady = program.steady(told.seconds)
        delays = program.answers(told.keys)
    figure("first paint", paint.seconds, "s")
    figure("CPU to first paint", paint.cpu_seconds, "s")
    figure("CPU", steady.cpu * 100, "%")
    figure("memory", steady.rss / 1e6, "MB")
    figure("to the terminal", steady.bytes_per_second / 1000, "KB/s")
    figure(f"key to paint, p50 of {len(delays)}", quantile(delays, 0.5), "ms")
    figure("key to paint, p95", quantile(delays, 0.95), "ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())

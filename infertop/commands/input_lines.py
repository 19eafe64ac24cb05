"""The lines of a file or pipe, as they come, within bounds: a line of any length costs no more memory than the longest
that is taken.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from infertop.readings.safe import safe

LONGEST = 1_000_000
_READ_BYTES = 256 * 1024
_BOM = b"\xef\xbb\xbf"
STDIN = "-"


class Unreadable(Exception):  # noqa: N818 - it reads as the sentence it carries
    """A file cannot be read; the text is a sentence for the person at the screen."""


@contextmanager
def opened(name: str) -> Iterator[int]:
    """Give a file descriptor of the file `name`, or of stdin for "-"; raise Unreadable where there is none."""
    if name == STDIN:
        if sys.stdin is None:
            raise Unreadable("stdin is closed")
        yield sys.stdin.fileno()
        return
    try:
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise Unreadable(f"{shown(name)} could not be read: {_reason(error)}") from None
    try:
        yield file
    finally:
        os.close(file)


def shown(name: str) -> str:
    """Return what a file is called in a sentence."""
    return "stdin" if name == STDIN else safe(name)


def _reason(error: OSError | ValueError) -> str:
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else "bad name"


def read_some(file: int, name: str, size: int = _READ_BYTES) -> bytes:
    """Return some bytes, none at the end; raise Unreadable where reading fails."""
    try:
        return os.read(file, size)
    except OSError as error:
        raise Unreadable(f"{shown(name)} could not be read: {_reason(error)}") from None


def line_batches(file: int, name: str, longest: int = LONGEST) -> Iterator[list[bytes | None]]:
    """Iterate over the lines that each read of the file descriptor ends, without their newlines.

    `name` is what the file is called where it cannot be read. A line of more than `longest` bytes is None. What a
    person or a pipe sends is there as soon as it was sent: a read waits for some bytes, not for many.
    """
    held: list[bytes] = []
    size = 0
    first_line = True
    while chunk := read_some(file, name):
        first, *more = chunk.split(b"\n")
        size += len(first)
        if size <= longest:
            held.append(first)
        elif held:
            held.clear()  # what is too long to be taken is too long to be kept
        if not more:
            continue
        *whole, last = more
        yield [_line(held, size, longest, first_line), *(each if len(each) <= longest else None for each in whole)]
        held, size, first_line = [last] if len(last) <= longest else [], len(last), False
    if size:
        yield [_line(held, size, longest, first_line)]


def _line(parts: list[bytes], size: int, longest: int, first: bool) -> bytes | None:
    if size > longest:
        return None
    line = b"".join(parts)
    return line.removeprefix(_BOM) if first else line

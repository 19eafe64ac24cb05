"""From the bytes of pricing.toml to settings, or to every mistake in it."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any

from infertop.money.schema import BROKEN, Mistakes, Reader, spelt
from infertop.money.secret_shape import looks_secret
from infertop.money.sections import read_settings
from infertop.money.settings import Settings
from infertop.money.toml_lines import Path, key_lines
from infertop.money.toml_twice import first_line, is_header, is_twice, path_of
from infertop.readings.safe import safe

Kinds = Mapping[str, Collection[str]]
"""The kinds of sources, each with the names of its own options."""

SIZE_LIMIT = 1_000_000
_MISTAKES_SHOWN = 200
_SYNTAX_TRIES = 20
_MENDED_SIZE = 100_000
# tomllib takes time and memory by the square of a key's parts; this many dots outside of quotes are no key of ours.
_DOTS_LIMIT = 32
_QUOTED = re.compile(r""""(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|#[^\n]*""")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_LONG_NUMBER = re.compile(r"[0-9_]{4000,}")
_ASSIGNMENT = re.compile(r"""(\s*(?:[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')\s*=)""")


def load(path: FilePath, kinds: Kinds | None = None) -> Settings:
    """Return the settings of the file at `path`; raise `Mistakes` with everything that is wrong with it.

    `kinds` are the kinds of [[source]] and their options; None takes any.
    """
    return parse(read_file(path), path.name, kinds)


def read_file(path: FilePath) -> bytes:
    """Return the content of a regular file of at most 1 MB, or raise `Mistakes`."""
    name = safe(path)
    try:
        # O_NONBLOCK: a FIFO under this name must not hold anybody up.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(file, "rb") as opened:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise Mistakes([f"{name} is not a file"])
            content = opened.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "bad name"
        raise Mistakes([f"{name} could not be read: {reason.lower()}"]) from None
    if len(content) > SIZE_LIMIT:
        raise Mistakes([f"{name} has more than {SIZE_LIMIT // 1000} kB: it is not read"])
    return content


def parse(content: bytes, file: str = "pricing.toml", kinds: Kinds | None = None) -> Settings:
    """Return the settings that `content` holds; raise `Mistakes` with everything that is wrong with it."""
    file = safe(file, 80)
    text = _text(content, file)
    _refuse_long_keys(text, file)
    raw, text, mistakes = _parse_toml(text, file)
    reader = Reader(file, key_lines(text))
    if raw is None:
        raise Mistakes(sentence for _, sentence in mistakes)
    for path, value in _strings(raw):
        if value == BROKEN:
            reader.ignore(path)
        elif looks_secret(value):
            reader.wrong(path, "holds what looks like a key: never the key itself, use key_env or key_file")
    for name in raw:
        if name.startswith(BROKEN):
            reader.ignore((name,))
    settings = read_settings(reader, raw, kinds)
    mistakes = sorted(mistakes + reader.mistakes())
    if mistakes:
        shown = [sentence for _, sentence in mistakes[:_MISTAKES_SHOWN]]
        more = len(mistakes) - len(shown)
        raise Mistakes([*shown, f"{file}: and {more} more mistakes"] if more else shown)
    return settings


def _text(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Mistakes([f"{file}:{line}: is not UTF-8: save the file as UTF-8"]) from None


def _refuse_long_keys(text: str, file: str) -> None:
    for line, row in enumerate(_QUOTED.sub("", text).split("\n"), start=1):
        if row.count(".") > _DOTS_LIMIT:
            raise Mistakes([f"{file}:{line}: has more than {_DOTS_LIMIT} dots, which no key has"])


def _parse_toml(text: str, file: str) -> tuple[dict[str, Any] | None, str, list[tuple[int, str]]]:
    """Return what TOML gives, the text that gave it, and the mistakes of syntax with their lines.

    A line `key = nonsense` is noted, its value replaced by `BROKEN`, and the rest is read: so that one slip does not
    hide the others. Where the slip is elsewhere nothing after it can be trusted, and there is no result.
    """
    mistakes: dict[int, str] = {}
    for _ in range(_SYNTAX_TRIES):
        try:
            return tomllib.loads(text, parse_float=_decimal), text, sorted(mistakes.items())
        except RecursionError:
            mistakes[1] = f"{file}:1: is nested too deeply"
            break
        except ValueError as error:
            line, sentence = _syntax(str(error), text, file)
            mistakes.setdefault(line, sentence)
            mended = _mended(text, line, twice=is_twice(str(error)))
            if mended is None:
                break
            text = mended
    return None, text, sorted(mistakes.items())


def _decimal(number: str) -> Decimal:
    try:
        return Decimal(number)
    except ArithmeticError:
        return Decimal("NaN")


def _syntax(error: str, text: str, file: str) -> tuple[int, str]:
    place = _PLACE.search(error)
    if place and place[1] and is_twice(error):
        return int(place[1]), f"{file}:{place[1]}: {_twice(text.split(chr(10)), int(place[1]))}"
    if place and place[1]:
        return int(place[1]), f"{file}:{place[1]}: column {place[2]}: {safe(error[: place.start()], 200)}"
    if place:
        line = text.count("\n") + 1
        return line, f"{file}:{line}: at the end: {safe(error[: place.start()], 200)}"
    number = _LONG_NUMBER.search(text)
    line = text.count("\n", 0, number.start()) + 1 if number else 1
    return line, f"{file}:{line}: a number has too many digits"


def _twice(rows: Sequence[str], line: int) -> str:
    path = path_of(rows, line)
    if not path:
        return "something is here a second time: keep one"
    first = first_line(rows, path, line)
    what = "put all of its keys under one heading" if is_header(rows[line - 1]) else "keep one"
    return f"{spelt(path)} is here a second time{f', first on line {first}' if first else ''}: {what}"


def _mended(text: str, line: int, *, twice: bool) -> str | None:
    """Return `text` with the value on `line` replaced by `BROKEN`, or None where that line is no whole assignment.

    A table that is there `twice` goes on under a name of its own, so that the rest is read.
    """
    rows = text.split("\n")
    row = rows[line - 1] if line <= len(rows) else ""
    if twice and is_header(row) and len(text) <= _MENDED_SIZE:
        rows[line - 1] = f'["{BROKEN}{line}"]'
        return "\n".join(rows)
    match = _ASSIGNMENT.match(row)
    whole = row.count("[") == row.count("]") and row.count("{") == row.count("}")
    if match is None or not whole or '"""' in row or "'''" in row or len(text) > _MENDED_SIZE:
        return None
    # A line that is wrong even so repeats a key.
    rows[line - 1] = "" if BROKEN in row else f'{match[1]} "{BROKEN}"'
    return "\n".join(rows)


def _strings(raw: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(raw, str):
        yield path, raw
    elif isinstance(raw, dict):
        for key, value in raw.items():
            yield from _strings(value, (*path, key))
    elif isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _strings(value, (*path, index))

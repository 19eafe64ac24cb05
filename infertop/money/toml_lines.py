"""Where each key of a TOML text stands: the line numbers that tomllib does not keep.

It reads texts that tomllib has accepted, so it tells the parts of valid TOML apart and checks nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress

# Keys are str, elements of arrays are int: ("budget", 0, "limit_usd").
Path = tuple[str | int, ...]
Lines = Mapping[Path, int]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INDENT = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}'''
    r"""|'{3}.*?'{3,5}"""
    r'''|"(?:[^"\\\n]|\\.)*"'''
    r"""|'[^'\n]*'""",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def key_lines(text: str) -> dict[Path, int]:
    """Return the line (from 1) of every key, table and array element of `text`; of a table, its header's."""
    scanner = _Scanner(text)
    with suppress(RecursionError):  # nested deeper than anything that is looked up
        scanner.document()
    return scanner.lines


def line_of(lines: Lines, path: Path) -> int:
    """Return the line of `path`, or of the nearest thing that contains it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._counted_to = 0
        self._line = 1
        self._tables: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self._blank() < len(self.text):
            start = self.at
            if self.text[start] == "[":
                table = self._header()
            else:
                self._pair(table)
            if self.at == start:
                return

    def _header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]` and return the path of the table that it opens."""
        line = self._here()
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        *parents, last = self._key()
        path: Path = ()
        for part in parents:
            path = self._newest((*path, part))
            self.lines.setdefault(path, line)
        path = (*path, last)
        if array:
            self._tables[path] = self._tables.get(path, 0) + 1
            self.lines.setdefault(path, line)
        path = self._newest(path)
        self.lines[path] = line
        self.at += 2 if array else 1
        return path

    def _newest(self, path: Path) -> Path:
        """Return the path of the last element where `path` is an array of tables, else `path`."""
        return (*path, self._tables[path] - 1) if path in self._tables else path

    def _pair(self, table: Path) -> None:
        line = self._here()
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._value(path)

    def _key(self) -> list[str]:
        """Read a key with its dots and stop at the character that ends it."""
        parts = []
        while match := _KEY.match(self.text, self._indent()):
            self.at = match.end()
            parts.append(_unquoted(match[0]))
            if self.text[self._indent() : self.at + 1] != ".":
                break
            self.at += 1
        return parts or [""]

    def _value(self, path: Path) -> None:
        start = self._indent()
        first = self.text[start : start + 1]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        elif match := (_STRING if first in "\"'" else _SCALAR).match(self.text, start):
            self.at = match.end()

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.text[self._blank() : self.at + 1] not in ("]", ""):
            start = self.at
            self.lines[*path, index] = self._here()
            self._value((*path, index))
            index += 1
            self._skip(",")
            if self.at == start:
                return
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self.text[self._blank() : self.at + 1] not in ("}", ""):
            start = self.at
            self._pair(path)
            self._skip(",")
            if self.at == start:
                return
        self.at += 1

    def _skip(self, character: str) -> None:
        if self.text.startswith(character, self._blank()):
            self.at += 1

    def _blank(self) -> int:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _indent(self) -> int:
        match = _INDENT.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _here(self) -> int:
        self._line += self.text.count("\n", self._counted_to, self.at)
        self._counted_to = self.at
        return self._line


def _unquoted(key: str) -> str:
    if key.startswith('"'):
        with suppress(ValueError):
            return str(tomllib.loads(f"key = {key}")["key"])
    return key.strip("'") if key.startswith("'") else key

"""Reading tables by a schema: every mistake is noted with its line, and reading goes on.

A schema is a mapping of key to `Key`. What is well-formed comes out converted; what is not becomes a sentence.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infertop.money.secret_shape import looks_secret
from infertop.money.toml_lines import Lines, Path, line_of
from infertop.readings.safe import safe

# Stands for a value that could not be parsed: its own mistake is known already.
BROKEN = "\N{REPLACEMENT CHARACTER}broken"


# A name or a glob that is longer means nothing that a meter says.
NAME_LIMIT = 512


class Mistakes(Exception):  # noqa: N818 - it reads as the list that it is
    """What is wrong with a file: sentences with file name and line, in the order of the lines."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("\n".join(self.sentences))


class Wrong(Exception):  # noqa: N818 - raised by a check with the end of a sentence
    """A value is not what its key takes; the text goes on after the key's name: "must be a number above 0".

    `at` leads from the value to the part of it that is wrong, `others` are what else is wrong with it.
    """

    def __init__(self, text: str, at: Path = (), others: Iterable[Wrong] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.at = at
        self.others = tuple(others)


Check = Callable[[object], Any]
"""Takes what TOML gave and returns what the settings hold, or raises `Wrong`."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table: how its value is checked, and whether it must be there."""

    check: Check
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What was read of a table: the good values by key. `good` is False where anything in it was wrong."""

    path: Path
    values: dict[str, Any]
    good: bool

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default` where the file does not have it."""
        return self.values.get(key, default)

    def given(self, *keys: str) -> dict[str, Any]:
        """Return those of `keys` that the file has, for a constructor that knows the defaults."""
        return {key: self.values[key] for key in keys if key in self.values}


@dataclass(slots=True)
class Reader:
    """Reads the tables of one file and keeps what is wrong with them, one mistake for each path."""

    file: str
    lines: Lines
    _found: dict[Path, str] = field(default_factory=dict)
    _known: set[Path] = field(default_factory=set)

    def where(self, path: Path) -> str:
        """Return file and line of `path`: "pricing.toml:4"."""
        return f"{self.file}:{line_of(self.lines, path)}"

    def mistakes(self) -> list[tuple[int, str]]:
        """Return line and sentence of every mistake so far."""
        return sorted((line_of(self.lines, path), f"{self.where(path)}: {text}") for path, text in self._found.items())

    def wrong(self, path: Path, text: str) -> None:
        """Note that what is at `path` is wrong: `text` goes on after its name."""
        self.note(path, f"{spelt(path)} {text}")

    def note(self, path: Path, sentence: str) -> None:
        """Note a whole sentence about `path`; the first one for a path stands."""
        if path not in self._known:
            self._known.add(path)
            self._found[path] = sentence

    def ignore(self, path: Path) -> None:
        """Say no more about `path`."""
        self._known.add(path)

    def table(
        self,
        raw: object,
        path: Path,
        keys: Mapping[str, Key],
        unknown: Callable[[str, object], str] | None = None,
    ) -> Table:
        """Read one table; `unknown` may have more to say of a key that is not among `keys` than the nearest one."""
        if not isinstance(raw, dict):
            self.wrong(path, "must be a table")
            return Table(path, {}, False)
        values: dict[str, Any] = {}
        hints = ""
        for name, value in raw.items():
            at = (*path, name)
            if name not in keys:
                hint = (unknown and unknown(name, value)) or nearest(name, keys)
                self.note(at, f'unknown key "{shown(name)}"{" in " if path else ""}{spelt(path)}{hint}')
                hints += hint
                continue
            try:
                values[name] = keys[name].check(value)
            except Wrong as wrong:
                if value != BROKEN:
                    for each in (wrong, *wrong.others):
                        self.wrong((*at, *each.at), each.text)
        for name, key in keys.items():
            # A key that is only misspelt is not told to be missing too.
            if key.required and name not in raw and f'"{name}"' not in hints:
                self.note((*path, name), f"{spelt(path)} needs {name}")
        good = len(values) == len(raw) and all(name in raw for name, key in keys.items() if key.required)
        return Table(path, values, good)

    def tables(self, raw: object, path: Path) -> list[tuple[Path, object]]:
        """Return the tables of an array of tables with their paths."""
        if isinstance(raw, list):
            return [((*path, index), each) for index, each in enumerate(raw)]
        if raw is not None:
            name = spelt(path)
            hint = f": write [[{name}]] instead of [{name}]" if isinstance(raw, dict) else f": write [[{name}]]"
            self.wrong(path, f"must be an array of tables{hint}")
        return []

    def named_tables(self, raw: object, path: Path) -> list[tuple[Path, object]]:
        """Return the tables of a table of tables, whose keys are names that the user chose, with their paths.

        A name may have an array of tables: each of them is returned, with its index at the end of its path.
        """
        if raw is None:
            return []
        if not isinstance(raw, dict):
            self.wrong(path, f'must be tables with a name: [{spelt(path)}."NAME"]')
            return []
        found: list[tuple[Path, object]] = []
        for name, value in raw.items():
            at = (*path, name)
            if not name.strip():
                self.wrong(at, f'must have a name that is not empty: [{spelt(path)}."NAME"]')
            elif len(name) > NAME_LIMIT:
                self.wrong(at, f"must have a name of at most {NAME_LIMIT} characters")
            elif isinstance(value, list) and value:
                found += [((*at, index), each) for index, each in enumerate(value)]
            elif isinstance(value, dict):
                found.append((at, value))
            else:
                self.wrong(at, f'must stand under a name: [{spelt(path)}."NAME"]')
        return found


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean "..."?` for the known name that is most like `name`, or nothing."""
    close = difflib.get_close_matches(name[:64].lower(), list(known), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def spelt(path: Path) -> str:
    """Return a path as one would write it: `budget[0].limit_usd`, `gpu."NVIDIA H100".usd_per_hour`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        bare = part.isascii() and part.replace("-", "a").replace("_", "a").isalnum()
        text += ("." if text else "") + (shown(part) if bare else f'"{shown(part)}"')
    return text


def shown(name: str) -> str:
    """Return a name from the file as a message may show it: never a secret, never an escape code."""
    return "..." if looks_secret(name) else safe(name, 60)

"""What stands twice in a TOML text, which TOML forbids: its name, and where it stands first."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

from infertop.money.toml_lines import Path, key_lines

_SAID = ("Cannot declare", "Cannot overwrite", "Cannot mutate", "Duplicate inline table key")
_KEY = re.compile(r"""(?:[^"'=#]|"(?:[^"\\]|\\.)*"|'[^']*')*""")


def is_twice(error: str) -> bool:
    """Say whether this is what tomllib says of a key or a table that is there already."""
    return error.startswith(_SAID)


def is_header(row: str) -> bool:
    """Say whether a line opens a table."""
    return row.lstrip().startswith("[")


def path_of(rows: Sequence[str], line: int) -> Path:
    """Return the path of what is on a line (from 1), empty where the line is no header and no assignment."""
    row = rows[line - 1] if line <= len(rows) else ""
    if is_header(row):
        return _keys(row)
    own = _keys(f"{match[0]} = 0") if (match := _KEY.match(row)) and row[match.end() :].startswith("=") else ()
    return (*_table(rows[: line - 1]), *own) if own else ()


def first_line(rows: Sequence[str], path: Path, before: int) -> int | None:
    """Return the first line of a path above the line `before`, None where it is not found."""
    return key_lines("\n".join(rows[: before - 1]) + "\n").get(path)


def _table(rows: Sequence[str]) -> Path:
    """Return the path of the table that is open after these lines: of an array of tables, the newest."""
    header = next((row for row in reversed(rows) if is_header(row) and _keys(row)), "")
    path: Path = ()
    lines = key_lines("\n".join(rows) + "\n")
    for part in _keys(header):
        path = (*path, part)
        newest = [at[len(path)] for at in lines if at[: len(path)] == path and len(at) > len(path)]
        indices = [each for each in newest if isinstance(each, int)]
        path = (*path, max(indices)) if indices else path
    return path


def _keys(row: str) -> Path:
    """Return the names in a header or an assignment that stands alone."""
    try:
        raw: object = tomllib.loads(row)
    except (ValueError, RecursionError):
        return ()
    path: list[str] = []
    while isinstance(raw, dict | list) and raw:
        if isinstance(raw, list):
            raw = raw[0]
            continue
        ((name, raw),) = raw.items()
        path.append(name)
    return tuple(path)

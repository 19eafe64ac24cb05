"""Which columns of a CSV file are the time and the value: by their names, then by what can be read."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from infertop.commands.series_lines import NoPoint, Point, point, seconds_of, value_of

DELIMITERS = (",", ";", "\t", "|")
SAMPLED = 20
# What the two columns are called, the best first: alone, else as a word of a longer name ("usage_start_time").
_TIMES = (
    "timestamp",
    "time",
    "ts",
    "datetime",
    "date",
    "ds",
    "hour",
    "day",
    "minute",
    "start",
    "bucket",
    "period",
    "at",
)
_VALUES = (
    "value", "usd", "cost", "costs", "spend", "spent", "amount", "price", "total", "sum", "y", "count", "requests",
    "tokens", "usage", "quantity",
)  # fmt: skip
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_WORD = re.compile(r"[a-z]+")
_LETTER = re.compile(r"[^\W\d_]")
# What a value that is missing is called by who writes one: such a line is no header.
_NO_NUMBER = {"nan", "inf", "infinity", "none", "null", "na", "n/a"}


class Layout(NamedTuple):
    """How lines are read: what parts their fields, and which of these are the time and the value.

    `names` are those of the columns, where a line has them; that line and what comes before it are `skipped` lines.
    `doubt` says that other columns could be the value.
    """

    delimiter: str
    time: int
    value: int
    names: tuple[str, ...] = ()
    skipped: int = 0
    doubt: bool = False

    def point(self, line: str) -> Point:
        """Return the point of a line; raise NoPoint."""
        columns = fields(line, self.delimiter)
        if len(columns) <= max(self.time, self.value):
            raise NoPoint("needs a timestamp and a value, in as many columns as the first lines have")
        return point(columns[self.time], columns[self.value], self.delimiter)


def layout(lines: Sequence[str]) -> Layout | None:
    """Return how a file is read that begins with these lines; None where none of them has two columns."""
    found = [made for delimiter in DELIMITERS if (made := _parted(lines, delimiter)) is not None]
    return max(found, key=lambda each: _readable(lines, each), default=None)


def fields(line: str, delimiter: str) -> list[str]:
    """Return the fields of a line without quotes and blanks around them; raise NoPoint."""
    if '"' not in line:
        return [each.strip() for each in line.split(delimiter)]
    try:
        return [each.strip(' "\r\n') for each in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]
    except (csv.Error, StopIteration):
        raise NoPoint("has quotes that do not end") from None


def _parted(lines: Sequence[str], delimiter: str) -> Layout | None:
    parted = [(at, row) for at, line in enumerate(lines) if len(row := _fields(line, delimiter)) > 1]
    if not parted:
        return None
    first, names = _header(parted)
    rows = [row for at, row in parted if at >= first]
    times = _readable_columns(rows, lambda text: seconds_of(text) is not None)
    values = _readable_columns(rows, lambda text: value_of(text, delimiter) is not None)
    time = _chosen(names, _TIMES, times, times)
    rest = [each for each in values if each != time]
    numbers = [each for each in rest if each not in times and not _counts_rows(rows, each)] or rest
    behind = [each for each in numbers if time is not None and each > time]
    value = _chosen(names, _VALUES, rest, behind or numbers)
    if time is None or value is None or time == value:
        time, value = (0, 1) if time is None or time == value else (time, 0 if time else 1)
    named = bool(names) and _rank(names[value], _VALUES) is not None
    return Layout(delimiter, time, value, names, first, len(numbers) > 1 and not named)


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return fields(line, delimiter)
    except NoPoint:
        return []


def _header(parted: Sequence[tuple[int, list[str]]]) -> tuple[int, tuple[str, ...]]:
    """Return how many lines are before the first of values, and the names of the last of them that names columns."""
    found: tuple[int, tuple[str, ...]] = 0, ()
    for at, row in parted:
        if _is_header(row):
            found = at + 1, tuple(row)
        elif any(_is_figure(each) for each in row):
            break
    return found


def _is_figure(text: str) -> bool:
    return seconds_of(text) is not None or value_of(text) is not None or text.lower() in _NO_NUMBER


def _is_header(row: Sequence[str]) -> bool:
    """Return whether a first line names the columns, whatever it calls them: no time and no number is in it."""
    return sum(bool(_LETTER.match(each)) for each in row) > 1 and not any(map(_is_figure, row))


def _readable_columns(rows: Sequence[Sequence[str]], reads: Callable[[str], bool]) -> list[int]:
    """Return the columns of which the most can be read, in their order."""
    most = max((len(row) for row in rows), default=0)
    counts = [sum(column < len(row) and reads(row[column]) for row in rows) for column in range(most)]
    return [column for column, count in enumerate(counts) if count and 2 * count >= max(counts)]


def _chosen(names: Sequence[str], known: Sequence[str], readable: Sequence[int], unnamed: Sequence[int]) -> int | None:
    """Return the column with the best name of those that can be read, then of all; else the first of `unnamed`."""
    ranked = sorted((rank, at) for at, name in enumerate(names) if (rank := _rank(name, known)) is not None)
    for _, at in ranked:
        if at in readable:
            return at
    if unnamed:
        return unnamed[0]
    return ranked[0][1] if ranked else None


def _rank(name: str, known: Sequence[str]) -> tuple[bool, int] | None:
    words = _WORD.findall(name.lower())
    places = [known.index(word) for word in words if word in known]
    return (len(words) > 1, min(places)) if places else None


def _counts_rows(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Return whether a column is the number of the row."""
    numbers = [int(row[column]) for row in rows if column < len(row) and _WHOLE.fullmatch(row[column])]
    counts = all(after - before == 1 for before, after in pairwise(numbers))
    return len(numbers) > 1 and numbers[0] in (0, 1) and counts


def _readable(lines: Sequence[str], made: Layout) -> int:
    found = 0
    for line in lines[made.skipped :]:
        try:
            made.point(line)
        except NoPoint:
            continue
        found += 1
    return found

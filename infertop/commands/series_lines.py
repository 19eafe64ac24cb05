"""A series as a person or a spreadsheet has it: `timestamp,value` lines of a CSV file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import isfinite
from typing import NamedTuple

from infertop.readings.safe import safe

LONGEST = 10_000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_EPOCH = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_NAME = re.compile(r"[^\W\d_]")
# What a value that is missing is called by who writes one: such a line is no header.
_NO_NUMBER = {"nan", "inf", "infinity", "none", "null"}
_SHOWN = 40


class Point(NamedTuple):
    """One value of a series: the time as it was written and in epoch seconds."""

    timestamp: str
    ts: float
    value: float


class NoPoint(Exception):  # noqa: N818 - it reads as the sentence it carries
    """A line holds no point; the text is the rest of a sentence that begins with where it is."""


def is_header(line: bytes) -> bool:
    """Return whether a first line names the columns, whatever it calls them: neither a time nor a number is in it."""
    names = [name.strip(' "') for name in line.decode("utf-8", "replace").strip().split(",")]
    return len(names) > 1 and all(map(_NAME.match, names[:2])) and names[1].lower() not in _NO_NUMBER


def read_point(line: bytes | None) -> Point:
    """Return the point of a line; raise NoPoint. Times without an offset are taken for UTC."""
    if line is None:
        raise NoPoint(f"is longer than {LONGEST} bytes: it is not read")
    columns = [column.strip(' "') for column in line.decode("utf-8", "replace").strip().split(",")]
    if len(columns) < 2:
        raise NoPoint("needs a timestamp and a value with a comma between them")
    timestamp, value = columns[:2]
    return Point(timestamp, _seconds(timestamp), _value(value))


def _value(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not isfinite(value := float(text)):
        raise NoPoint(f"has the value {_said(text)}: a finite number is needed")
    return value


def _seconds(text: str) -> float:
    if _EPOCH.fullmatch(text):
        return float(text)
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        when = datetime.fromisoformat(text.replace(",", "."))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise NoPoint(
            f"has the time {_said(text)}: 2026-11-22 14:05:00, RFC 3339 or seconds since 1970 are needed"
        ) from None


def _said(text: str) -> str:
    return f'"{safe(text, _SHOWN)}"' if text else "(none)"

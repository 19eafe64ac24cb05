"""A time and a value as a person, a spreadsheet or a provider's export writes them in a line of a CSV file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import isfinite
from typing import NamedTuple

from infertop.readings.safe import safe

LONGEST = 10_000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+", re.ASCII)
_EPOCH = re.compile(r"\d{9,19}(\.\d{1,9})?", re.ASCII)
_TIME = re.compile(
    r"\d{4}([-/])\d\d\1\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?( ?(Z|UTC|GMT|[+-]\d\d(:?\d\d)?))?)?", re.ASCII
)
_ZONE = re.compile(r" ?(UTC|GMT|Z|[+-][\d:]+)$")
# Epoch times of 1973 to 2262: in seconds, milliseconds, microseconds or nanoseconds, which these never leave in doubt.
_LEAST, _MOST = 1e8, 9.3e9
_UNITS = (1, 10**3, 10**6, 10**9)
_PLAIN = len("2026-11-22 14:05:00")
_SHOWN = 40


class Point(NamedTuple):
    """One value of a series: the time as it was written and in epoch seconds."""

    timestamp: str
    ts: float
    value: float


class NoPoint(Exception):  # noqa: N818 - it reads as the sentence it carries
    """A line holds no point; the text is the rest of a sentence that begins with where it is."""


def seconds_of(text: str) -> float | None:
    """Return a time in epoch seconds, None where it is none; without an offset it is taken for UTC.

    Epoch times may be in s, ms, us or ns; what no clock of today shows, as a number of a row, is no time.
    """
    if _EPOCH.fullmatch(text):
        number = float(text)
        return next((number / unit for unit in _UNITS if _LEAST <= number / unit < _MOST), None)
    if not _TIME.fullmatch(text):
        return None
    try:
        when = datetime.fromisoformat(text if len(text) <= _PLAIN and "/" not in text else _plain(text))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _plain(text: str) -> str:
    """Return a time that `_TIME` takes as `fromisoformat` takes it."""
    day, rest = text[:10].replace("/", "-"), text[10:].replace(",", ".")
    return day + _ZONE.sub(lambda zone: "Z" if zone[1] in ("UTC", "GMT") else zone[1], rest)


def value_of(text: str, delimiter: str = ",") -> float | None:
    """Return a finite number, None where it is none: 1234.5, $1,234.50, and 1.234,50 where no comma parts columns."""
    text = text.removeprefix("$")
    if _NUMBER.fullmatch(text):
        number = float(text)
    elif delimiter == "," and _GROUPED.fullmatch(text):
        number = float(text.replace(",", ""))
    elif delimiter != "," and _DECIMAL_COMMA.fullmatch(text):
        number = float(text.replace(".", "").replace(",", "."))
    else:
        return None
    return number if isfinite(number) else None


def point(timestamp: str, value: str, delimiter: str) -> Point:
    """Return the point of two fields of a line; raise NoPoint."""
    ts = seconds_of(timestamp)
    if ts is None:
        wanted = "2026-11-22 14:05:00, RFC 3339 or seconds since 1970 are needed"
        raise NoPoint(f"has the time {_said(timestamp)}: {wanted}")
    number = value_of(value, delimiter)
    if number is None:
        raise NoPoint(f"has the value {_said(value)}: a finite number is needed")
    return Point(timestamp, ts, number)


def _said(text: str) -> str:
    return f'"{safe(text, _SHOWN)}"' if text else "(none)"

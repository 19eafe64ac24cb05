"""One line of a metrics page: the name, labels and value of a sample, or what a comment declares.

The format is Prometheus text 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). What OpenMetrics
adds to a line is passed over: exemplars, `# EOF`, `# UNIT`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Set as AbstractSet
from typing import NamedTuple

MAX_LABELS = 64
MAX_LABEL_CHARACTERS = 512
_HASH_DIGITS = 16

# `*+` and `++` never give back what they took: no input makes these patterns slower than linear.
_NAME = re.compile(rb"[ \t]*+([a-zA-Z_:][a-zA-Z0-9_:]*+)(?:[ \t]*+(\{)|[ \t])")
_LABEL = re.compile(
    rb'[ \t]*+((?!__)[a-zA-Z_][a-zA-Z0-9_]*+)[ \t]*+=[ \t]*+"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t]*+([,}])', re.DOTALL
)
_END = re.compile(rb"[ \t]*+}")
_ESCAPE = re.compile(rb'\\([\\n"])')
_COMMENT = re.compile(rb"[ \t]*+#[ \t]*+[^ \tT]")
_TYPE = re.compile(rb"[ \t]*+#[ \t]++TYPE[ \t]++([a-zA-Z_:][a-zA-Z0-9_:]*+)[ \t]++")
_TYPE_START = re.compile(rb"[ \t]*+#[ \t]++TYPE(?:[ \t]|$)")
_TYPES = frozenset(
    (b"counter", b"gauge", b"histogram", b"summary", b"untyped", b"unknown", b"info", b"stateset", b"gaugehistogram")
)


class RawSeries(NamedTuple):
    """A series as its page names it, with the labels sorted by name."""

    name: str
    labels: tuple[tuple[str, str], ...]


class Skipped(NamedTuple):
    """A line that is of no concern, as is every other line that starts with `start`."""

    start: bytes


class Fixed(NamedTuple):
    """A line that says nothing; another text in its place might."""


class Declared(NamedTuple):
    """A `# TYPE` line: `kind` is the type of `family`."""

    family: str
    kind: str


class Read(NamedTuple):
    """A sample. Every line that starts with the first `size` bytes and goes on with a value is of the same series."""

    series: RawSeries
    size: int
    value: float


class Bad(NamedTuple):
    """A line that cannot be read; `reason` completes "line 3 ..."."""

    reason: str


Verdict = Skipped | Fixed | Declared | Read | Bad


class Malformed(ValueError):  # noqa: N818 - it reads as the reason it carries
    """A part of a line that cannot be read; the text completes "line 3 ..."."""


def judge(line: bytes, wanted: AbstractSet[bytes] | None) -> Verdict:
    """Say what a line is. `wanted` are sample names with `:` written as `_`; None takes every name."""
    if found := _NAME.match(line):
        if wanted is not None and found[1].replace(b":", b"_") not in wanted:
            return Skipped(found[0])
        try:
            series, size = _head(line, found)
            return Read(series, size, number(line[size:]))
        except Malformed as problem:
            return Bad(str(problem))
    if found := _COMMENT.match(line):
        return Skipped(found[0])
    if _TYPE_START.match(line):
        return _declaration(line, wanted)
    if not (text := line.strip()) or text.startswith(b"#"):
        return Fixed()
    return Bad("does not start with a metric's name")


def number(rest: bytes) -> float:
    """Read what follows the labels: a value, perhaps a time stamp, perhaps an exemplar; only the value is kept.

    Values are those of Go's strconv that Python's float shares: no hexadecimal, no `1_000`; NaN in any case.
    """
    try:
        if b"_" not in rest:
            return float(rest)
    except ValueError:
        pass
    plain, mark, exemplar = rest.partition(b" # ")
    if mark and not exemplar.lstrip().startswith(b"{"):
        raise Malformed("goes on after its value")
    words = plain.split(None, 2)
    if not words:
        raise Malformed("has no value")
    if len(words) > 2:
        raise Malformed("goes on after its value")
    try:
        if b"_" in plain:
            raise ValueError
        return [float(word) for word in words][0]  # noqa: RUF015 - the time stamp has to be a number too
    except ValueError:
        raise Malformed("has no number for a value") from None


def _head(line: bytes, found: re.Match[bytes]) -> tuple[RawSeries, int]:
    """Read name and labels; the size is that of all before the value's blanks."""
    name = found[1].decode("ascii")
    at = found.end()
    if not found[2]:
        return RawSeries(name, ()), at
    labels: dict[str, str] = {}
    while not (end := _END.match(line, at)):
        label = _LABEL.match(line, at)
        if not label:
            raise Malformed("has labels that cannot be read")
        key = label[1].decode("ascii")
        if key in labels:
            raise Malformed("has a label twice")
        labels[key] = _text(label[2])
        if len(labels) > MAX_LABELS:
            raise Malformed(f"has more than {MAX_LABELS} labels")
        at = label.end() if label[3] == b"," else label.end() - 1
    return RawSeries(name, tuple(sorted(labels.items()))), end.end()


def _declaration(line: bytes, wanted: AbstractSet[bytes] | None) -> Verdict:
    found = _TYPE.match(line)
    if not found:
        return Bad("declares a type without a metric's name")
    if wanted is not None and found[1].replace(b":", b"_") not in wanted:
        return Skipped(found[0])
    kind = line[found.end() :].strip()
    if kind not in _TYPES:
        return Bad("declares a type that does not exist")
    return Declared(found[1].decode("ascii"), kind.decode("ascii"))


def _text(raw: bytes) -> str:
    """Decode a label's value; beyond 512 characters a hash stands for the rest, so that long values stay distinct."""
    if b"\\" in raw:
        raw = _ESCAPE.sub(lambda found: b"\n" if found[1] == b"n" else found[1], raw)
    text = raw.decode("utf-8", "replace")
    if len(text) <= MAX_LABEL_CHARACTERS:
        return text
    digest = hashlib.sha256(raw).hexdigest()[:_HASH_DIGITS]
    return f"{text[: MAX_LABEL_CHARACTERS - _HASH_DIGITS - 1]}…{digest}"

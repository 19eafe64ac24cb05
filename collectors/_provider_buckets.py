"""Buckets of usage APIs: spans with rows in them, and the statements that are made of a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from collectors._provider_pages import Row
from collectors._provider_plan import Span
from infertop.readings.model import Covered, Statement

_MOST_LABEL = 512
_LATEST = 1 << 36


class Bucket(NamedTuple):
    """What was used in [start, end), in epoch seconds, whole."""

    start: int
    end: int
    rows: Sequence[Row]

    @property
    def seconds(self) -> int:
        """How wide it is."""
        return self.end - self.start


def buckets(rows: Iterable[Row], start: str, end: str, results: str = "results") -> Iterator[Bucket]:
    """Yield the buckets of a page in order, each span once: a page that was read twice has them twice.

    `start` and `end` are the fields of their times, epoch seconds or RFC 3339. What is no bucket is left out.
    """
    found: dict[tuple[int, int], Bucket] = {}
    for row in rows:
        first, last, content = _instant(row.get(start)), _instant(row.get(end)), row.get(results)
        if first is None or last is None or not 0 <= first < last < _LATEST or not isinstance(content, list):
            continue
        found[first, last] = Bucket(first, last, [each for each in content if isinstance(each, dict)])
    return (each for _, each in sorted(found.items()))


def covered_by(read: Iterable[Bucket], scope: str, asked: Span | None) -> list[Covered]:
    """Return the spans that are told whole: all that was asked for, where it was read to its end, and every bucket."""
    spans = [(each.start, each.end) for each in read]
    if asked is not None:
        spans.append((asked.start, asked.end))
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [Covered(start, end, scope) for start, end in joined]


def dimension(row: Row, field: str) -> str | None:
    """Return what a row is grouped by as text, None where it does not say."""
    value = row.get(field)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value[:_MOST_LABEL] if isinstance(value, str) and value else None


def statement(
    bucket: Bucket,
    *,
    source: str,
    provider: str,
    family: str,
    model: str | None,
    dimensions: Mapping[str, str],
    quantities: Mapping[str, int],
    requests: int | None,
    number: int,
) -> Statement:
    """Return what a row of a bucket says; the key has everything that tells it from other rows of its family."""
    who = "|".join(f"{name}={value}" for name, value in sorted(dimensions.items()))
    return Statement(
        source=source,
        key=f"{family}|{bucket.start}+{bucket.seconds}|{number}|{model or ''}|{who}",
        start=bucket.start,
        end=bucket.end,
        provider=provider,
        model=model,
        dimensions=dimensions,
        quantities=quantities,
        requests=requests,
        usd_nano=None,
        basis="measured",
    )


def _instant(said: object) -> int | None:
    """Return a time in whole epoch seconds, None where it is none."""
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    if not isinstance(said, str) or len(said) > 40:
        return None
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    try:
        return int(at.timestamp()) if at.tzinfo else None
    except (OverflowError, ValueError, OSError):
        return None

"""Buckets of usage APIs: spans with rows in them, and the statements that are made of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from collectors._provider_pages import Paged, Row
from collectors._provider_plan import Span, oldest
from collectors._provider_round import Told
from collectors._provider_time import month_begin
from infertop.readings.figures import count
from infertop.readings.model import Covered, Statement

_MOST_LABEL = 512
_MOST_DIGITS = 15
_MOST_TIME = 40
_LATEST = 1 << 36


Unread = tuple[str, ...]
"""Names of counts in a row that are not known, and so are in no figure."""


class Bucket(NamedTuple):
    """What was used in [start, end), in epoch seconds, whole."""

    start: int
    end: int
    rows: Sequence[Row]

    @property
    def seconds(self) -> int:
        """How wide it is."""
        return self.end - self.start


Say = Callable[[str, Bucket, Row, int], tuple[Statement, Unread]]
"""Makes a statement of a family's bucket, a row of it and the row's number; raises ValueError where it cannot."""


def buckets(rows: Iterable[Row], start: str, end: str, results: str = "results") -> Iterator[Bucket]:
    """Yield the buckets of a page in order, each span once: a page that was read twice has them twice.

    `start` and `end` are the fields of their times, epoch seconds or RFC 3339. What is no bucket is left out.
    """
    found: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        if (one := _bucket(row, start, end, results)) is not None:
            found[one.start, one.end] = _both(found.get((one.start, one.end), ()), one.rows)
    return (Bucket(*span, content) for span, content in sorted(found.items()))


def _bucket(row: Row, start: str, end: str, results: str) -> Bucket | None:
    first, last, content = _instant(row.get(start)), _instant(row.get(end)), row.get(results)
    if first is None or last is None or not 0 <= first < last < _LATEST or not isinstance(content, list):
        return None
    return Bucket(first, last, [each for each in content if isinstance(each, dict)])


def fitting(read: Iterable[Bucket], asked: Span, oldest: float) -> tuple[list[Bucket], bool]:
    """Return the buckets that can stand beside all others, and whether any of what was asked is none.

    One that is wider than asked, or reaches over an edge, would count again what its neighbours do. What was not asked
    is taken only from before `oldest` (epoch seconds), from where on everything is asked in its turn.
    """
    good, odd = [], False
    for each in read:
        if (asked.start <= each.start and each.end <= asked.end and each.seconds <= asked.width) or each.end <= min(
            oldest, asked.start
        ):
            good.append(each)
        elif each.start < asked.end:
            odd = True
    return good, odd


def told_of(found: Paged, asked: Span, ts: float, where: str, say: Say, start: str, end: str) -> Told:
    """Return what pages of buckets say of a span; a row that cannot be read is left out, and told as a note."""
    read, odd = fitting(buckets(found.rows, start, end), asked, oldest(month_begin, ts))
    broken = sum(_bucket(each, start, end, "results") is None for each in found.rows)
    said: list[Statement] = []
    wrong: list[str] = []
    unread: dict[str, None] = {}
    for bucket in read:
        for number, row in enumerate(bucket.rows):
            try:
                one, names = say(asked.family, bucket, row, number)
            except ValueError as error:
                wrong.append(f"{where}: {error}")
                continue
            said.append(one)
            unread.update(dict.fromkeys(names))
    notes = [found.note]
    if odd:
        notes.append(
            f"{where} answers with buckets that do not fit the {asked.width // 60} minutes asked for: left out"
        )
    notes += wrong[:1]
    if broken:
        notes.append(f"{where} answers with {broken} buckets that have no times or no results: they are not known")
    if unread:
        notes.append(f"{where} counts {', '.join(unread)}, which this version does not know: not in any figure")
    whole = not found.note and not odd and not broken
    covered = covered_by(read, f"{asked.family}|", asked if whole else None)
    return Told(said, covered, next(filter(None, notes), ""), len(wrong), whole)


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


def counted(row: Row, name: str) -> int | None:
    """Return a count that is told as a number or as text, None where it is not; raise ValueError where it is none."""
    said = row.get(name)
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS:
        said = int(said)
    return None if said is None else count(said, name)


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


def _both(before: Sequence[Row], said: Sequence[Row]) -> list[Row]:
    """Join what two pages say of a bucket: of the same group what was said last. What is there twice counts once."""
    once = list({repr(sorted(each.items())): each for each in said}.values())
    if not before:
        return once
    groups = {_group(each) for each in once}
    return [*(each for each in before if _group(each) not in groups), *once]


def _group(row: Row) -> tuple[tuple[str, object], ...]:
    """Return what tells a row from the others of its bucket: everything that is neither a count nor an amount."""
    named = ((name, value) for name, value in row.items() if value is None or isinstance(value, str | bool))
    return tuple(sorted(((name, value) for name, value in named if name != "amount"), key=repr))


def _instant(said: object) -> int | None:
    """Return a time in whole epoch seconds, None where it is none."""
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    if not isinstance(said, str) or len(said) > _MOST_TIME:
        return None
    try:
        at = datetime.fromisoformat(said)
        return int(at.timestamp()) if at.tzinfo else None
    except (OverflowError, ValueError, OSError):
        return None

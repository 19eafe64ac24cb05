"""Reading a span of a usage API that answers with so many rows at most, and has no pages: halved until all are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from collectors._provider_pages import Row
from collectors._provider_plan import Span

MOST_ASKED = 32


class Rows(NamedTuple):
    """What one question was answered; `cut` says that there may be more."""

    rows: list[Row]
    cut: bool = False


class Whole(NamedTuple):
    """The rows of the spans that were told whole, and a note where others were not."""

    rows: list[Row]
    spans: list[Span]
    note: str = ""


async def whole(ask: Callable[[Span], Awaitable[Rows]], span: Span, where: str) -> Whole:
    """Ask for a span, by halves where an answer was cut off; what is cut at a single bucket is left out and noted."""
    rows: list[Row] = []
    told: list[Span] = []
    left = [span]
    note = ""
    for _ in range(MOST_ASKED):
        if not left:
            break
        part = left.pop()
        answer = await ask(part)
        if not answer.cut:
            rows += answer.rows
            told.append(part)
        elif part.buckets > 1:
            middle = part.start + part.buckets // 2 * part.width
            left += [part._replace(end=middle), part._replace(start=middle)]
        else:
            note = f"{where} cuts off a bucket of {part.width} s at {len(answer.rows)} rows: it is left out"
    if left:
        note = f"{where} cuts off its answers: a part of what was used is left out"
    return Whole(rows, told, note)

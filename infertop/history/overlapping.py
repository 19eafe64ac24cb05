"""When each source told that a model was used, by the ledger: what is needed to see who tells of the same requests."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from infertop.history.accounts import Account, read_accounts
from infertop.money.overlap import Place, Role, Span, Told
from infertop.money.statement_lines import COST

_REQUESTS = "requests"
# Whatever lies within one hour is one span: two that were used in turns within an hour are used at the same time.
_SPANS = """
    SELECT account, min(start), max(until) FROM lines
    WHERE account IN ({}) AND quantity > 0 AND start >= ? GROUP BY account, start / 3600"""


class Known(NamedTuple):
    """What a source is to the requests that it tells of, its kind, and what its `counts` was set to."""

    role: Role
    kind: str = ""
    counts: bool | None = None


def told(connection: sqlite3.Connection, sources: Mapping[str, Known], since: float = 0.0) -> list[Told]:
    """Return what every source tells of from `since` on, where any of them only passes on or logs what others serve.

    A source that is not among `sources` is taken for one that serves.
    """
    if not any(each.role is not Role.SERVES for each in sources.values()):
        return []
    numbers: dict[int, Place] = {
        number: Place(each.source, each.provider, each.model)
        for number, each in read_accounts(connection).items()
        if _is_use(each)
    }
    spans: dict[Place, list[Span]] = defaultdict(list)
    for number, start, until in _spans(connection, numbers, since):
        spans[numbers[number]].append((start, until))
    unknown = Known(Role.SERVES)
    return [
        Told(place, known.role, joined(spans[place]), known.kind, known.counts)
        for place in dict.fromkeys(numbers.values())
        if (known := sources.get(place.source, unknown)) and (since <= 0 or place in spans)
    ]


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans in order, those that touch or overlap as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def _is_use(account: Account) -> bool:
    return account.model is not None and (account.is_tokens or account.resource in (_REQUESTS, COST))


def _spans(connection: sqlite3.Connection, numbers: Collection[int], since: float) -> list[tuple[int, float, float]]:
    return connection.execute(_SPANS.format(",".join(map(str, numbers))), (since,)).fetchall()

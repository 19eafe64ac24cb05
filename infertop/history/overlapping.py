"""When each source told that a model was used, by the ledger: what is needed to see who tells of the same requests."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from infertop.history.accounts import Account, read_accounts
from infertop.money.overlap import Place, Role, Span, Told
from infertop.money.statement_lines import COST

_REQUESTS = "requests"
# Whatever lies within one hour is one span: two that were used in turns within an hour are used at the same time.
_SPANS = """
    SELECT account, min(start), max(until) FROM lines
    WHERE start >= ? AND quantity > 0 GROUP BY account, start / 3600"""


class Known(NamedTuple):
    """What a source is to the requests that it tells of, its kind, and what its `counts` was set to."""

    role: Role
    kind: str = ""
    counts: bool | None = None


class Uses:
    """When what was used, kept between two looks at one database: of the whole ledger at first, then of its end."""

    def __init__(self) -> None:
        self._spans: dict[Place, tuple[Span, ...]] = {}
        self._places: dict[int, Place | None] = {}

    def look(self, connection: sqlite3.Connection, since: float = 0.0) -> None:
        """Take what was used from `since` on."""
        more = read_accounts(connection, max(self._places, default=0))
        self._places |= {number: _place(each) for number, each in more.items()}
        found: dict[Place, list[Span]] = defaultdict(list)
        for number, start, until in connection.execute(_SPANS, (since,)).fetchall():
            if (place := self._places.get(number)) is not None:
                found[place].append((start, until))
        for place, spans in found.items():
            self._spans[place] = joined((*self._spans.get(place, ()), *spans))

    def told(self, sources: Mapping[str, Known]) -> list[Told]:
        """Return what every source told; one that is not among `sources` is taken for one that serves."""
        unknown = Known(Role.SERVES)
        return [
            Told(place, known.role, spans, known.kind, known.counts)
            for place, spans in self._spans.items()
            if (known := sources.get(place.source, unknown))
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


def _place(account: Account) -> Place | None:
    """Return what an account is a use of, None where it is none: time of a machine that stands idle, say."""
    if account.model is None or not (account.is_tokens or account.resource in (_REQUESTS, COST)):
        return None
    return Place(account.source, account.provider, account.model)

"""What a GPU serves of a model at full use, as far as the ledger of the last days has seen it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from infertop.history.accounts import Account, read_accounts
from infertop.history.sums import MINUTE
from infertop.history.used import Place
from infertop.money.gpu_drafts import BUSY, ENERGY, GPU_RESOURCES, IDLE
from infertop.money.whatif.capacity import Capacity, Seen, SeenMinute, capacity
from infertop.readings.model import LOCAL

DAY = 86_400
DAYS = 7
# Lines that are looked at: a week of two models, a day of a dozen, in about a tenth of a second.
_MOST_LINES = 100_000
_LINES = """
    SELECT start, account, quantity FROM lines
    WHERE start >= :since AND start < :until AND until - start <= 60 AND NOT open AND account IN ({accounts})
    ORDER BY start DESC LIMIT :most"""

_TOKENS, _BUSY, _IDLE, _UNMETERED = range(4)


class _Counts(NamedTuple):
    """Whose an account is, and what it counts."""

    place: Place
    kind: int


def capacities(connection: sqlite3.Connection, until: float) -> dict[Place, Capacity]:
    """Return what one GPU serves of each of one's own models, in tokens a second, by the days before `until`.

    That is a week at most, and the newest part of it where much is recorded. Models that held no GPU are not in it.
    See `money.whatif.capacity` for the method.
    """
    counted = _counted(read_accounts(connection))
    if not counted:
        return {}
    since = until // MINUTE * MINUTE - DAYS * DAY
    query = _LINES.format(accounts=",".join(map(str, counted)))
    lines = connection.execute(query, {"since": since, "until": until, "most": _MOST_LINES}).fetchall()
    if len(lines) == _MOST_LINES:
        first = lines[-1][0]  # of which some may be missing
        lines = [line for line in lines if line[0] != first]
    seen: dict[Place, Seen] = defaultdict(Seen)
    for place, minute in _minutes(lines, counted):
        seen[place].add(minute)
    back = until - lines[-1][0] if lines else 0.0
    return {place: capacity(each, _window(back)) for place, each in seen.items()}


def _window(seconds: float) -> str:
    """Return how far back was looked, in words."""
    if seconds > 2 * DAY:
        return f"{round(seconds / DAY)} days"
    return f"{round(seconds / 3600)} h" if seconds > 2 * 3600 else f"{round(seconds / 60)} min"


def _minutes(
    lines: Iterable[tuple[int, int, int]], counted: Mapping[int, _Counts]
) -> Iterator[tuple[Place, SeenMinute]]:
    for _, group in groupby(lines, key=itemgetter(0)):
        sums: dict[Place, list[int]] = {}
        for _, number, quantity in group:
            place, kind = counted[number]
            sums.setdefault(place, [0, 0, 0, 0])[kind] += quantity
        for place, (tokens, busy, idle, unmetered) in sums.items():
            held = busy + idle + unmetered
            if held:
                yield place, SeenMinute(tokens, held, None if unmetered else busy)


def _counted(accounts: Mapping[int, Account]) -> dict[int, _Counts]:
    """Return the accounts of tokens and GPU time of one's own models that ever held a GPU."""
    found: dict[int, _Counts] = {}
    for number, account in accounts.items():
        if account.model is None or account.provider != LOCAL or account.is_gap or account.resource == ENERGY:
            continue
        place = Place(account.source, account.provider, account.model)
        if account.is_tokens:
            found[number] = _Counts(place, _TOKENS)
        elif account.resource in GPU_RESOURCES:
            found[number] = _Counts(place, {BUSY: _BUSY, IDLE: _IDLE}.get(account.resource, _UNMETERED))
    held = {each.place for each in found.values() if each.kind != _TOKENS}
    return {number: each for number, each in found.items() if each.place in held}

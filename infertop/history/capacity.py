"""What a GPU serves of a model at full use, as far as the ledger of the last days has seen it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum

from infertop.history.accounts import LOCAL, Account, read_accounts
from infertop.history.sums import MINUTE
from infertop.history.used import Place
from infertop.money.gpu_drafts import BUSY, ENERGY, GPU_RESOURCES, IDLE
from infertop.money.whatif.capacity import Capacity, Minutes, capacity

DAYS = 7


class _Kind(IntEnum):
    TOKENS, BUSY, IDLE, UNMETERED = range(4)


# One pass over the lines, the minutes of each place summed as they come; what is flagged as a gap has no account here.
_MINUTES = """
    WITH places(account, place, kind) AS (VALUES {places}),
    minutes AS (
        SELECT place, start, sum(iif(kind = 0, quantity, 0)) AS tokens, sum(iif(kind = 1, quantity, 0)) AS busy,
            sum(iif(kind > 0, quantity, 0)) AS held, max(kind = 3) AS unmetered
        FROM lines JOIN places USING (account)
        WHERE start >= :since AND start < :until AND until - start <= 60 AND NOT open GROUP BY place, start)
    SELECT place, count(*), sum(tokens), sum(busy), max(unmetered),
        max(iif(tokens > 0 AND busy >= :half * held AND held >= :least, 1000.0 * tokens / max(busy, 1), NULL)),
        max(iif(tokens > 0 AND held >= :least, 1000.0 * tokens / held, NULL))
    FROM minutes WHERE held > 0 GROUP BY place"""
_LEAST_MS = 20_000


def capacities(connection: sqlite3.Connection, until: float) -> dict[Place, Capacity]:
    """Return what one GPU serves of each of one's own models, in tokens a second, by the 7 days before `until`.

    Models that held no GPU are not in it. See `money.whatif.capacity` for the method.
    """
    numbers = _places(read_accounts(connection))
    places = list(numbers)
    rows = ",".join(f"({number},{at},{kind})" for at, each in enumerate(places) for number, kind in numbers[each])
    if not rows:
        return {}
    since = until // MINUTE * MINUTE - DAYS * 86_400
    asked = {"since": since, "until": until, "half": 0.5, "least": _LEAST_MS}
    found: dict[Place, Capacity] = {}
    for at, count, tokens, busy, unmetered, best_busy, best_held in connection.execute(
        _MINUTES.format(places=rows), asked
    ):
        measured = Minutes(
            minutes=count,
            tokens=tokens,
            busy_seconds=None if unmetered else Decimal(busy) / 1000,
            best_half_busy=None if unmetered or best_busy is None else Decimal(str(best_busy)),
            best_held=None if best_held is None else Decimal(str(best_held)),
        )
        found[places[at]] = capacity(measured, DAYS)
    return found


def _places(accounts: Mapping[int, Account]) -> dict[Place, list[tuple[int, int]]]:
    """Return the accounts of each of one's own models that held a GPU, with what each counts."""
    found: dict[Place, list[tuple[int, int]]] = defaultdict(list)
    for number, account in accounts.items():
        if account.model is None or account.provider != LOCAL or account.is_gap or account.resource == ENERGY:
            continue
        if account.is_tokens:
            kind = _Kind.TOKENS
        elif account.resource in GPU_RESOURCES:
            kind = {BUSY: _Kind.BUSY, IDLE: _Kind.IDLE}.get(account.resource, _Kind.UNMETERED)
        else:
            continue
        found[Place(account.source, account.provider, account.model)].append((number, int(kind)))
    return {place: kinds for place, kinds in found.items() if any(kind != _Kind.TOKENS for _, kind in kinds)}

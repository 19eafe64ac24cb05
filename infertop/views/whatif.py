"""The what-if page: what the traffic of a span would cost on other models and hardware, and at other sizes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from infertop.history.capacity import capacities
from infertop.history.report import coverage
from infertop.history.scopes import Scopes
from infertop.history.sums import MINUTE, coverage_ms
from infertop.history.used import Besides, besides, used
from infertop.money.lines import NANO
from infertop.money.rates import PriceBook
from infertop.money.whatif.traffic import Used
from infertop.readings.model import LOCAL
from infertop.views.whatif_market import Asked, Market
from infertop.views.whatif_shapes import WhatIfPage
from infertop.views.whatif_subject import subject
from infertop.views.whatif_together import booked, growth_together, together
from infertop.views.whatif_words import usd

__all__ = ["Asked", "whatif_page"]

_ANYTHING = Asked()
_RUNNING = "only the minute that is running was recorded so far: the next ones make this a measurement"


def whatif_page(
    connection: sqlite3.Connection,
    prices: PriceBook,
    now: float,
    since: float,
    until: float,
    asked: Asked = _ANYTHING,
    scopes: Scopes | None = None,
) -> WhatIfPage:
    """Return what the traffic of the whole minutes in [since, until) (epoch seconds) would cost elsewhere.

    That is by the prices of `now`. It reads the ledger only: `reader.ask(whatif_page, prices, now, since, until)`, in a
    thread; it takes about a tenth of a second. `scopes` say what is part of totals. The minute that is running is left
    out, as of comparisons, unless nothing else was recorded. Without traffic there are no subjects and a notice.
    """
    since, until, alone = _minutes(connection, since, until, now)
    everything = used(connection, since, until, scopes)
    concerned = [each for each in everything if asked.concerns(each) and (each.traffic.all_tokens or each.usd)]
    # The hours of reserved throughput are part of all together, and no traffic by themselves.
    found = [each for each in concerned if each.traffic.all_tokens or each.provider == LOCAL]
    market = Market(prices, now, asked, everything, capacities(connection, until))
    recorded = coverage(connection, since, until)
    subjects = [subject(each, market, recorded) for each in found]
    if len(found) > 1:
        grown = growth_together([one for one, each in zip(subjects, found, strict=True) if each.counts], asked.scale)
        whole = replace(subject(together(concerned), market, recorded), scale=grown, usd=booked(concerned))
        subjects.insert(0, whole)
    return WhatIfPage(
        at=now,
        since=since,
        until=until,
        subjects=tuple(subjects),
        notices=(
            *(f"no model of the list or pricing.toml matches --to {each}" for each in market.unmatched()),
            *((_RUNNING,) if alone and found else ()),
            *_notices(everything, found, asked, recorded),
            *_left_out(besides(connection, since, until, scopes)),
        ),
    )


def _minutes(connection: sqlite3.Connection, since: float, until: float, now: float) -> tuple[float, float, bool]:
    """Return a span as whole minutes that are over; True: only the one that is running, for there is nothing else."""
    since, over = since // MINUTE * MINUTE, min(until, now) // MINUTE * MINUTE
    running = until > over and not coverage_ms(connection, since, over) and coverage_ms(connection, over, until)
    return (since, over + MINUTE, True) if running else (since, max(over, since), False)


def _notices(everything: Sequence[Used], found: Sequence[Used], asked: Asked, recorded: float | None) -> Iterator[str]:
    if not found:
        yield _nothing(everything, asked, recorded)
    for each in found:
        if not each.traffic.all_tokens and each.provider == LOCAL:
            yield f"{each.model} on {each.source} told of no tokens in this time: there is nothing to take elsewhere"


def _left_out(found: Besides) -> Iterator[str]:
    """Yield what else was spent: with it the figures are those of comparisons and reports."""
    if found.unheld:
        yield f"GPUs that no model holds cost {usd(found.unheld)} an hour besides: they are in no figure here"
    if found.others:
        yield f"what belongs to no model costs {usd(found.others)} an hour besides: it is in no figure here"
    if found.gap_nano:
        yield f"{usd(Decimal(found.gap_nano) / NANO)} of a time in which nobody polled is in no figure here"


def _nothing(everything: Sequence[Used], asked: Asked, recorded: float | None) -> str:
    if everything and not any(asked.concerns(each) for each in everything):
        return "nothing that was recorded in this time matches --model and --source"
    if not recorded:
        return "nothing was recorded in this time: infertop record collects, a longer time may have some"
    if any(each.usd for each in everything):
        return "no tokens were recorded in this time, only hours of reserved throughput: nothing to take elsewhere"
    return "no tokens and no cost were recorded in this time: a longer time may have some"

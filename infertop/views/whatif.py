"""The what-if page: what the traffic of a span would cost on other models and hardware, and at other sizes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace

from infertop.history.capacity import capacities
from infertop.history.report import coverage
from infertop.history.used import unheld_usd, used
from infertop.money.lines import NANO
from infertop.money.overlap import Counts, all_count
from infertop.money.rates import PriceBook
from infertop.money.whatif.traffic import HOUR, Used
from infertop.readings.model import LOCAL
from infertop.views.whatif_market import Asked, Market
from infertop.views.whatif_shapes import WhatIfPage
from infertop.views.whatif_subject import subject
from infertop.views.whatif_together import growth_together, together
from infertop.views.whatif_words import usd

__all__ = ["Asked", "whatif_page"]

_ANYTHING = Asked()


def whatif_page(
    connection: sqlite3.Connection,
    prices: PriceBook,
    now: float,
    since: float,
    until: float,
    asked: Asked = _ANYTHING,
    counts: Counts = all_count,
) -> WhatIfPage:
    """Return what the traffic of [since, until) (epoch seconds) would cost elsewhere, by the prices of `now`.

    It reads the ledger only: `reader.ask(whatif_page, prices, now, since, until)`, in a thread; it takes about a tenth
    of a second. `counts` says what is part of totals. Without traffic there are no subjects and a notice.
    """
    everything = used(connection, since, until, counts)
    concerned = [each for each in everything if asked.concerns(each) and (each.traffic.all_tokens or each.usd)]
    # The hours of reserved throughput are part of all together, and no traffic by themselves.
    found = [each for each in concerned if each.traffic.all_tokens or each.provider == LOCAL]
    market = Market(prices, now, asked, everything, capacities(connection, until))
    recorded = coverage(connection, since, until)
    subjects = [subject(each, market, recorded) for each in found]
    if len(found) > 1:
        grown = growth_together([one for one, each in zip(subjects, found, strict=True) if each.counts], asked.scale)
        subjects.insert(0, replace(subject(together(concerned), market, recorded), scale=grown))
    return WhatIfPage(
        at=now,
        since=since,
        until=until,
        subjects=tuple(subjects),
        notices=(
            *(f"no model of the list or pricing.toml matches --to {each}" for each in market.unmatched()),
            *_notices(connection, everything, found, asked, since, until, recorded),
        ),
    )


def _notices(
    connection: sqlite3.Connection,
    everything: Sequence[Used],
    found: Sequence[Used],
    asked: Asked,
    since: float,
    until: float,
    recorded: float | None,
) -> Iterator[str]:
    if not found:
        yield _nothing(everything, asked, recorded)
    for each in found:
        if not each.traffic.all_tokens and each.provider == LOCAL:
            yield f"{each.model} on {each.source} told of no tokens in this time: there is nothing to take elsewhere"
    unheld = unheld_usd(connection, since, until)
    if unheld and recorded:
        hourly = unheld / NANO * HOUR / (recorded * (until - since))
        yield f"GPUs that no model holds cost {usd(hourly)} an hour besides: they are in no figure here"


def _nothing(everything: Sequence[Used], asked: Asked, recorded: float | None) -> str:
    if everything and not any(asked.concerns(each) for each in everything):
        return "nothing that was recorded in this time matches --model and --source"
    if not recorded:
        return "nothing was recorded in this time: infertop record collects, a longer time may have some"
    if any(each.usd for each in everything):
        return "no tokens were recorded in this time, only hours of reserved throughput: nothing to take elsewhere"
    return "no tokens and no cost were recorded in this time: a longer time may have some"

"""Reports, comparisons and what-ifs of the same minutes are of the same dollars."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infertop.history.ledger import Ledger
from infertop.history.reader import Reader
from infertop.history.report import report, spent
from infertop.history.scopes import Scopes
from infertop.history.used_between import used_between
from infertop.money.lines import NANO, Line
from infertop.money.overlap import Place
from infertop.views.whatif import whatif_page
from infertop.views.whatif_shapes import WhatIfPage
from infertop.views.why import comparison
from tests.history.world import booked
from tests.whatif_world import API, HOUR, LLAMA, NOON, OWN, book, gpu, minute, tokens

LOG = "claude-code"
SOME = 30.0
"""Seconds of the minute that is running."""
_RECORDED = range(20, 0, -1)


def agent(ago: int, **counts: int) -> Iterator[Line]:
    """What an agent's log tells of a minute; each class costs 0.01 USD."""
    yield from minute(ago, *tokens(replace(API, source=LOG, provider="anthropic", model="claude"), **counts))


def world(path: Path) -> Path:
    """Record 20 minutes of an engine and a provider, after 15 of an agent's log; one minute of a gap, one open."""
    lines = [
        *(line for ago in _RECORDED for line in minute(ago, *tokens(OWN, output=600), *gpu(30_000))),
        *(line for ago in _RECORDED for line in minute(ago, *tokens(API, input=1000, output=100))),
        *(line for ago in (50, 49, 48, 10) for line in agent(ago, input=500)),
        *minute(20, *tokens(replace(API, flags="gap"), input=70_000)),
        *minute(5, *gpu(0, uuid="GPU-9", source="nvml", model=None)),
    ]
    now = NOON + SOME
    booked(path, now, lines, (int(NOON) - 60 * ago for ago in _RECORDED))
    _open(path, [*minute(0, *tokens(OWN, output=300), *gpu(15_000, 30_000)), *minute(0, *tokens(API, input=9_000))])
    return path


def _open(path: Path, lines: list[Line]) -> None:
    """Write the lines of the minute that is running, and that half of it was recorded."""
    connection = sqlite3.connect(path)
    ledger = Ledger(connection)
    ledger.replace_open(lines)
    ledger.write(connection)
    connection.execute("INSERT INTO coverage VALUES (?, ?)", (int(NOON), SOME * 1000))
    connection.commit()
    connection.close()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Reader]:
    with Reader(world(tmp_path / "x.db")) as reader:
        yield reader


SCOPES = (
    Scopes(),
    Scopes(counts=lambda source, *_: source != LOG),
    # The engine told of the same in one of the minutes of the log: only the others count.
    Scopes(apart={Place(LOG, "anthropic", "claude"): ((NOON - 49 * 60, NOON - 48 * 60),)}),
)


def asked(history: Reader, scopes: Scopes) -> WhatIfPage:
    return history.ask(whatif_page, book(), NOON + SOME, NOON + SOME - HOUR, NOON + SOME, scopes=scopes)


@pytest.mark.parametrize("scopes", SCOPES)
def test_a_report_a_comparison_and_a_what_if_are_of_the_same_dollars(history: Reader, scopes: Scopes) -> None:
    page = asked(history, scopes)
    span = (page.since, page.until)
    assert span == (NOON - HOUR, NOON)  # the minute that is running is in none of them
    everything, *rest = page.subjects
    reported = history.ask(report, ("model", "source"), *span, scopes)
    by_source = {row.keys["source"]: row.usd_nano or 0 for row in reported.rows if row.counts and row.keys["model"]}
    by_source["openai"] -= 10_000_000  # a gap, of which a page and a comparison say that it is left out
    assert everything.usd == pytest.approx(sum(by_source.values()) / NANO, rel=1e-12)
    assert {each.source: each.usd for each in rest if each.source in by_source} == {
        source: pytest.approx(nano / NANO) for source, nano in by_source.items()
    }
    usage = history.ask(used_between, (), [span, span], scopes)
    compared = comparison((), span, span, *usage)
    unheld = 0.05 * 3  # a minute of a GPU that nobody held, an hour of the twenty minutes that were recorded
    assert everything.usd_per_hour is not None
    assert compared.after_usd_per_hour == pytest.approx(everything.usd_per_hour + unheld, rel=1e-7)
    assert any("$0.150 an hour besides" in each for each in page.notices)
    for one in rest:
        alone = history.ask(used_between, (("model", one.model),), [span], scopes)[0]
        expected = (one.usd_per_hour or 0) * NANO if one.source in by_source else 0
        assert (alone.nano_per_hour or 0) == pytest.approx(expected, abs=3)  # each line is rounded


@pytest.mark.parametrize("scopes", SCOPES)
def test_a_gpu_that_was_held_all_the_time_that_was_recorded_is_one_gpu_at_its_rate(
    history: Reader, scopes: Scopes
) -> None:
    everything, *rest = asked(history, scopes).subjects
    (engine,) = [each for each in rest if each.model == LLAMA]
    assert (everything.gpus, engine.gpus) == (pytest.approx(1), 1)
    assert (engine.usd_per_hour, engine.gpu_usd_per_hour) == (3, 3)


def test_what_was_spent_in_all_is_what_budgets_have_spent(history: Reader) -> None:
    page = asked(history, Scopes())
    whole = history.ask(spent, (), page.since, page.until)
    assert page.subjects[0].usd == pytest.approx((whole or 0) / NANO - 0.01 - 0.05)
    assert "$0.0100 of a time in which nobody polled" in " ".join(page.notices)

"""A quote says exactly how long it holds."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from infertop.money.book.load import shipped
from infertop.money.book.spans import span
from infertop.money.book.when import parse_when
from infertop.money.quote import Quote, Way

WAYS = [Way(), Way(batch=True), Way(service_tier="priority"), Way(True, "flex"), Way(service_tier="fast")]
FIRST, LAST = 1_690_000_000, 1_830_000_000
CHANGING = [
    (listed.provider, listed.model, way)
    for listed in shipped().models()
    for way in WAYS
    if (quote := shipped().quote(listed.provider, listed.model, 1_795_000_000.0, way))
    and (math.isfinite(quote.start) or math.isfinite(quote.end))
]


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def quote(provider: str, model: str, ts: float, way: Way = WAYS[0]) -> Quote:
    listing = shipped()
    if known := listing._find(provider, model):
        # A quote is kept for as long as it says that it holds, and would answer for itself.
        known[1]._quotes.clear()
    found = listing.quote(provider, model, ts, way)
    assert found is not None
    return found


def answer(found: Quote) -> Quote:
    return replace(found, start=0.0, end=0.0)


def check(provider: str, model: str, ts: float, way: Way, dice: random.Random) -> None:
    here = quote(provider, model, ts, way)
    assert here.start <= ts < here.end
    first = here.start if math.isfinite(here.start) else ts - 1e9
    last = math.nextafter(here.end, -math.inf) if math.isfinite(here.end) else ts + 1e9
    for inside in (first, last, *(dice.uniform(first, last) for _ in range(5))):
        assert quote(provider, model, inside, way) == here, (provider, model, inside, way)
    for outside in (math.nextafter(here.start, -math.inf), here.end):
        if math.isfinite(outside):
            assert answer(quote(provider, model, outside, way)) != answer(here), (provider, model, outside, way)


def test_many_models_change_their_price():
    assert len({listed[:2] for listed in CHANGING}) > 250


def test_every_quote_holds_from_its_start_to_its_end_and_no_longer():
    dice = random.Random(20261125)
    for provider, model, way in CHANGING:
        check(provider, model, dice.uniform(FIRST, LAST), way, dice)


@settings(deadline=None)
@given(st.sampled_from(CHANGING), st.floats(FIRST, LAST), st.randoms(use_true_random=False))
def test_any_quote_holds_from_its_start_to_its_end_and_no_longer(listed, ts, dice):
    check(*listed[:2], ts, listed[2], dice)


@pytest.mark.parametrize("model", ["deepseek-chat", "deepseek-flash", "deepseek-v4-pro", "deepseek-v4-flash"])
def test_hours_of_the_day_are_spans_of_their_own(model):
    dice = random.Random(model)
    for _ in range(300):
        check("deepseek", model, dice.uniform(at("2026-07-01"), at("2027-01-31")), Way(), dice)


def test_a_batch_price_begins_on_its_date():
    before, after = (quote("openai", "gpt-4o", at("2026-10-14") + step, Way(batch=True)) for step in (-0.001, 0))
    assert before.end == after.start == at("2026-10-14")
    assert (before.prices["input"].usd, before.flags) == (
        quote("openai", "gpt-4o", 0.0).prices["input"].usd,
        ("standard_rate:batch",),
    )
    assert (str(after.prices["input"].usd), after.since, after.flags) == ("1.25", "2026-10-14", ())


def test_a_variant_that_is_not_asked_for_ends_no_span():
    assert quote("openai", "gpt-4o", at("2026-10-01")).end == math.inf


def test_peak_hours_are_on_working_days_that_are_no_holidays():
    peaks = {
        "2026-11-20T02:00": True,
        "2026-11-20T05:00": False,
        "2026-11-20T09:59": True,
        "2026-11-21T02:00": False,
        "2026-11-22T07:00": False,
        "2026-10-01T02:00": False,
        "2026-10-08T02:00": True,
        "2026-08-14T02:00": False,
        "2026-08-17T02:00": True,
    }
    dear = {moment: str(quote("deepseek", "deepseek-v4-pro", at(moment)).prices["input"].usd) for moment in peaks}
    assert {moment: usd == "1.32" for moment, usd in dear.items()} == peaks


@settings(deadline=None)
@given(st.integers(0, 1439), st.integers(0, 1440), st.booleans(), st.integers(0, 10**9))
def test_a_window_holds_from_its_first_second_to_before_its_last(opens, closes, working, ts):
    assume(opens != closes)
    clock = "-".join(f"{each // 60:02}:{each % 60:02}" for each in (opens, closes))
    when = parse_when({"daily": clock, **({"days": "Mon-Fri"} if working else {})})
    minute = ts % 86_400 / 60
    inside = opens <= minute < closes if opens < closes else minute >= opens or minute < closes
    weekday = datetime.fromtimestamp(ts, UTC).weekday()
    assert when.holds(ts) == (inside and not (working and weekday >= 5))


HALF_HOUR = 1_800
DATES = st.integers(0, 40).map(lambda day: f"{datetime.fromtimestamp(at('2026-10-01') + day * 86_400, UTC):%Y-%m-%d}")
HOURS = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
WHENS = st.fixed_dictionaries(
    {},
    optional={
        "from": DATES,
        "daily": st.builds("{}-{}".format, HOURS, HOURS),
        "days": st.just("Mon-Fri"),
        "except": st.lists(DATES, max_size=2),
    },
)


@settings(deadline=None)
@given(st.lists(WHENS.map(parse_when), max_size=4), st.integers(0, 50 * 48))
def test_the_span_of_any_rows_ends_where_another_one_is_in_force(whens, step):
    def last(ts: float) -> int | None:
        return next((position for position in reversed(range(len(whens))) if whens[position].holds(ts)), None)

    # Rows change at half hours alone, and every week after the last date is like the one before.
    ts = at("2026-09-25") + step * HALF_HOUR + 60.0
    start, end = span(whens, ts, last)
    first = max(start, at("2026-09-01"))
    steps = range(int(first), int(min(end, at("2026-12-20"))), HALF_HOUR)
    assert start <= ts < end
    assert {last(inside) for inside in steps} == {last(ts)}
    assert start == -math.inf or last(math.nextafter(start, -math.inf)) != last(ts)
    assert end == math.inf or last(end) != last(ts)


def test_a_quote_that_is_kept_answers_for_its_span_and_no_longer():
    listing = shipped()
    peak, later = at("2026-11-20T02:00"), at("2026-11-20T04:00")
    first = listing.quote("deepseek", "deepseek-flash", peak)
    assert listing.quote("deepseek", "deepseek-flash", later - 0.001) is first
    assert listing.quote("deepseek", "deepseek-flash", later) != first
    assert listing.quote("deepseek", "deepseek-flash", peak) == first


def test_a_moment_that_is_none_is_refused():
    for ts in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="is no time"):
            shipped().quote("openai", "gpt-4o", ts)

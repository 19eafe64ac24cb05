"""What an incident's line says: while it lasts the figure of now, once it is over the mean of its time and its sum."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from infertop.money.detect.costs import all_of_it
from infertop.money.detect.fault import Fault, Figure
from infertop.money.detect.incidents import Incident, incident_content, incident_of
from infertop.money.detect.scopes import CACHE_HITS, LATENCY, METRICS, REQUESTS, USD, Scope
from infertop.views.incident_text import incident_event
from tui.incidents import said

NOON = 1_795_348_800.0  # 22 November 2026, 12:00 UTC
SCOPE = (("model", "gpt-4o"),)


def fault(metric: str, expected: float, values: list[float], until: float | None, usd: float | None) -> Fault:
    """A fault since noon, of a value every ten minutes; `usd` are the dollars of one more of it."""
    last = Incident(NOON, until, 2.0, "level", expected, values[0], values[0], 0.0, 0, NOON)
    for value in values:
        last = last.grown(value, expected, 1 / 6, None if usd is None else usd * (value - expected))
    lead = Figure(SCOPE, metric)
    return Fault("k", lead, SCOPE, NOON, {lead: NOON}, until=until, last=last)


def test_what_is_over_is_told_by_the_mean_of_its_time_its_sum_and_how_long_it_was() -> None:
    values = [30.0] + [8.0] * 17
    over = fault(USD, 4.0, values, NOON + 3 * 3600, usd=1.0)
    event = incident_event(over, NOON + 4 * 3600, UTC)
    assert event.text == (
        "gpt-4o: 2.3x: $9.22/h on average, expected $4.00/h, from 12:00 to 15:00;"
        " it came to $15.67 more than expected in 3 h"
    )
    assert event.value is not None
    assert event.excess_usd == pytest.approx((event.value - 4.0) * 3)
    assert said(event) == "gpt-4o: 2.3x: $9.22/h on average, expected $4.00/h"


def test_what_is_told_of_an_incident_follows_from_its_figures_also_where_more_is_expected_by_now() -> None:
    last = Incident(NOON, None, 2.0, "level", 4.0, 12.0, 12.0, 0.0, 0, NOON)
    for value, plan in ((12.0, 4.0), (14.0, 5.0), (16.0, 6.0)):
        last = last.grown(value, plan, 1.0, value - plan)
    lead = Figure(SCOPE, USD)
    lasting = Fault("k", lead, SCOPE, NOON, {lead: NOON}, last=last)
    assert incident_event(lasting, NOON + 3 * 3600, UTC).text == (
        "gpt-4o: 2.7x: $16.00/h, expected $6.00/h, since 12:00; +$10.00/h, $27.00 more so far"
    )
    over = replace(lasting, until=NOON + 3 * 3600)
    assert incident_event(over, NOON + 4 * 3600, UTC).text == (
        "gpt-4o: 2.8x: $14.00/h on average, expected $5.00/h, from 12:00 to 15:00;"
        " it came to $27.00 more than expected in 3 h"
    )
    quiet = replace(lasting, last=last.grown(3.0, 5.0, 1.0, -2.0))
    assert ": 2.2x: $11.25/h on average, expected $5.00/h, since" in incident_event(quiet, NOON + 4 * 3600, UTC).text


@pytest.mark.parametrize(
    ("scope", "wider", "said"),
    [
        ((("key", "bots"), *SCOPE), False, ", most of it from key bots, gpt-4o, since"),
        ((("provider", "openai"),), True, ", with others of openai, since"),
        ((), True, ", with all others, since"),
        (SCOPE, False, "expected $4.00/h, since"),
    ],
)
def test_what_is_of_more_or_of_less_than_its_figures_says_so(scope: Scope, wider: bool, said: str) -> None:
    lasting = replace(fault(USD, 4.0, [8.0] * 6, None, usd=1.0), scope=scope, wider=wider)
    assert said in incident_event(lasting, NOON + 3600, UTC).text


def test_of_a_key_that_was_never_used_before_nothing_is_expected() -> None:
    known = fault(REQUESTS, 2.0, [9.0] * 6, None, usd=None)
    assert known.last is not None
    new = replace(known, scope=(("key", "intern"),), apart=True, last=all_of_it(known.last, 0.0, 24.0, 1.5, 20.0))
    event = incident_event(new, NOON + 5400, UTC)
    assert event.text == "key intern: $20.00/h, nothing before, since 12:00; +$20.00/h, $36.00 more so far"
    assert (event.metric, event.value, event.expected) == (USD, 20.0, 0.0)
    moved = replace(new, last=all_of_it(known.last, 8.0, 24.0, 1.5, 20.0))
    assert incident_event(moved, NOON + 5400, UTC).text == (
        "key intern: 2.5x: $20.00/h, expected $8.00/h, since 12:00; +$12.00/h, $24.00 more so far"
    )
    over = incident_event(replace(new, until=NOON + 5400), NOON + 6000, UTC)
    assert over.text.startswith(
        "key intern: $24.00/h on average, nothing before, from 12:00 to 13:30; it came to $36.00"
    )


def test_an_incident_that_was_stored_before_goes_on_by_what_it_had() -> None:
    old = {
        name: value
        for name, value in (incident_content(fault(USD, 4.0, [8.0] * 6, None, usd=1.0).last) or {}).items()
        if name not in ("latest", "total")
    }
    again = incident_of(old)
    assert again is not None
    assert (again.now, again.mean) == ((8.0, 4.0), (pytest.approx(8.0), pytest.approx(4.0)))
    assert again.grown(10.0, 4.0, 1.0, 6.0).mean == (pytest.approx(9.0), pytest.approx(4.0))


def test_slow_answers_have_no_dollars_and_say_how_long_it_was() -> None:
    event = incident_event(fault(LATENCY, 2.0, [6.0] * 6, NOON + 3600, usd=None), NOON + 86_400, ZoneInfo("Asia/Tokyo"))
    assert event.text == (
        "gpt-4o: request time 6.00 s on average, expected 2.00 s, from Nov 22 21:00 to Nov 22 22:00;"
        " it is as expected again, after 60 min"
    )
    assert (event.excess_usd, said(event)) == (None, "gpt-4o: request time 6.00 s on average, expected 2.00 s")


def test_what_ended_on_another_day_than_it_began_has_both_days() -> None:
    last_evening, now = NOON + 11 * 3600, NOON + 13 * 3600
    over = fault(USD, 4.0, [30.0] * 6, last_evening + 5400, usd=1.0)
    event = incident_event(replace(over, since=last_evening), now, UTC)
    assert ", from Nov 22 23:00 to Nov 23 00:30; " in event.text


def test_a_share_is_told_as_one_while_it_lasts_and_when_it_is_over() -> None:
    watched = METRICS[CACHE_HITS].watched
    lasting = incident_event(fault(CACHE_HITS, watched(0.6), [watched(0.1)] * 6, None, usd=0.1), NOON + 3600, UTC)
    assert lasting.text.startswith("gpt-4o: cache-hit rate 10%, expected 60%, since 12:00; +$")
    over = incident_event(fault(CACHE_HITS, watched(0.6), [watched(0.1)] * 6, NOON + 3600, usd=0.1), NOON + 3600, UTC)
    assert over.text.startswith(
        "gpt-4o: cache-hit rate 10% on average, expected 60%, from 12:00 to 13:00; it came to $"
    )

"""What an incident's line says: while it lasts the figure of now, once it is over the mean of its time and its sum."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from infertop.money.detect.fault import Fault, Figure
from infertop.money.detect.incidents import Incident
from infertop.money.detect.scopes import CACHE_HITS, LATENCY, METRICS, USD
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

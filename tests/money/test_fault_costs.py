"""What places did to a figure, and what a fault came to: of dearer requests what those very requests cost more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.detect.costs import costs
from infertop.money.detect.grouping import scope_of_rise
from infertop.money.detect.incidents import Incident
from infertop.money.detect.moves import moved_by
from infertop.money.detect.scopes import (
    CACHE_HITS,
    IDLE,
    LATENCY,
    METRICS,
    OUTPUT,
    PER_REQUEST,
    PROMPT,
    REQUESTS,
    USD,
    Flow,
    Place,
)

A, B = (Place("openai", "openai", "gpt-4o", key, "web") for key in "ab")
USUAL = Flow(
    usd=10.0, api_usd=10.0, api_tokens=2.3e6, prompt_usd=6.0, output_usd=4.0, missed_usd=4.0, missed=1e6,
    requests=1000.0, prompt=2e6, cached=1e6, output=3e5, seconds=2000.0, timed=1000.0, idle_usd=1.0,
)  # fmt: skip
LONG = replace(USUAL, prompt=6e6, cached=3e6, missed=3e6, missed_usd=12.0, prompt_usd=18.0, usd=22.0, api_usd=22.0)
MISSED = replace(USUAL, cached=2e5, missed=1.8e6, missed_usd=7.2, prompt_usd=9.2, usd=13.2, api_usd=13.2)


@pytest.mark.parametrize(
    ("metric", "now", "before", "after"),
    [
        (USD, LONG, 10.0, 22.0),
        (PROMPT, LONG, 6.0, 18.0),
        (PROMPT, replace(USUAL, requests=2000.0, prompt=4e6, prompt_usd=12.0), 12.0, 12.0),
        (OUTPUT, replace(USUAL, output=6e5, output_usd=8.0), 4.0, 8.0),
        (OUTPUT, LONG, 4.0, 4.0),
        (CACHE_HITS, LONG, 12.0, 12.0),
        (CACHE_HITS, MISSED, 4.0, 7.2),
        (PER_REQUEST, LONG, 10.0, 22.0),
        (REQUESTS, replace(USUAL, requests=3000.0, api_usd=27.0), 9.0, 27.0),
        (LATENCY, replace(USUAL, seconds=9000.0, timed=1500.0), 3000.0, 9000.0),
        (IDLE, replace(USUAL, idle_usd=5.0), 1.0, 5.0),
    ],
)
def test_what_a_place_did_to_a_figure_is_what_it_costs_beside_what_it_would_as_before(
    metric: str, now: Flow, before: float, after: float
) -> None:
    (found,) = moved_by(metric, {A: USUAL}, {A: now})
    assert (found.before, found.after) == (pytest.approx(before), pytest.approx(after))


@pytest.mark.parametrize(("metric", "now"), [(PROMPT, LONG), (CACHE_HITS, MISSED)])
def test_what_one_key_of_a_project_does_is_of_the_key(metric: str, now: Flow) -> None:
    others = replace(USUAL, cached=0.0 if metric == CACHE_HITS else USUAL.cached)
    moved = moved_by(metric, {A: USUAL, B: others}, {A: now, B: others})
    assert scope_of_rise(moved, (("project", "web"),)) == (("key", "a"),)


@pytest.mark.parametrize("metric", [PROMPT, OUTPUT, PER_REQUEST, CACHE_HITS, LATENCY])
def test_a_place_that_is_new_did_nothing_to_a_mean(metric: str) -> None:
    assert [each.rise for each in moved_by(metric, {}, {A: LONG})] == [0.0]


FLOWS = st.builds(Flow, *(st.none() | st.floats(0, 1e12) for _ in range(21)))


@given(st.sampled_from(sorted(METRICS)), FLOWS, FLOWS)
def test_whatever_was_used_what_it_did_is_a_number(metric: str, one: Flow, two: Flow) -> None:
    for each in moved_by(metric, {A: one}, {A: two, B: one}):
        assert each.before >= 0
        assert each.after >= 0


def incident(value: float, plan: float, usd: float, hours: int = 6) -> Incident:
    """An hour of one value every ten minutes, `usd` of which is beyond."""
    found = Incident(0.0, None, 3.0, "jump", plan, value, value, 0.0, 0)
    for _ in range(hours):
        found = found.grown(value, plan, 1 / 6, usd)
    return found


DOLLARS = incident(50.0, 10.0, 40.0)
REQUEST = incident(0.05, 0.0125, 37.5)  # four times as dear; a quarter more of them than expected


def test_where_each_request_costs_more_the_fault_is_what_these_requests_cost_more() -> None:
    found = costs(USD, DOLLARS, REQUEST)
    assert (found.excess_usd, found.excess_usd_per_hour) == (pytest.approx(37.5), pytest.approx(37.5))
    assert (found.now, found.mean) == ((50.0, 12.5), (pytest.approx(50.0), pytest.approx(12.5)))


@pytest.mark.parametrize(
    ("metric", "paid"),
    [
        (USD, None),
        (PROMPT, REQUEST),
        (USD, replace(REQUEST, excess_usd=None)),
        (USD, incident(0.05, 0.02, 20.0)),  # three times as many requests as expected are part of it
        (USD, incident(0.05, 0.0125, 37.5, hours=3)),  # it began much later
    ],
)
def test_where_that_is_not_all_of_it_the_fault_is_what_is_beyond_the_expected(
    metric: str, paid: Incident | None
) -> None:
    assert costs(metric, DOLLARS, paid) is DOLLARS

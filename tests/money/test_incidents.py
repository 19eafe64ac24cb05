"""Incidents: one for one thing, no moment counts, and what it adds up to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.detect.detector import Verdict
from infertop.money.detect.incidents import Incident, Incidents, Rule

MINUTE = 60.0


def verdict(score: float = 0.0, expected: float = 10.0) -> Verdict:
    return Verdict(score, score, expected, expected, (3.0, 1.0, 1.0, 1.0, 1.0, 1.0), 0.0, 0.0, 100, 6000.0)


def follow(values: list[float], rule: Rule | None = None, restart: bool = False) -> list[Incident]:
    """Return what is opened and closed over a value a minute, the fourth of which has a telling score."""
    incidents = Incidents(rule or Rule())
    changes = []
    for at, value in enumerate(values):
        change = incidents.add(at * MINUTE, value, verdict(2.5 if at == 3 else 0.0))
        changes += [change] if change else []
        if restart:
            state = json.loads(json.dumps(incidents.dump()))
            incidents = Incidents(rule or Rule())
            incidents.load(state)
    return changes


SURGE = [10.0] * 3 + [30.0] * 60 + [10.0] * 10


def test_a_surge_opens_after_two_values_and_closes_when_it_is_usual_again() -> None:
    opened, closed = follow(SURGE)
    assert (opened.since, opened.until, opened.points) == (180.0, None, 2)
    assert (closed.since, closed.until, closed.points) == (180.0, 63 * MINUTE, 60)


def test_its_excess_is_what_was_beyond_the_expected_in_units_times_hours() -> None:
    assert follow(SURGE)[1].excess == pytest.approx(20.0 * 59 / 60)


def test_what_falls_short_has_a_negative_excess() -> None:
    assert follow([10.0] * 3 + [2.0] * 30 + [10.0] * 10)[1].excess < 0


def test_a_moment_is_no_incident() -> None:
    assert follow([10.0] * 3 + [30.0] + [10.0] * 20) == []


def test_a_moment_of_many_times_the_expected_is_one() -> None:
    assert len(follow([10.0] * 3 + [90.0] + [10.0] * 20)) == 2


def test_a_dip_back_to_usual_does_not_end_it() -> None:
    assert len(follow([10.0] * 3 + [30.0] * 10 + [10.0] * 2 + [30.0] * 10)) == 1


def test_what_is_hardly_more_than_expected_is_none() -> None:
    assert follow([10.0] * 3 + [12.0] * 60) == []


def test_it_waits_until_it_is_worth_it() -> None:
    opened, _ = follow(SURGE, Rule(excess=5.0))
    assert 5.0 <= opened.excess < 5.4


def test_persistence_asks_for_time_where_values_come_fast() -> None:
    opened, _ = follow(SURGE, Rule(seconds=600.0))
    assert opened.points == 11


def test_what_lasts_for_long_is_what_is_usual_then() -> None:
    _, closed = follow([10.0] * 3 + [30.0] * 200, Rule(longest_seconds=7200.0))
    assert closed.until == 180.0 + 7260.0


def test_a_restart_changes_nothing() -> None:
    assert follow(SURGE, restart=True) == follow(SURGE)


def test_the_plan_is_followed_through_a_night() -> None:
    incidents = Incidents()
    for at in range(120):
        plan = 10.0 if at < 60 else 3.0
        incidents.add(at * MINUTE, 2 * plan, verdict(2.5 if at == 3 else 0.0, plan))
    assert incidents.current is not None
    assert incidents.current.excess == pytest.approx((56 * 10 + 60 * 3) / 60)


numbers = st.floats(-1e100, 1e100)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e10, 1e10), numbers, numbers, st.floats(0, 5)), max_size=80))
def test_incidents_open_and_close_in_turn_whatever_comes(
    points: list[tuple[float, float, float, float]],
) -> None:
    incidents, lasting = Incidents(), False
    for ts, value, plan, score in points:
        change = incidents.add(ts, value, verdict(score, plan))
        if change:
            assert (change.until is None) != lasting
            lasting = change.until is None
        assert (incidents.current is not None) == lasting
        json.dumps(incidents.dump(), allow_nan=False)

"""The state of a figure that is watched: no restart changes what is told, and whatever comes, figures stay finite."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.detect.incidents import Rule
from infertop.money.detect.watched import Watched
from tests.money.watched_values import MINUTE, START, TEN, feed, minutes, noisy

DAY = 144


def test_what_was_told_before_is_ignored() -> None:
    watched = Watched()
    feed(watched, noisy(10.0, 300), START, MINUTE)
    before = json.dumps(watched.dump())
    assert feed(watched, [500.0] * 300, START, MINUTE) == []
    assert json.dumps(watched.dump()) == before


@pytest.mark.parametrize("at", [0, 1, 700, 1502, 1530, 1610, 1700])
def test_a_restart_changes_nothing(at: int) -> None:
    values = noisy(10.0, 1500) + noisy(40.0, 100) + noisy(160.0, 100) + noisy(10.0, 60)
    rule = Rule(falls=True)
    watched = Watched(rule)
    before = feed(watched, values[:at], START, MINUTE)
    again = Watched.load(json.loads(json.dumps(watched.dump())), rule)
    assert before + feed(again, values[at:], START + at * MINUTE, MINUTE) == minutes(values, rule)


def test_the_state_of_a_figure_stays_small() -> None:
    watched = Watched()
    feed(watched, noisy(10.0, 15 * DAY), START, TEN)
    assert len(json.dumps(watched.dump())) < 20_000


def test_next_to_nothing_is_watched_for_falls_too() -> None:
    for value in (4e-238, 5e-324):
        watched = Watched(Rule(falls=True, rises=False))
        watched.add(START, value, None, 1e70)
        json.dumps(watched.dump(), allow_nan=False)


def test_a_series_around_and_below_nothing_is_judged_too() -> None:
    rng = random.Random(3)
    for mean in (0.0, -10.0):
        feed(Watched(), [rng.gauss(mean, 1.0) for _ in range(8 * DAY)], START, TEN)


@pytest.mark.parametrize(
    "state", [{}, {"format": 99}, {"format": 1}, {"format": 1, "plain": [1, 2, 3], "lanes": {"rises": 3}}]
)
def test_a_state_that_is_none_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="state"):
        Watched.load(state)


numbers = st.floats(-1e300, 1e300)


Point = tuple[float, float, float, float]


def told_in_turn(points: Iterable[Point], falls: bool) -> int:
    """How many changes are told of (elapsed seconds, value, USD an hour, weight): each opens one or closes the last."""
    watched, lasting, ts, told = Watched(Rule(falls=falls, rises=not falls)), False, 0.0, 0
    for elapsed, value, usd, weight in points:
        ts += elapsed
        change = watched.add(ts, value, usd if math.isfinite(usd) else None, weight)
        if change:
            assert (change.until is None) != lasting
            lasting = change.until is None
            told += 1
        assert (watched.current is not None) == lasting
    json.dumps(watched.dump(), allow_nan=False)
    return told


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1e6, allow_nan=False), numbers, st.floats(allow_nan=True), st.floats()), max_size=80
    ),
    st.booleans(),
)
def test_nothing_that_may_come_is_told_out_of_turn(points: list[Point], falls: bool) -> None:
    told_in_turn(points, falls)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(5, 120), st.sampled_from([0.0, 1.0, 10.0, 100.0, 5000.0])), max_size=6),
    st.booleans(),
)
def test_incidents_open_and_close_in_turn_at_whatever_levels_it_stays(
    levels: list[tuple[int, float]], falls: bool
) -> None:
    usual, beyond = (10.0, 0.5) if falls else (10.0, 100.0)
    stays = [(120, usual), (90, beyond), (60, usual), *levels]
    points = [(MINUTE, value, value, 1.0) for minutes, value in stays for _ in range(minutes)]
    assert told_in_turn(points, falls) >= 2


@pytest.mark.parametrize("seed", range(6))
def test_figures_stay_finite_through_days_of_anything(seed: int) -> None:
    rng = random.Random(seed)
    draws = (lambda: rng.gauss(-5, 1), lambda: 10 ** rng.uniform(-100, 100), lambda: rng.choice([0.0, 0.0, -1e90, 5.0]))
    watched, ts = Watched(Rule(falls=seed % 2 == 1)), START
    for _ in range(500):
        ts += rng.choice([60.0, 600.0, 600.0, 3600.0, 90_000.0])
        change = watched.add(ts, draws[seed % 3](), rng.choice([None, 0.0, 3.0]))
        figures = (change.since - START, change.excess, change.expected, change.peak) if change else ()
        assert all(map(math.isfinite, figures))
        if change and change.until is not None:
            assert START <= change.since <= change.until <= ts
    json.dumps(watched.dump(), allow_nan=False)

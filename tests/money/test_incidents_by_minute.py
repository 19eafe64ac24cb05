"""How soon incidents come where values come by the minute, and what the days of the week before let pass."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import pytest

from infertop.money.detect.incidents import Incident
from infertop.money.detect.watched import Watched
from tests.money.watched_values import MINUTE, START, TEN, feed, noisy


def changes(values: Iterable[float], step: float = MINUTE) -> list[Incident]:
    return feed(Watched(), values, START, step)


def test_it_is_of_use_within_the_first_hour_and_says_on_how_little_it_stands() -> None:
    (opened,) = changes(noisy(10.0, 50) + noisy(80.0, 9))
    assert opened.opened <= START + 52 * MINUTE
    assert opened.history_seconds < 3600
    assert opened.since == START + 50 * MINUTE


def test_what_is_beyond_from_the_first_judged_value_on_began_there() -> None:
    (opened,) = changes([10.0] * 30 + [100.0] * 20)
    assert opened.since == START + 30 * MINUTE


def test_three_times_as_much_takes_20_minutes_at_most() -> None:
    (opened,) = changes(noisy(10.0, 1400) + noisy(30.0, 30))
    assert 4 * MINUTE <= opened.opened - START - 1400 * MINUTE < 20 * MINUTE


@pytest.mark.parametrize("begin", [3000, 3004])
def test_three_times_as_much_takes_five_where_the_day_before_was_calm(begin: int) -> None:
    opened, *_ = changes(noisy(10.0, begin) + noisy(30.0, 30))
    assert 4 * MINUTE <= opened.opened - opened.since <= 6 * MINUTE
    assert opened.since == START + begin * MINUTE


def test_who_bursts_for_some_minutes_every_day_has_to_last_longer() -> None:
    days = [*noisy(10.0, 500), *noisy(30.0, 6), *noisy(10.0, 434)] * 5
    assert len(changes(days)) <= 2
    assert changes([*days, *noisy(30.0, 30)])[-1].opened >= START + (len(days) + 8) * MINUTE


def test_many_times_as_much_takes_two_minutes_and_not_one() -> None:
    (opened,) = changes(noisy(10.0, 1500) + noisy(80.0, 4))
    assert opened.opened == START + 1501 * MINUTE
    assert changes([*noisy(10.0, 1500), 80.0, *noisy(10.0, 60)]) == []


def week(at: int, quiet: float = 1.0) -> float:
    """What is asked all through the day, and at weekends three tenths of it."""
    hour, weekday = at / 6 % 24, int(at // 144 + 3) % 7
    return (10 + 40 * max(0.0, math.sin(math.pi * (hour - 7) / 13))) * (0.3 if weekday >= 5 else 1.0) * quiet


def test_the_first_monday_after_a_steep_weekend_is_none() -> None:
    assert changes([week(at) * each for at, each in enumerate(noisy(1.0, 21 * 144))], TEN) == []


@pytest.mark.parametrize("begins", [2, 2.6, 3, 3.4])
def test_the_first_monday_of_a_record_that_begins_at_a_weekend_is_none(begins: float) -> None:
    first = round(begins * 144)
    values = [week(at) * each for at, each in enumerate(noisy(1.0, 14 * 144))][first:]
    assert feed(Watched(), values, START + first * TEN, TEN) == []
    monday = 4 * 144 + 84 - first
    values[monday:] = [each * 10 for each in values[monday:]]
    opened, *_ = feed(Watched(), values, START + first * TEN, TEN)
    assert opened.opened <= START + (first + monday + 5) * TEN


@pytest.mark.parametrize("begin", [60, 84, 120, 126, 132])
def test_a_surge_is_found_while_traffic_goes_down_as_on_every_day(begin: int) -> None:
    at = 12 * 144 + begin
    values = [week(each) * (3 if each >= at else 1) * noise for each, noise in enumerate(noisy(1.0, at + 6))]
    (opened,) = changes(values, TEN)
    assert opened.opened <= START + (at + 5) * TEN


@pytest.mark.parametrize("hours", [1, 2, 3, 4, 6, 8, 12])
def test_four_times_as_much_is_one_within_20_minutes_from_the_first_hour_on(hours: int) -> None:
    chance, watched = random.Random(1), Watched()
    begin, opened = hours * 60, []
    for minute in range(begin + 60):
        value = 2.5 * chance.uniform(0.98, 1.02) * (4 if minute >= begin else 1)
        if watched.add(START + minute * MINUTE, value):
            opened.append(minute - begin)
    assert [each < 20 for each in opened] == [True]

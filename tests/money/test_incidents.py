"""Incidents: one for one thing, none for a habit, and what it adds up to."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from infertop.money.detect.incidents import Incident, Rule
from infertop.money.detect.scopes import METRICS, PROMPT
from infertop.money.detect.watched import Watched
from tests.money.watched_values import MINUTE, START, TEN, feed, minutes, noisy

DAY = 144


def day(at: float) -> float:
    """What an office does: nothing much at night, five times as much from 9 to 18, and at weekends little."""
    hour, weekday = at % 24, int(at // 24 + 3) % 7
    return 10.0 if not 9 <= hour < 18 or weekday >= 5 else 50.0


@cache
def _learnt() -> str:
    watched = Watched()
    values = [day(at / 6) * each for at, each in enumerate(noisy(1.0, 8 * DAY))]
    feed(watched, values, START, TEN)
    return json.dumps(watched.dump())


def after_a_week(factor: float, points: int, begin: int, rule: Rule | None = None, seed: int = 2) -> list[Incident]:
    """Return what becomes of a day after eight usual ones, `points` of it from `begin` on times `factor`."""
    watched = Watched.load(json.loads(_learnt()), rule or Rule())
    usual = [day(8 * 24 + at / 6) * each for at, each in enumerate(noisy(1.0, DAY, seed))]
    values = [each * factor if begin <= at < begin + points else each for at, each in enumerate(usual)]
    return feed(watched, values, START + 8 * DAY * TEN, TEN)


@pytest.mark.parametrize("begin", [6, 30, 66, 90, 120])
def test_three_times_as_much_is_an_incident_within_20_minutes_at_any_time_of_the_day(begin: int) -> None:
    opened, closed = after_a_week(3.0, 18, begin)
    assert opened.since == START + (8 * DAY + begin) * TEN
    assert opened.opened - opened.since <= TEN
    assert closed.until == pytest.approx(opened.since + 18 * TEN, abs=TEN)


def test_ten_times_as_much_is_one_at_once() -> None:
    opened, _ = after_a_week(10.0, 6, 80)
    assert (opened.opened, opened.part) == (opened.since, "jump")


def test_twice_as_much_has_to_last_longer() -> None:
    opened, _ = after_a_week(2.0, 24, 66)
    assert TEN <= opened.opened - opened.since < 6 * TEN


def test_what_every_office_day_does_is_none() -> None:
    watched = Watched()
    assert feed(watched, [day(at / 6) * each for at, each in enumerate(noisy(1.0, 21 * DAY))], START, TEN)[2:] == []


def test_a_moment_is_none() -> None:
    assert after_a_week(3.0, 1, 66) == []


def test_a_fall_is_none_and_the_way_back_is_none() -> None:
    assert after_a_week(0.0, 30, 60) == []


@pytest.mark.parametrize("left", [0.2, 0.3, 0.4, 0.5])
def test_the_way_back_from_hours_of_less_is_none(left: float) -> None:
    """Of traffic that is the same all day: it fell before noon, came back four hours later, and was then as ever."""
    usual = noisy(5.0, 11 * 1440, seed=3)
    outage = range(10 * 1440 + 660, 10 * 1440 + 900)
    assert minutes([each * left if at in outage else each for at, each in enumerate(usual)]) == []


@pytest.mark.parametrize(("days", "left"), [(8, 0.3), (11, 0.25), (12, 0.4), (13, 0.3)])
def test_the_way_back_is_none_for_a_series_with_quiet_weekends(days: int, left: float) -> None:
    """After so many days it was less for three hours."""
    usual = [
        each * (0.45 if (at // 1440 + 3) % 7 >= 5 else 1.0) for at, each in enumerate(noisy(8.0, (days + 1) * 1440))
    ]
    outage = range(days * 1440 + 613, days * 1440 + 793)
    found = minutes([each * left if at in outage else each for at, each in enumerate(usual)])
    assert [each for each in found if each.since >= START + outage.start * MINUTE] == []


@pytest.mark.parametrize("begin", [78, 100, 120])
def test_three_times_a_quiet_day_is_one_though_other_days_had_as_much(begin: int) -> None:
    quiet = [*noisy(50.0, 9 * DAY), *noisy(24.0, DAY, seed=5)]
    values = [each * (3.0 if at >= 9 * DAY + begin else 1.0) for at, each in enumerate(quiet)]
    opened = [each for each in feed(Watched(), values, START, TEN) if each.until is None]
    assert [each.since for each in opened] == [START + (9 * DAY + begin) * TEN]
    assert opened[0].opened - opened[0].since < 6 * TEN


def test_three_times_as_much_is_found_within_half_an_hour_while_it_goes_down() -> None:
    down = [50.0 * 0.92**at for at in range(14)]
    values = [*noisy(50.0, 8 * DAY), *down[:6], *(3 * each for each in down[6:])]
    opened, *_ = feed(Watched(), values, START, TEN)
    assert opened.opened - (START + (8 * DAY + 6) * TEN) < 3 * TEN


def test_prompts_as_long_as_on_other_days_are_one_where_today_s_were_short() -> None:
    """Nobody's prompts were short for an outage: to be long again is no way back."""
    longer = [*noisy(2000.0, 6 * DAY), *noisy(800.0, 60), *noisy(2400.0, 12)]
    assert feed(Watched(Rule(in_usd=False)), longer, START, TEN) == []
    (opened,) = feed(Watched(METRICS[PROMPT].rule(Rule())), longer, START, TEN)
    assert opened.opened - opened.since < 3 * TEN


def test_a_fall_is_one_where_falls_are_watched() -> None:
    values = [*noisy(50.0, 3 * DAY), *noisy(10.0, 18), *noisy(50.0, 18)]
    opened, closed = feed(Watched(Rule(rises=False, falls=True)), values, START, TEN)
    assert opened.since == START + 3 * DAY * TEN
    assert closed.excess == pytest.approx(-120.0, rel=0.1)


def test_what_a_series_does_by_itself_every_few_hours_is_none() -> None:
    rng = random.Random(6)
    values, burst = [], 0
    for _ in range(14 * DAY):
        burst = 3 if rng.random() < 1 / 36 else max(0, burst - 1)
        values.append(rng.gauss(50, 5) if burst else rng.gauss(10, 1))
    late = [
        each for each in feed(Watched(), values, START, TEN) if each.until is None and each.since > START + 7 * 86400
    ]
    assert len(late) <= 2  # of some 30 bursts in the second week


def test_its_excess_is_what_was_beyond_the_plan_in_units_times_hours() -> None:
    opened, closed = minutes([10.0] * 1500 + [30.0] * 120 + [10.0] * 30)
    assert (opened.since, closed.until) == (START + 1500 * MINUTE, START + 1620 * MINUTE)
    assert closed.excess == pytest.approx(40.0, rel=0.05)
    assert closed.excess == closed.excess_usd
    assert opened.excess_per_hour == opened.excess_usd_per_hour == pytest.approx(20.0)


def test_it_is_told_when_enough_is_at_stake() -> None:
    opened, _ = minutes([10.0] * 1500 + [30.0] * 240 + [10.0] * 30, Rule(floor_usd=50.0))
    assert opened.excess_usd == pytest.approx(30.0, rel=0.05)
    assert minutes([10.0] * 1500 + [30.0] * 60 + [10.0] * 30, Rule(floor_usd=50.0)) == []


def test_of_other_figures_the_dollars_of_their_scope_are_at_stake() -> None:
    watched, opened = Watched(Rule(in_usd=False, floor_usd=1.0)), []
    for at in range(1540):
        tokens = 1000.0 if at < 1500 else 4000.0
        opened += [each] if (each := watched.add(START + at * MINUTE, tokens, usd_per_hour=tokens / 100)) else []
    assert [each.excess_usd_per_hour for each in opened] == [pytest.approx(30.0)]


def test_where_no_dollars_are_known_there_is_nothing_to_tell() -> None:
    assert minutes(noisy(10.0, 1500) + noisy(80.0, 30), Rule(in_usd=False, floor_usd=1.0)) == []


def test_values_that_stand_on_little_weigh_little() -> None:
    watched = Watched()
    for at in range(1500):
        lonely = at % 10 == 3
        assert watched.add(START + at * MINUTE, 45.0 if lonely else 10.0, weight=1.0 if lonely else 500.0) is None


def test_it_is_over_when_it_is_also_of_who_asks_once_in_some_minutes() -> None:
    rng = random.Random(4)
    watched = Watched(Rule())

    def asked(minutes: int, rate: float) -> list[float]:
        return [float(sum(rng.random() < rate / 20 for _ in range(20))) for _ in range(minutes)]

    feed(watched, asked(7 * 1440, 0.3), START, MINUTE)
    changes = feed(watched, asked(60, 8.0) + asked(240, 0.3), START + 7 * 86400, MINUTE)
    assert [each.until is None for each in changes] == [True, False]
    end = START + 7 * 86400 + 60 * MINUTE
    assert end <= (changes[1].until or 0.0) <= end + 60 * MINUTE


def test_what_rises_again_within_an_incident_is_another() -> None:
    values = noisy(10.0, 3 * DAY) + noisy(30.0, 24) + noisy(90.0, 24) + noisy(10.0, 12)
    first, closed, second, _ = feed(Watched(), values, START, TEN)
    assert (first.since, closed.until) == (START + 3 * DAY * TEN, second.since)
    assert second.since == START + (3 * DAY + 24) * TEN
    assert second.expected == pytest.approx(30.0, rel=0.1)


def test_what_rises_slowly_within_an_incident_is_the_same() -> None:
    values = noisy(10.0, 3 * DAY) + [30.0 * 1.02**at for at in range(72)]
    assert len(feed(Watched(), values, START, TEN)) == 1


def test_what_lasts_for_a_day_is_what_is_usual_then() -> None:
    opened, closed = feed(Watched(), noisy(10.0, 3 * DAY) + noisy(30.0, 4 * DAY), START, TEN)
    assert closed.until == pytest.approx(opened.since + 86400, abs=2 * TEN)


def test_a_night_without_a_recorder_is_no_incident_nor_is_what_comes_after() -> None:
    watched = Watched()
    values = [day(at / 6) * each for at, each in enumerate(noisy(1.0, 14 * DAY))]
    for at, value in enumerate(values):
        if not (10 * DAY + 120 <= at < 11 * DAY + 57):
            change = watched.add(START + at * TEN, value)
            assert change is None or at < 2 * DAY


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("zone", [None, BERLIN])
@pytest.mark.parametrize("begin", [1_773_964_800, 1_792_108_800])  # March and October 2026, clocks change within
def test_a_clock_that_changes_is_no_incident(zone: ZoneInfo | None, begin: int) -> None:
    """Neither of who lives by Berlin's clock, watched by it, nor of who lives by UTC, watched by either."""
    office, elsewhere = Watched(zone=BERLIN), Watched(zone=zone)
    changes = []
    for at in range(18 * DAY):
        ts = begin + at * TEN
        clock = datetime.fromtimestamp(ts, UTC).astimezone(BERLIN).replace(tzinfo=UTC).timestamp()
        changes += [office.add(ts, day((clock - START) / 3600)), elsewhere.add(ts, day((ts - START) / 3600))]
    assert [each for each in changes if each and each.since > begin + 5 * 86400] == []


def test_a_price_that_was_changed_is_no_incident_when_it_is_said() -> None:
    watched = Watched()
    feed(watched, noisy(10.0, 3 * DAY), START, TEN)
    watched.rebase(4.0)
    assert feed(watched, noisy(40.0, 2 * DAY), START + 3 * DAY * TEN, TEN) == []

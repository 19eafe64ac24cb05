"""Levels of a budget: each is told once a period, over restarts too, and several at once in one message."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from infertop.commands.told import BEGUN, FORECAST, what_it_is
from infertop.commands.watch import Watch
from infertop.engine.state import State
from infertop.history.summary import Spent, Summary
from infertop.money.periods import PeriodKind, period
from infertop.money.settings import Budget, Settings

ALL = Budget("all", Decimal(100), PeriodKind.DAY, "pricing.toml:1")
KATHMANDU = Settings(ZoneInfo("Asia/Kathmandu"), budgets=(ALL,))
NOW = 1_790_000_000 // 3600 * 3600 + 7.0


def spent(usd: float | None, settings: Settings = KATHMANDU, now: float = NOW, **more: object) -> Summary:
    start = period(settings.budgets[0].period, now, settings.zone)[0]
    nano = None if usd is None else round(usd * 1e9)
    return replace(Summary(budgets={each.name: Spent(start, nano, 1.0) for each in settings.budgets}), **more)


def levels(watch: Watch, sums: Summary, settings: Settings = KATHMANDU, now: float = NOW) -> list[str]:
    watch.tick(sums, settings, State(), now)
    return [str(each["text"]) for each in watch.events.take_news().values()]


def test_each_level_of_a_budget_is_told_once() -> None:
    watch = Watch(2.0)
    assert levels(watch, spent(49.99)) == []
    assert levels(watch, spent(50)) == ["all: 50.00 of 100 USD a day spent (50%)"]
    assert levels(watch, spent(79)) == []
    assert levels(watch, spent(80)) == ["all: 80.00 of 100 USD a day spent (80%)"]
    assert levels(watch, spent(101)) == ["all: 101.00 of 100 USD a day spent (over)"]
    assert levels(watch, spent(500)) == []
    assert sorted(each.level for each in watch.events.shown) == ["alarm", "warn", "warn"]
    assert {each.level for each in watch.levels.take()} == {"50%", "80%", "over"}
    assert watch.levels.take() == []


def test_amounts_below_a_cent_are_told_apart() -> None:
    tiny = replace(ALL, limit_usd=Decimal("0.01"))
    settings, watch = replace(KATHMANDU, budgets=(tiny,)), Watch(2.0)
    told = [levels(watch, spent(usd, settings), settings) for usd in (0.00501, 0.00803, 0.009999, 0.0101)]
    assert told == [
        ["all: 0.005 of 0.01 USD a day spent (50%)"],
        ["all: 0.008 of 0.01 USD a day spent (80%)"],
        [],
        ["all: 0.0101 of 0.01 USD a day spent (over)"],
    ]


def test_levels_crossed_at_once_are_told_in_one_message() -> None:
    watch = Watch(2.0)
    assert levels(watch, spent(85)) == ["all: 85.00 of 100 USD a day spent (50%, 80%)"]
    assert {each.level for each in watch.levels.take()} == {"50%", "80%"}
    assert levels(watch, spent(60)) == []


def test_a_restart_does_not_tell_again() -> None:
    first = Watch(2.0)
    levels(first, spent(85))
    noted = frozenset(first.levels.take())
    assert levels(Watch(2.0), spent(85, told=noted)) == []
    assert levels(Watch(2.0), spent(120, told=noted)) == ["all: 120.00 of 100 USD a day spent (over)"]


def test_the_next_period_is_told_anew() -> None:
    watch = Watch(2.0)
    levels(watch, spent(85))
    tomorrow = NOW + 86400
    assert levels(watch, spent(55, now=tomorrow), now=tomorrow) == ["all: 55.00 of 100 USD a day spent (50%)"]


def test_sums_of_yesterday_or_of_nothing_priced_tell_nothing() -> None:
    watch = Watch(2.0)
    assert levels(watch, spent(85), now=NOW + 86400) == []
    assert levels(watch, spent(None)) == []
    assert levels(watch, Summary()) == []


def test_a_level_beyond_the_limit_and_a_limit_without_a_level() -> None:
    far = Settings(budgets=(replace(ALL, alert_at=(Decimal("0.25"), Decimal("1.5"))),))
    watch = Watch(2.0)
    assert levels(watch, spent(120, far), far) == ["all: 120.00 of 100 USD a day spent (25%)"]
    assert watch.events.shown[0].level == "alarm"
    assert levels(watch, spent(150, far), far) == ["all: 150.00 of 100 USD a day spent (150%)"]


def changed(**more: object) -> Settings:
    return replace(KATHMANDU, budgets=(replace(ALL, **more),))


def test_a_new_name_tells_nothing_again_over_restarts_too() -> None:
    watch = Watch(2.0)
    assert len(levels(watch, spent(85))) == 1
    noted, settings = frozenset(watch.levels.take()), changed(name="everything")
    for again in (watch, Watch(2.0)):
        assert levels(again, spent(86, settings, told=noted), settings) == []
        assert levels(again, spent(100, settings, told=noted), settings) == [
            "everything: 100.00 of 100 USD a day spent (over)"
        ]


def test_of_a_raised_limit_levels_are_told_when_they_are_reached_and_none_that_is_reached_still() -> None:
    watch = Watch(2.0)
    levels(watch, spent(120))
    noted, settings = frozenset(watch.levels.take()), changed(limit_usd=Decimal(200))
    assert levels(watch, spent(121, settings, told=noted), settings) == []
    noted |= frozenset(watch.levels.take())
    for told in ("170.00 of 200 USD a day spent (80%)", "200.00 of 200 USD a day spent (over)"):
        usd = float(told.split()[0])
        keys = set(watch.events.take_news())
        watch.tick(spent(usd, settings, told=noted), settings, State(), NOW)
        news = watch.events.take_news()
        assert [each["text"] for each in news.values()] == [f"all: {told}"]
        assert all(" of 200 " in key for key in news.keys() - keys)
    assert levels(Watch(2.0), spent(170, settings, told=noted | set(watch.levels.take())), settings) == []


def test_of_a_lowered_limit_what_is_reached_now_is_told() -> None:
    watch, settings = Watch(2.0), changed(limit_usd=Decimal(60))
    levels(watch, spent(50))
    assert levels(watch, spent(50, settings), settings) == ["all: 50.00 of 60 USD a day spent (80%)"]


def test_another_time_zone_cuts_the_day_elsewhere_and_tells_nothing_again_that_is_still_so() -> None:
    watch, settings = Watch(2.0), replace(KATHMANDU, zone=ZoneInfo("America/New_York"))
    levels(watch, spent(85))
    start = int(period(PeriodKind.DAY, NOW, KATHMANDU.zone)[0])
    noted = frozenset({*watch.levels.take(), *((name, start, FORECAST + "100%") for name in ("all", what_it_is(ALL)))})
    assert levels(watch, spent(81, settings, told=noted), settings) == []
    assert {each.level for each in watch.levels.take()} == {BEGUN, "50%", "80%", FORECAST + "100%"}
    tomorrow = NOW + 86400
    assert len(levels(watch, spent(81, settings, now=tomorrow, told=noted), settings, tomorrow)) == 1


def test_what_was_told_on_a_day_of_25_hours_is_told_again_in_the_first_hour_of_the_next() -> None:
    berlin = replace(KATHMANDU, zone=ZoneInfo("Europe/Berlin"))
    watch, sunday = Watch(2.0), datetime(2026, 10, 25, 23, 50, tzinfo=berlin.zone).timestamp()
    assert len(levels(watch, spent(85, berlin, sunday), berlin, sunday)) == 1
    monday = sunday + 1200
    assert len(levels(watch, spent(85, berlin, monday), berlin, monday)) == 1

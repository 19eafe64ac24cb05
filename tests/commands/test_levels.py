"""Levels of a budget: each is told once a period, over restarts too, and several at once in one message."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

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

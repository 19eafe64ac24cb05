"""Plans of budgets from a ledger: hours known and unknown, restated, told late, in other zones; and burn."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.commands.planning import _MOST_AT_ONCE, _RESTATED_SECONDS, _WHOLE_SECONDS
from infertop.history.spend_hours import SpendHours
from infertop.history.summary import Summary
from infertop.money.budgets import status
from infertop.money.periods import PeriodKind, period
from infertop.money.settings import Settings
from infertop.readings.account import Account
from tests.commands.budget_world import HOUR, NOW, Ledger, budget

WEEKS = 3 * 168


def by_day(hour: int) -> float:
    return 5.0 if 8 <= hour < 20 else 1.0


def test_a_day_is_planned_by_its_rhythm_with_an_interval_and_times(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget(60))
    ledger.fill(WEEKS, by_day)
    plan = ledger.plan()["all"]
    spent = 8 * 1.0 + 4 * 5.0
    found = status(budget(60), round(spent * 1e9), None, NOW, ledger.scopes.settings.zone, plan)
    low, mid, high = found.forecast_usd
    assert low is not None
    assert mid is not None
    assert high is not None
    assert mid == pytest.approx(72, rel=0.02)
    assert spent <= low <= mid <= high
    assert [level for level, _ in found.crossings] == ["50%", "80%", "over"]
    times = [when for _, when in found.crossings]
    assert times == sorted(times)
    assert found.exhausted_at == times[-1] == pytest.approx(NOW + (60 - spent) / 5 * HOUR, abs=900)
    assert found.over is not None
    assert found.over > 0.9


def test_burn_is_beside_what_is_usual_and_what_the_limit_allows_at_this_time(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget(144))
    ledger.fill(WEEKS, by_day)
    burns = {burn.seconds: burn for burn in ledger.plan()["all"].burns}
    assert list(burns) == [600, 3600, 21600, 86400]
    assert burns[3600].usd_per_hour == pytest.approx(5)
    assert burns[3600].usual_usd_per_hour == pytest.approx(5, rel=0.03)
    assert burns[3600].of_plan == pytest.approx(0.5, rel=0.03)
    assert burns[86400].of_plan == pytest.approx(0.5, rel=0.03)


def burns_of(ledger: Ledger, name: str = "all") -> dict[float, tuple[float, float] | None]:
    """Return USD an hour and the known hours, by the hours of the window."""
    return {
        each.seconds / HOUR: None
        if each.usd_per_hour is None
        else (each.usd_per_hour, (each.known_seconds or 0) / HOUR)
        for each in ledger.plan()[name].burns
    }


@pytest.mark.parametrize("metered", [False, True])
def test_burn_is_over_the_hours_since_recording_began_and_unknown_where_these_are_few(
    tmp_path: Path, metered: bool
) -> None:
    ledger = Ledger(tmp_path / "x.db", budget())
    ledger.fill(4, lambda _: 2.0, metered=metered)
    found = burns_of(ledger)
    assert found.pop(24) is None
    assert found == {1 / 6: pytest.approx((2, 1 / 6)), 1: pytest.approx((2, 1)), 6: pytest.approx((2, 4))}


def test_a_key_that_is_used_for_the_first_time_spent_nothing_before(tmp_path: Path) -> None:
    """Of the provider more is known than of the key: it was told that there was nothing of it."""
    ledger = Ledger(tmp_path / "x.db", budget(name="new", model="new"))
    ledger.fill(48, lambda _: 5.0)
    ledger.fill(2, lambda _: 3.0, model="new")
    rates = {1 / 6: 3.0, 1: 3.0, 6: 1.0, 24: 0.25}
    assert burns_of(ledger, "new") == {hours: pytest.approx((rate, hours)) for hours, rate in rates.items()}


def test_burn_is_unknown_where_nobody_told_of_anything_and_0_where_nothing_was_used(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget(), budget(name="other", model="other"))
    assert set(burns_of(ledger).values()) == {None}
    ledger.fill(7, lambda _: 2.0)
    ledger.again()
    assert burns_of(ledger, "other")[6] == (0.0, 6.0)
    assert burns_of(ledger, "other")[24] is None
    ledger.connection.execute("UPDATE lines SET usd_nano = NULL")
    assert set(burns_of(ledger).values()) == {None}


def test_hours_in_which_nobody_read_the_meters_are_unknown_and_those_read_in_part_are_scaled(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget())
    ledger.fill(WEEKS, lambda _: 2.0, metered=True)
    night = range(NOW - 14 * HOUR, NOW - 4 * HOUR, HOUR)
    ledger.connection.execute("DELETE FROM lines WHERE start >= ? AND start < ?", (night[0], NOW - 4 * HOUR))
    ledger.connection.execute("DELETE FROM coverage WHERE minute >= ? AND minute < ?", (night[0], NOW - 4 * HOUR))
    half = NOW - 4 * HOUR
    ledger.add(half, 1.2, HOUR, metered=True)
    ledger.connection.execute("DELETE FROM coverage WHERE minute >= ? AND minute < ?", (half + 36 * 60, half + HOUR))
    spend = SpendHours(ledger.scopes)
    spend.read(ledger.connection, NOW // HOUR - WEEKS, NOW)
    hours = spend.usd("all", NOW // HOUR)
    assert [hours[each // HOUR] for each in night] == [None] * 10
    assert hours[half // HOUR] == pytest.approx(2.0)
    assert hours[NOW // HOUR - 1] == pytest.approx(2.0)
    plan = ledger.plan()["all"]
    assert plan.forecast is not None
    assert plan.forecast.mid == pytest.approx(24.0, rel=0.02)
    assert plan.forecast.history_hours == WEEKS - 10
    assert plan.burns[-1].usd_per_hour is not None


def test_what_a_provider_told_nothing_of_is_nothing_spent(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget())
    ledger.fill(WEEKS, lambda hour: 3.0 if hour < 6 else 0.0)
    plan = ledger.plan()["all"]
    assert plan.forecast is not None
    assert plan.forecast.mid < 1


def test_a_provider_that_tells_late_is_forecast_from_there(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget())
    ledger.fill(WEEKS, lambda _: 2.0, until=NOW - 2 * HOUR)
    late = Summary(accounts={"openai": Account(complete_until=float(NOW - 2 * HOUR))})
    plan, blind = ledger.plan(summary=late)["all"], None
    assert plan.told == NOW - 2 * HOUR
    assert plan.forecast is not None
    assert plan.forecast.mid == pytest.approx(28, rel=0.02)
    assert plan.burns[0].usd_per_hour == pytest.approx(2)
    ledger.again()
    blind = ledger.plan()["all"]
    assert blind.forecast is not None
    assert blind.forecast.mid < plan.forecast.mid


def test_an_hour_that_begins_dear_counts_before_it_ends(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget())
    ledger.fill(WEEKS, lambda _: 2.0)
    before = ledger.plan()["all"]
    for minute in range(20):
        ledger.add(NOW + 60 * minute, 0.5)
    after = ledger.plan(NOW + 1200)["all"]
    assert before.forecast is not None
    assert after.forecast is not None
    assert after.forecast.mid > 1.2 * before.forecast.mid


def test_restated_days_and_back_fills_are_read_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget())
    ledger.fill(WEEKS, lambda _: 2.0)
    first = ledger.plan()["all"]
    ledger.connection.execute("UPDATE lines SET usd_nano = usd_nano * 2")
    assert ledger.plan(NOW + 61)["all"].forecast is not None
    later = NOW + _WHOLE_SECONDS
    assert later - NOW > _RESTATED_SECONDS
    ledger.fill(1, lambda _: 4.0, until=NOW + HOUR)
    second = ledger.plan(later)["all"]
    assert first.forecast is not None
    assert second.forecast is not None
    assert second.forecast.mid == pytest.approx(2 * first.forecast.mid, rel=0.1)


def test_each_budget_has_its_own_scope_and_many_are_learnt_a_few_at_a_time(tmp_path: Path) -> None:
    many = [budget(100, name=f"b{each}", model="a" if each % 2 else "b") for each in range(_MOST_AT_ONCE + 2)]
    ledger = Ledger(tmp_path / "x.db", *many)
    ledger.fill(100, lambda _: 1.0, model="a")
    ledger.fill(100, lambda _: 3.0, model="b")
    assert len(ledger.plan()) == _MOST_AT_ONCE
    found = ledger.plan(NOW + 2)
    assert len(found) == len(many)
    ends = {name: plan.forecast.mid for name, plan in found.items() if plan.forecast is not None}
    assert ends["b0"] == pytest.approx(3 * ends["b1"], rel=0.01)


def test_nothing_is_forecast_on_hours_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget())
    ledger.fill(5, lambda _: 2.0)
    plan = ledger.plan()["all"]
    assert plan.forecast is None
    assert plan.burns[1].usd_per_hour == pytest.approx(2)
    found = status(budget(), 10 * 10**9, 2.0, NOW, ledger.scopes.settings.zone, plan)
    assert found.forecast_usd == (None, 34.0, None)
    assert found.over is None


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_day_of_23_or_25_hours_is_planned_to_its_end(tmp_path: Path, day: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    settings = Settings(zone, budgets=(budget(),))
    now = int(datetime.fromisoformat(day).replace(hour=1, tzinfo=zone).timestamp())
    ledger = Ledger(tmp_path / "x.db", settings=settings)
    ledger.fill(WEEKS, lambda _: 1.0, until=now)
    start, end = period(PeriodKind.DAY, now, zone)
    plan = ledger.plan(now)["all"]
    assert plan.forecast is not None
    assert plan.forecast.mid == pytest.approx((end - start) / HOUR - 1, rel=0.02)
    assert replace(plan, forecast=None).start == start

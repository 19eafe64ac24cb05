"""What is told of budgets: levels, and that they will be over; once each, and not where nothing is wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from infertop.commands.heading import SURE, forecast_of
from infertop.money.budget_plan import outlook
from infertop.money.periods import PeriodKind
from tests.commands.budget_watch import WEEKS, Watcher, budget_of, texts, watcher
from tests.commands.budget_world import HOUR, NOW, Ledger, budget

FORECAST = forecast_of(Decimal(1))


def test_a_budget_that_will_be_over_is_told_once_also_over_a_restart(tmp_path: Path) -> None:
    to = watcher(tmp_path, 45)
    first = to.look()
    assert [each.level for each in first] == ["warn", "alarm"]
    assert first[0].text == "all: 24.00 of 45 USD a day spent (50%)"
    assert first[1].text.startswith("all: heading for 47.9")
    assert ", gone Mon 21 Sep 22:" in first[1].text
    assert {each.level for each in to.noted} == {"50%", FORECAST, SURE}
    assert to.look(since=NOW + 300) == []
    to.restart()
    assert to.look(since=NOW + 600) == []


def test_what_is_not_likely_is_not_told(tmp_path: Path) -> None:
    assert watcher(tmp_path, 60).look(10) == []


def test_a_forecast_that_is_not_sure_says_how_likely(tmp_path: Path) -> None:
    low, mid, high = _ends(Watcher(noisy_days(tmp_path, 1000)))
    assert low < mid < high
    to = Watcher(noisy_days(tmp_path, round(0.9 * mid)))
    (likely,) = [each for each in to.look() if "heading" in each.text]
    assert likely.level == "warn"
    assert "% likely to be over" in likely.text


def noisy_days(path: Path, limit: int, kind: PeriodKind = PeriodKind.DAY) -> Ledger:
    """Days of which each takes something else."""
    ledger = Ledger(path / f"{limit}.db", budget(limit, kind))
    hours = iter(range(WEEKS))
    ledger.fill(WEEKS, lambda _: (1.0, 6.0, 2.0, 9.0, 1.0, 4.0, 3.0)[next(hours) // 24 % 7])
    return ledger


def _ends(to: Watcher) -> tuple[float, float, float]:
    found = outlook(to.ledger.plan()["all"], (to.ledger.spent().budgets["all"].usd_nano or 0) / 1e9, 1000.0, (), NOW)
    assert found is not None
    return found.usd


def test_levels_that_are_crossed_at_once_are_one_event_that_names_them(tmp_path: Path) -> None:
    to = watcher(tmp_path, 25)
    assert texts(to.look(1)) == ["all: 24.00 of 25 USD a day spent (50%, 80%)"]
    assert {each.level for each in to.noted} == {"50%", "80%"}


def test_a_level_and_where_it_is_heading_are_one_event_where_they_come_at_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget_of("48.3"))
    ledger.fill(WEEKS, lambda hour: 2.0 if hour < 12 else 3.0)
    (event,) = Watcher(ledger).look(each=lambda start: ledger.add(start, 3 / 60))
    assert event.text.startswith("all: 24.15 of 48.3 USD a day spent (50%); heading for 60.")
    assert event.level == "alarm"


def test_a_days_budget_is_told_once_a_day_where_it_is_heading(tmp_path: Path) -> None:
    to = Watcher(noisy_days(tmp_path, 1000))
    mid = _ends(to)[1]
    to = Watcher(noisy_days(tmp_path, round(0.9 * mid)))
    first = [each for each in to.look() if "heading" in each.text]
    assert [each.level for each in first] == ["warn"]
    more = to.look(60, NOW + 180, each=lambda start: to.ledger.add(start, mid / 200))
    assert to.levels.plans["all"].made == NOW + 180 + 3600
    assert [each for each in more if "heading" in each.text] == []


def test_a_month_is_told_when_it_is_likely_and_when_it_is_nearly_sure(tmp_path: Path) -> None:
    ledger = noisy_days(tmp_path, 1000, PeriodKind.MONTH)
    mid = _ends(Watcher(ledger))[1]
    ledger = noisy_days(tmp_path, round(0.98 * mid), PeriodKind.MONTH)
    to = Watcher(ledger)
    assert [each.level for each in to.look() if "heading" in each.text] == ["warn"]
    more = to.look(60, NOW + 180, each=lambda start: ledger.add(start, mid / 300))
    assert [each.level for each in more if "heading" in each.text] == ["alarm"]


def test_what_a_month_will_reach_below_its_limit_is_for_the_screen_alone_and_told_once(tmp_path: Path) -> None:
    """`info` is told to no webhook: it says when 50 % and 80 % will be reached, where the limit will not be."""
    to = watcher(tmp_path, 1700, PeriodKind.MONTH)
    crossed, event = to.look()
    assert crossed.text.endswith("(50%)")
    assert event.level == "info"
    assert event.text.startswith("all: heading for 1,4")
    assert ", 80% Tue 29 Sep" in event.text
    assert "gone" not in event.text
    assert {each.level for each in to.noted} == {"50%", "forecast 80%"}
    to.restart()
    assert to.look(since=NOW + 300) == []


def test_below_the_limit_nothing_is_told_of_where_a_day_is_heading(tmp_path: Path) -> None:
    assert [each for each in watcher(tmp_path, 55).look(10) if "heading" in each.text] == []


def test_of_an_hour_no_forecast_is_told(tmp_path: Path) -> None:
    to = watcher(tmp_path, 2, PeriodKind.HOUR)
    told = to.look(50, each=lambda start: to.ledger.add(start, 3 / 60))
    assert [each.text for each in told if "heading" in each.text] == []
    assert told[-1].text == "all: 2.00 of 2 USD an hour spent (over)"


def test_a_night_without_a_recorder_tells_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget(60), budget(5000, PeriodKind.MONTH, "m"))
    ledger.fill(WEEKS, lambda _: 2.0, until=NOW - 10 * HOUR, metered=True)
    to = Watcher(ledger)

    def minute(start: int) -> None:
        ledger.add(start, 2 / 60, metered=True)
        ledger.cover(start, 1)

    assert to.look(30, each=minute) == []


def test_a_restatement_down_and_up_again_tells_nothing_twice(tmp_path: Path) -> None:
    to = watcher(tmp_path, 45)
    to.look()
    noted = to.noted
    for factor in (0.1, 10.0):
        to.ledger.connection.execute("UPDATE lines SET usd_nano = CAST(usd_nano * ? AS INTEGER)", (factor,))
        to.restart()
        assert to.look(since=NOW + 300) == []
    assert to.noted == noted


def test_a_price_edit_that_lets_the_limit_be_reached_is_told_and_is_no_runaway(tmp_path: Path) -> None:
    to = watcher(tmp_path, 400)
    assert to.look() == []
    to.ledger.connection.execute("UPDATE lines SET usd_nano = usd_nano * 10")
    to.ledger.again()
    told = texts(to.look(since=NOW + 300))
    assert told[0] == "all: 240.00 of 400 USD a day spent (50%)"
    assert not any("minutes" in each for each in told)


def test_what_is_told_of_a_day_after_its_end_is_counted_for_that_day_once(tmp_path: Path) -> None:
    midnight = NOW + 12 * HOUR
    ledger = Ledger(tmp_path / "x.db", budget(50))
    ledger.fill(WEEKS, lambda _: 2.0, until=midnight - HOUR)
    to = Watcher(ledger)
    to.look(30, midnight - 1800)

    def minute(start: int) -> None:
        ledger.add(midnight - HOUR, 4.5 if start > midnight + 600 else 2.0, HOUR)

    late = [each for each in to.look(30, midnight, each=minute) if "until" in each.text]
    assert texts(late) == [
        "all: 50.50 of 50 USD a day spent (over) until Tue 22 Sep 00:00, of which a part was not known by then"
    ]
    assert late[0].level == "alarm"
    assert not any("until" in each for each in texts(to.look(30, midnight + 1800)))


def test_nothing_is_told_of_a_day_that_was_over_before_anybody_looked(tmp_path: Path) -> None:
    midnight = NOW + 12 * HOUR
    ledger = Ledger(tmp_path / "x.db", budget(40))
    ledger.fill(WEEKS, lambda _: 2.0, until=midnight)
    assert [each for each in texts(Watcher(ledger).look(30, midnight)) if "until" in each] == []


def test_the_next_period_may_be_told_anew(tmp_path: Path) -> None:
    to = watcher(tmp_path, 45)
    assert len(to.look()) == 2
    to.ledger.fill(24, lambda _: 2.0, until=NOW + 24 * HOUR)
    assert ["heading" in each for each in texts(to.look(since=NOW + 24 * HOUR))] == [False, True]

"""Runaways of budgets: told within ten minutes, once, and not where nothing is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from infertop.commands.guard import runaway_text
from infertop.money.budget_plan import Burn
from infertop.money.periods import PeriodKind
from infertop.views.shapes import Event
from tests.commands.budget_watch import WEEKS, Watcher, watcher
from tests.commands.budget_world import HOUR, NOW, Ledger, budget


@pytest.mark.parametrize(("kind", "limit"), [(PeriodKind.DAY, 100), (PeriodKind.WEEK, 600), (PeriodKind.MONTH, 2500)])
def test_a_runaway_is_told_within_ten_minutes_once(tmp_path: Path, kind: PeriodKind, limit: int) -> None:
    to = watcher(tmp_path, limit, kind)
    told = to.look(30, each=lambda start: to.ledger.add(start, 5.0))
    runaways = [each for each in told if "minutes" in each.text]
    assert len(runaways) == 1
    assert runaways[0].level == "alarm"
    assert runaways[0].ts - NOW <= 600
    to.restart()
    again = to.look(10, NOW + 1800, each=lambda start: to.ledger.add(start, 5.0))
    assert [each for each in again if "minutes" in each.text] == []


@pytest.mark.parametrize("kind", [PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH])
def test_ten_times_what_is_usual_is_told_within_ten_minutes_of_a_limit_a_quarter_above_it(
    tmp_path: Path, kind: PeriodKind
) -> None:
    days = {PeriodKind.DAY: 1, PeriodKind.WEEK: 7, PeriodKind.MONTH: 30}[kind]
    to = watcher(tmp_path, round(1.25 * 48 * days), kind)
    told = to.look(10, each=lambda start: to.ledger.add(start, 20 / 60))
    (wild,) = [each for each in told if "minutes" in each.text]
    assert "usually 0.33" in wild.text
    assert "at this rate" in wild.text


def test_how_long_a_limit_lasts_is_of_what_is_left_of_it() -> None:
    burn = Burn(600.0, 60.0, 6.0, None, 600.0)
    month = budget(6000, PeriodKind.MONTH, "month")
    assert runaway_text(month, burn, 3000.0) == (
        "10.00 USD in 10 minutes, usually 1.00: 0.2% of 6,000 USD a month, of which 3,000.00 USD are left:"
        " 50.0 hours at this rate"
    )
    assert runaway_text(month, burn, 5999.5).endswith("of which 0.50 USD are left: 1 minutes at this rate")
    assert runaway_text(month, burn, 5970.0).endswith("of which 30.00 USD are left: 30 minutes at this rate")


def wild(events: list[Event]) -> list[str]:
    return [each.text for each in events if "minutes" in each.text]


def test_a_runaway_under_several_budgets_is_told_once_and_names_them(tmp_path: Path) -> None:
    month, other = budget(2500, PeriodKind.MONTH, "month"), budget(300, name="calm", model="calm")
    ledger = Ledger(tmp_path / "x.db", budget(100, name="day"), month, budget(60, name="bot", model="m"), other)
    for model in ("m", "calm"):
        ledger.fill(WEEKS, lambda _: 1.0, model=model)
    to = Watcher(ledger)
    told = to.look(30, each=lambda start: ledger.add(start, 2.0))
    (text,) = wild(told)
    assert text.startswith("bot: ")
    assert "% of 60 USD a day, of which" in text
    assert "% of day, 100 USD a day; " in text
    assert "% of month, 2,500 USD a month" in text
    assert "calm" not in text
    to.restart()
    assert wild(to.look(10, NOW + 1800, each=lambda start: ledger.add(start, 2.0))) == []


def test_two_runaways_of_different_things_are_told_each(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", *(budget(60, name=name, model=name) for name in ("a", "b")))
    for model in ("a", "b"):
        ledger.fill(WEEKS, lambda _: 1.0, model=model)

    def minute(start: int) -> None:
        ledger.add(start, 2.0, model="a")
        ledger.add(start, 2.0, model="b")

    assert sorted(text[:2] for text in wild(Watcher(ledger).look(20, each=minute))) == ["a:", "b:"]


def test_what_burst_as_high_before_is_no_runaway(tmp_path: Path) -> None:
    """An evaluation now and then, at no hour in particular, takes ten times the mean."""
    ledger = Ledger(tmp_path / "x.db", budget(2500, PeriodKind.MONTH))
    hours = iter(range(WEEKS))
    ledger.fill(WEEKS, lambda _: 20.0 if next(hours) % 55 == 0 else 2.0)
    told = Watcher(ledger).look(30, each=lambda start: ledger.add(start, 20 / 60))
    assert [each for each in told if "minutes" in each.text] == []


def test_a_runaway_over_midnight_is_told_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget(2500))
    midnight = NOW + 12 * HOUR
    ledger.fill(WEEKS, lambda _: 2.0, until=midnight - HOUR // 2)
    to = Watcher(ledger)
    told = to.look(60, midnight - HOUR // 2, each=lambda start: ledger.add(start, 20.0))
    assert len([each for each in told if "minutes" in each.text]) == 1


def test_ordinary_traffic_fires_no_guard(tmp_path: Path) -> None:
    """The busiest hour takes 2.4 times the mean, a job of every noon 20 % of the day."""
    ledger = Ledger(tmp_path / "x.db", budget(120), budget(800, PeriodKind.WEEK, "w"))
    ledger.fill(WEEKS, lambda hour: 25.0 if hour == 12 else 9.0 if hour in (10, 11, 13) else 2.0)
    to = Watcher(ledger)
    told = to.look(60, each=lambda start: ledger.add(start, 25 / 60))
    assert [each for each in told if "minutes" in each.text] == []


def test_a_machine_that_costs_the_same_each_hour_is_no_runaway_on_its_first_day(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db", budget(10))
    to = Watcher(ledger)

    def minute(start: int) -> None:
        ledger.add(start, 2.5 / 60, metered=True)
        ledger.cover(start, 1)

    told = to.look(4 * 60 - 1, each=minute)
    assert {each.text.split("(")[-1] for each in told} == {"50%)", "80%)"}

"""Limits that a provider keeps: budgets of its own days, by its ids, with what the ledger has spent of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.commands.known import tellers
from infertop.commands.levels import Levels
from infertop.commands.past import past
from infertop.engine.collector import Health
from infertop.engine.collector import State as SourceState
from infertop.history.allowed import MOST, allowance_budgets, spent_by_own_count, spent_of_limits, with_names
from infertop.history.follower import Follower
from infertop.history.reader import Reader
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.history.writer import Writer
from infertop.money.baseline import Baselines
from infertop.money.periods import PeriodKind
from infertop.money.settings import Budget, Settings
from infertop.readings.account import Account, Allowance, Name
from infertop.readings.model import Batch, Covered
from infertop.views.api_rates import api_rates
from infertop.views.costs import Costs
from infertop.views.overview import budget_row
from tests.history.stating import MONDAY, say
from tests.history.test_account_notes import writer

NOW = MONDAY + 7200.0
ALL = Allowance("OpenAI spend limit", "openai", Decimal(20), "month", (("provider", "openai"),))
ONE = Allowance("limit of proj_1", "openai", Decimal(4), "day", (("project", "proj_1"),), None, (Decimal("0.5"),), True)
NEVER = Allowance("prepaid", "openai", Decimal(5), "")
NOTHING = Costs((), {}, None, None, None, None, 0, 0)
# In Auckland the day began twelve hours ago; the provider's is UTC's.
SETTINGS = Settings(zone=ZoneInfo("Pacific/Auckland"), budgets=(Budget("mine", Decimal(9), PeriodKind.DAY, "x:1"),))


def told(*allowances: Allowance, ts: float = NOW) -> Batch:
    said = [
        say(MONDAY - 3600, 60, {"input": 4_000_000}, dimensions={"project": "proj_1"}),
        say(MONDAY + 60, 60, {"input": 400_000}, dimensions={"project": "proj_1"}),
        say(NOW - 1200, 60, {"input": 600_000}, dimensions={"project": "proj_1"}),
        say(NOW - 1200, 60, {"output": 100_000}, dimensions={"project": "proj_2"}),
    ]
    account = Account(allowances=allowances, names=(Name("project", "proj_1", "Bots"),), complete_until=NOW - 600)
    return Batch(
        "openai", ts, (), (), statements=tuple(said), covered=(Covered(MONDAY - 7200, NOW, ""),), account=account
    )


def recorded(path: Path, *allowances: Allowance) -> tuple[Writer, Summary]:
    to = writer(path, NOW - 5)
    to.rescope(Scopes(SETTINGS))
    to.tick([told(*allowances)], NOW)
    return to, to.tick([], NOW + 0.1)


def test_what_was_spent_of_a_limit_is_by_the_providers_ids_and_its_own_day(tmp_path: Path) -> None:
    to, summary = recorded(tmp_path / "x.db", ALL, ONE, NEVER)
    assert [each.name for each in summary.allowances] == ["OpenAI spend limit", "limit of proj_1"]
    assert summary.budgets["limit of proj_1"].start == MONDAY
    assert summary.budgets["limit of proj_1"].usd_nano == 2_500_000_000
    assert summary.budgets["OpenAI spend limit"].usd_nano == 13_500_000_000
    to.finish(NOW + 1)


def test_a_viewer_has_the_same_limits_and_follows_when_they_change(tmp_path: Path) -> None:
    to, summary = recorded(tmp_path / "x.db", ALL, ONE)
    follower = Follower(tmp_path / "x.db", NOW, Scopes(SETTINGS))
    seen = follower.look(NOW + 0.1).summary
    assert (seen.allowances, seen.recent, seen.names) == (summary.allowances, summary.recent, summary.names)
    assert {name: each.usd_nano for name, each in seen.budgets.items()} == {
        name: each.usd_nano for name, each in summary.budgets.items()
    }
    dearer = replace(ONE, limit_usd=Decimal(40))
    later = to.tick([told(dearer, ts=NOW + 1)], NOW + 1)
    assert follower.look(NOW + 1).summary.allowances == later.allowances
    to.tick([replace(told(ts=NOW + 2))], NOW + 2)
    assert follower.look(NOW + 2).summary.allowances == ()
    follower.close()
    to.finish(NOW + 3)


def test_it_is_shown_as_a_budget_marked_as_the_providers_with_its_burn_and_names(tmp_path: Path) -> None:
    to, summary = recorded(tmp_path / "x.db", ALL, ONE)
    health = Health("openai", "openai", SourceState.UP, NOW, NOW)
    api = api_rates(summary, tellers([health], summary.accounts), NOW)
    shown = past(summary, SETTINGS, NOTHING, Baselines(2.0), (), NOW, api)
    mine, whole, one = (budget_row(each, 0.5) for each in shown.budgets)
    assert (mine.origin, mine.coverage) == ("", 0.5)
    assert (whole.origin, whole.coverage, whole.spent_usd) == ("openai", None, 13.5)
    assert (one.name, one.scope) == ("limit of Bots", "source=openai project=Bots")
    assert (one.fraction, one.level) == (0.625, "50%")
    assert one.burn_usd_per_hour == pytest.approx(1.5 * 4)
    assert one.resets_at == MONDAY + 86_400
    assert one.exhausted_at == pytest.approx(NOW + (4 - 2.5) / 6 * 3600)
    to.finish(NOW + 1)


def test_what_a_provider_says_itself_was_spent_of_its_limit_comes_before_the_ledgers(tmp_path: Path) -> None:
    to, summary = recorded(tmp_path / "x.db", ALL, replace(ONE, spent_usd=Decimal("3.5")))
    own = Decimal("3.5") * 10**9
    assert spent_by_own_count(summary.accounts, ["mine"], NOW) == {"limit of proj_1": own}
    shown = past(summary, SETTINGS, NOTHING, Baselines(2.0), (), NOW)
    _, whole, one = (budget_row(each, 0.5) for each in shown.budgets)
    assert (whole.spent_usd, whole.own_count) == (13.5, False)
    assert (one.spent_usd, one.fraction, one.own_count) == (3.5, 0.875, True)
    (event,) = [each for _, each in Levels().cross(summary, SETTINGS, NOW) if each.scope == {"budget": "limit of Bots"}]
    assert "3.50 of 4 USD a day spent" in event.text
    # Of the next day it has said nothing yet: what it said was of the day before.
    assert spent_by_own_count(summary.accounts, ["mine"], MONDAY + 86_400) == {}
    to.finish(NOW + 1)


def test_what_is_spent_of_the_limits_is_known_to_who_only_reads(tmp_path: Path) -> None:
    """Of one the provider says itself how much, of the other the ledger does; another name may be taken."""
    to, _ = recorded(tmp_path / "x.db", ALL, replace(ONE, spent_usd=Decimal("3.5")))
    reader = Reader(tmp_path / "x.db")
    found = {each.name: nano for each, nano in reader.ask(spent_of_limits, ["OpenAI spend limit"], NOW + 1)}
    assert found == {"OpenAI spend limit (openai)": 13_500_000_000, "limit of proj_1": 3_500_000_000}
    tomorrow = {each.name: nano for each, nano in reader.ask(spent_of_limits, [], MONDAY + 86_400 + 5.0)}
    assert tomorrow == {"OpenAI spend limit": 13_500_000_000, "limit of proj_1": None}
    reader.close()
    to.finish(NOW + 1)


def test_its_levels_are_told_once_by_name(tmp_path: Path) -> None:
    to, summary = recorded(tmp_path / "x.db", ONE)
    levels = Levels()
    ((_, event),) = [each for each in levels.cross(summary, SETTINGS, NOW) if "mine" not in each[0]]
    assert event.text == "limit of Bots: 2.50 of 4 USD a day spent (50%)"
    assert list(levels.cross(summary, SETTINGS, NOW)) == []
    to.finish(NOW + 1)


def test_a_rescope_keeps_the_limits(tmp_path: Path) -> None:
    to, _ = recorded(tmp_path / "x.db", ONE)
    to.rescope(Scopes(replace(SETTINGS, budgets=())))
    assert [each.name for each in to.tick([], NOW + 1).allowances] == ["limit of proj_1"]
    to.finish(NOW + 2)


def test_names_that_are_taken_get_the_source_and_only_so_many_are_taken() -> None:
    accounts = {"a": Account(allowances=(ALL, ALL)), "b": Account(allowances=(ALL,))}
    found = allowance_budgets(accounts, ["OpenAI spend limit"])
    assert len({each.name for each in found}) == 3
    assert found[0].name == "OpenAI spend limit (a)"
    many = {"a": Account(allowances=tuple(replace(ALL, name=str(n)) for n in range(MOST + 50)))}
    assert len(allowance_budgets(many)) == MOST
    assert allowance_budgets({"a": Account(allowances=(replace(ALL, limit_usd=Decimal(0)), NEVER))}) == ()


def test_a_budget_of_pricing_toml_keeps_its_globs() -> None:
    mine = Budget("proj_1", Decimal(1), PeriodKind.DAY, "x:1", conditions=(("project", "proj_1"),))
    assert with_names(mine, {("project", "proj_1"): "Bots"}) is mine

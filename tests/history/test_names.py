"""Ids are called by their names wherever the ledger is read, the past included."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from infertop.history.accounts import Account as Booked
from infertop.history.follower import Follower
from infertop.history.open import open_store
from infertop.history.report import report
from infertop.history.scopes import Scopes
from infertop.history.writer import Writer
from infertop.money.periods import PeriodKind
from infertop.money.settings import Assignment, Budget, Settings
from infertop.readings.account import Account, Name
from infertop.readings.model import Batch
from tests.history.stating import MONDAY, say
from tests.history.world import deriver

BUDGET = Budget("support", Decimal(9), PeriodKind.MONTH, "x:1", conditions=(("team", "support"),))
SUPPORT = Assignment((("key", "prod-support-*"),), (("team", "support"),), "x:2")
SCOPES = Scopes(Settings(budgets=(BUDGET,), assignments=(SUPPORT,)))
NOW = MONDAY + 7200.0


def keys(path: Path, by: str = "key") -> dict[str | None, int | None]:
    with closing(sqlite3.connect(path)) as connection:
        rows = report(connection, (by,), MONDAY, NOW, SCOPES).rows
    return {row.keys[by]: row.usd_nano for row in rows}


def told(*names: tuple[str, str]) -> Batch:
    said = tuple(Name("key", number, name) for number, name in names)
    return Batch("openai", NOW, (), (), account=Account(names=said))


def test_a_key_is_called_by_its_name_and_by_its_new_one_in_the_past_too(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    to = Writer(open_store(path, NOW), deriver(), NOW, scopes=SCOPES)
    page = [say(MONDAY, 60, {"input": 10**6}, dimensions={"key": key}) for key in ("key_1", "key_2")]
    summary = to.tick([Batch("openai", NOW, (), (), statements=tuple(page))], NOW)
    assert keys(path) == {"key_1": 2_500_000_000, "key_2": 2_500_000_000}
    assert summary.budgets["support"].usd_nano is None
    follower = Follower(path, NOW, SCOPES)
    assert follower.look(NOW).summary.budgets["support"].usd_nano is None

    to.tick([told(("key_1", "prod-support-eu"), ("key_3", "unused"))], NOW + 1)
    assert keys(path) == {"prod-support-eu": 2_500_000_000, "key_2": 2_500_000_000}
    assert keys(path, "team") == {"support": 2_500_000_000, None: 2_500_000_000}
    summary = to.tick((), NOW + 2)
    assert summary.budgets["support"].usd_nano == 2_500_000_000
    assert follower.look(NOW + 1).summary.budgets["support"].usd_nano == 2_500_000_000

    to.tick([told(("key_1", "staging"), ("key_2", "prod-support-us"))], NOW + 3)
    assert keys(path) == {"staging": 2_500_000_000, "prod-support-us": 2_500_000_000}
    follower.close()
    to.finish(NOW + 4)


def test_keys_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    to = Writer(open_store(path, NOW), deriver(), NOW, scopes=SCOPES)
    page = [say(MONDAY, 60, {"input": 10**6}, dimensions={"key": key}) for key in ("key_abc111", "key_abc222")]
    names = told(("key_abc111", "default"), ("key_abc222", "default"))
    to.tick([Batch("openai", NOW, (), (), statements=tuple(page)), names], NOW)
    assert set(keys(path)) == {"default (…abc111)", "default (…abc222)"}
    to.finish(NOW + 1)


def test_rules_and_budgets_by_the_id_hold_when_its_name_is_known_and_those_by_a_name_when_another_key_gets_it(
    tmp_path: Path,
) -> None:
    by_id = Assignment((("key", "key_1"),), (("team", "one"),), "x:1")
    by_name = Assignment((("key", "prod"),), (("team", "two"),), "x:2")
    budgets = (
        Budget("one", Decimal(9), PeriodKind.MONTH, "x:3", conditions=(("key", "key_1"), ("team", "one"))),
        Budget("two", Decimal(9), PeriodKind.MONTH, "x:4", conditions=(("key", "prod"),)),
    )
    scopes = Scopes(Settings(budgets=budgets, assignments=(by_id, by_name)))
    names = {("key", "key_1"): "web", ("key", "key_2"): "prod (…key_2)", ("key", "key_3"): "prod (…key_3)"}
    for known, second in ((names, "two"), ({**names, ("key", "key_2"): "prod"}, "two"), ({}, None)):
        told = replace(scopes, names=known)
        teams = {key: told.dimensions(booked(key)).get("team") for key in ("key_1", "key_2")}
        assert teams == {"key_1": "one", "key_2": second}
        assert [told.is_in(booked("key_1"), each) for each in budgets] == [True, False]
        assert told.is_in(booked("key_2"), budgets[1]) is bool(known)


def booked(key: str) -> Booked:
    return Booked("openai", "openai", "m", "input", (("key", key),), "tokens", None, "computed", "")

"""The ledger, summed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from infertop.history.drops import transaction
from infertop.history.ledger import Ledger
from infertop.history.migrations import migrate
from infertop.history.report import Row, coverage, report, spent
from infertop.history.scopes import Scopes
from infertop.history.summary import Totals
from infertop.money.lines import Basis, Line, Price
from infertop.money.settings import Assignment, Settings
from tests.history.world import totals

PRICE = Price("gpt-4o", Decimal("2.5"), "1M tokens", "pricing.toml:4")
API = Line(0, 60, "openai", "openai", "gpt-4o", "input", (("key", "prod-1"),), 1000, "tokens", 7, PRICE, Basis.COMPUTED)
LOCAL = Line(0, 60, "vllm", "local", "llama", "output", (), 500, "tokens", None, None, Basis.MEASURED)
LINES = (
    API,
    replace(API, dimensions=(("key", "dev-1"),), quantity=10, usd_nano=1),
    replace(API, resource="requests", quantity=3, unit="requests", usd_nano=None, price=None),
    replace(API, model="gpt-new", price=None, usd_nano=None, quantity=40),
    LOCAL,
    replace(LOCAL, resource="gpu_busy", dimensions=(("gpu", "GPU-0"),), unit="ms", usd_nano=100, price=PRICE),
    replace(LOCAL, resource="gpu_idle", model=None, unit="ms", usd_nano=50, price=PRICE),
    replace(API, start=3600, end=7200, quantity=600, usd_nano=60),
)
TEAMS = Scopes(Settings(assignments=(Assignment((("key", "prod-*"),), (("team", "support"),), "x:1"),)))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    migrate(connection)
    ledger = Ledger(connection)
    ledger.close(LINES[:-1])
    ledger.replace_open(LINES[-1:])
    with transaction(connection):
        ledger.write(connection)
        connection.executemany("INSERT INTO coverage VALUES (?,?)", [(0, 60_000), (60, 30_000)])
    yield connection
    connection.close()


def test_by_model_the_dearest_is_first_and_what_has_no_price_has_none(connection: sqlite3.Connection) -> None:
    found = report(connection, ["model"], 0, 600)
    assert found.rows == (
        Row({"model": "llama"}, True, None, {"output": 500}, 100, 0),
        Row({"model": None}, True, None, {}, 50, 0),
        Row({"model": "gpt-4o"}, True, 3, {"input": 1010}, 8, 0),
        Row({"model": "gpt-new"}, True, None, {"input": 40}, None, 40),
    )
    assert found.coverage == pytest.approx(0.15)


def test_teams_are_assigned_when_the_ledger_is_read(connection: sqlite3.Connection) -> None:
    by_team = {row.keys["team"]: row.usd_nano for row in report(connection, ["team"], 0, 600, TEAMS).rows}
    assert by_team == {"support": 7, None: 151}
    keys = {(row.keys["key"], row.keys["team"]) for row in report(connection, ["key", "team"], 0, 600, TEAMS).rows}
    assert keys == {("prod-1", "support"), ("dev-1", None), (None, None)}
    assert spent(connection, (("team", "supp*"),), 0, 600, TEAMS) == 7
    assert spent(connection, (("model", "gpt-new"),), 0, 600) is None


def test_a_line_astride_the_edge_is_prorated_and_flagged(connection: sqlite3.Connection) -> None:
    (row,) = report(connection, ["source"], 1800, 5400).rows
    assert (row.tokens, row.usd_nano, row.prorated) == ({"input": 300}, 30, True)
    (row,) = report(connection, ["source"], 3600, 7200).rows
    assert (row.tokens, row.usd_nano, row.prorated) == ({"input": 600}, 60, False)
    assert report(connection, ["source"], 7200, 9000).rows == ()


def test_what_only_attributes_is_a_row_of_its_own(connection: sqlite3.Connection) -> None:
    found = report(connection, ["provider"], 0, 600, Scopes(counts=lambda source, _provider, _model: source != "vllm"))
    assert {(row.keys["provider"], row.counts) for row in found.rows} == {("local", False), ("openai", True)}
    without = report(connection, [], 0, 600, Scopes(counts=lambda source, _provider, _model: source != "vllm"))
    assert [(row.keys, row.counts, row.usd_nano) for row in without.rows] == [({}, False, 150), ({}, True, 8)]


def test_totals_by_source_and_model_have_every_resource(connection: sqlite3.Connection) -> None:
    found = totals(connection, 0, 600)
    assert found["openai", "gpt-4o"] == Totals({"input": 1010, "requests": 3}, 8, 0, {"input": 8})
    assert found["openai", "gpt-new"] == Totals({"input": 40}, None, 40)
    assert found["vllm", "llama"] == Totals({"output": 500, "gpu_busy": 500}, 100, 0)
    assert found["vllm", None] == Totals({"gpu_idle": 500}, 50, 0)


def test_an_empty_span_has_no_coverage(connection: sqlite3.Connection) -> None:
    assert coverage(connection, 600, 600) is None
    assert coverage(connection, 600, 1200) == 0.0
    assert coverage(connection, 0, 60) == 1.0

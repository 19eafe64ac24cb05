"""`infertop report --budget-exit`: the status says whether a budget is over, and whether that is known."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infertop import cli
from infertop.commands import once
from infertop.commands.budget_exit import standing_of
from infertop.commands.setup import Setup
from infertop.options import parser
from infertop.views.shapes import BudgetRow, Overview
from tests.commands.reported import PRICING, Run, typed_report
from tests.tui import sample


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return typed_report(tmp_path, monkeypatch, capsys)


def test_a_budget_that_is_over_ends_with_3_where_that_was_asked_for(run: Run, tmp_path: Path) -> None:
    status, out, err = run("--budget-exit", "--format", "json")
    assert status == 3
    assert json.loads(out)["rows"]
    assert err == "infertop: the budget gpus is over: 2.00 of 2 USD\n"
    assert run("--format", "json")[0] == 0
    more = '[[budget]]\nname = "month"\nlimit_usd = 1\nperiod = "month"\n[[budget]]\nname = "far"\nlimit_usd = 99\n'
    (tmp_path / "pricing.toml").write_text(f"{PRICING}\n{more}period = 'day'\n")
    status, _, err = run("--budget-exit")
    assert status == 3
    assert [line.split(" is over")[0] for line in err.splitlines()] == [
        "infertop: the budget gpus",
        "infertop: the budget month",
    ]
    (tmp_path / "pricing.toml").write_text(PRICING.replace("limit_usd = 2", "limit_usd = 2.01"))
    status, _, err = run("--budget-exit")
    assert (status, err) == (0, "")


@pytest.mark.parametrize(
    ("period", "condition", "status", "why"),
    [
        ("day", 'model = "never used"', 0, None),
        ("day", 'key = "prod-*"', 0, None),
        ("day", 'key = "dev"', 1, "nothing that counts towards it has a price"),
        ("hour", "", 1, "or nobody recorded"),
    ],
)
def test_what_is_not_known_of_a_budget_ends_with_1_and_says_why(
    period: str, condition: str, status: int, why: str | None, run: Run, tmp_path: Path
) -> None:
    budget = f'[[budget]]\nname = "b"\nlimit_usd = 1.2\nperiod = "{period}"\n{condition}\n'
    (tmp_path / "pricing.toml").write_text(budget)
    found, _, err = run("--budget-exit")
    assert found == status
    assert (why in err and "the budget b: whether it is over is not known" in err) if why else err == ""


def test_while_a_provider_is_read_back_nothing_is_known_but_what_is_over(run: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("INSERT INTO inventory VALUES ('unread', '[{\"name\": \"openai\"}]')")
    more = '[[budget]]\nname = "far"\nlimit_usd = 99\nperiod = "day"\n[[budget]]\nname = "own"\nlimit_usd = 99\n'
    (tmp_path / "pricing.toml").write_text(f'{more}period = "day"\nsource = "vllm*"\n')
    found, _, err = run("--budget-exit")
    assert (found, err) == (
        1,
        "infertop: the budget far: whether it is over is not known: openai is still being read back\n",
    )
    (tmp_path / "pricing.toml").write_text(f'{PRICING}\n{more}period = "day"\n')
    found, _, err = run("--budget-exit")
    assert found == 3
    assert len(err.splitlines()) == 3


def row(spent_usd: float | None, limit_usd: float = 2.0, **more: Any) -> BudgetRow:
    nothing = (None, None, None)
    return BudgetRow("gpus", "day", limit_usd, spent_usd, None, None, nothing, None, None, 0.0, **more)


@pytest.mark.parametrize(
    ("rows", "status", "sentences"),
    [
        ((), 0, ()),
        ((row(1.99),), 0, ()),
        ((row(1.99), row(2.0)), 3, ("the budget gpus is over: 2.00 of 2 USD",)),
        ((row(3.0, unread=("openai",)),), 3, ("the budget gpus is over: 3.00 of 2 USD",)),
        (
            (row(1.0, unread=("openai",)), row(1.0)),
            1,
            ("the budget gpus: whether it is over is not known: openai is still being read back",),
        ),
        ((row(None), row(9.0, origin="openrouter")), 3, ("openrouter's gpus is over: 9.00 of 2 USD",)),
    ],
)
def test_a_reading_has_the_same_status_by_its_budgets(
    rows: tuple[BudgetRow, ...], status: int, sentences: tuple[str, ...]
) -> None:
    found = standing_of(rows)
    assert found.status == status
    assert found.sentences[: len(sentences)] == sentences


@pytest.mark.parametrize(("limit", "status"), [("0.000001", 3), ("1000000", 0)])
def test_one_reading_ends_with_it(
    limit: str, status: int, pricing: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def read(_setup: Setup) -> Overview:
        return replace(sample.RICH, budgets=(row(1.0, float(limit)),))

    monkeypatch.setattr(once, "read", read)
    words = ["--once", "--json", "--pricing", str(pricing), "--db", str(pricing.with_name("x.db"))]
    assert cli.main([*words, "--budget-exit"]) == status
    assert ("is over" in capsys.readouterr().err) == (status == 3)
    assert cli.main(words) == 0


def test_it_goes_with_a_reading_or_a_report_and_may_stand_before_its_name(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([], ["check"], ["record"]):
        with pytest.raises(SystemExit):
            cli.main(["--budget-exit", *words])
        assert "--budget-exit goes with --once and with report" in capsys.readouterr().err
    parsed = parser(["report"]).parse_args(["--budget-exit", "report"])
    assert parsed.budget_exit is True
    assert parser(["report"]).parse_args(["report"]).budget_exit is False

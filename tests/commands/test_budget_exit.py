"""`infertop report --budget-exit`: the status says whether a budget is over, and whether that is known."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands.reported import PRICING, Run, typed_report


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

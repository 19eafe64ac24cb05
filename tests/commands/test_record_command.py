"""`infertop record`, as it is typed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collectors import _agent_logs
from infertop import cli
from tests.collectors.agent_world import add, message


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("INFERTOP_PRICING", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "projects"
    for number in range(6):
        add(folder / "p" / f"{number}.jsonl", *(message(10 * number + each) for each in range(10)))
    pricing = tmp_path / "pricing.toml"
    pricing.write_text(f'[[source]]\nkind = "claude-code"\nfolders = ["{folder}"]\n')
    database, config = str(tmp_path / "infertop.db"), str(pricing)
    return ["record", "--for", "0.1", "--no-discovery", "--db", database, "--pricing", config]


def stored(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "infertop.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM statements").fetchone()[0])


def test_it_waits_for_a_history_that_is_being_read_back_and_reads_on_where_it_was(
    typed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_agent_logs, "_MOST_STATEMENTS", 10)
    monkeypatch.setattr(_agent_logs, "_AGAIN_SECONDS", 0.01)
    assert cli.main(typed) == 0
    assert stored(tmp_path) == 60
    add(tmp_path / "projects" / "p" / "0.jsonl", message(77))
    assert cli.main(typed) == 0
    assert stored(tmp_path) == 61

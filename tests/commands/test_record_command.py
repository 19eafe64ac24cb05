"""`infertop record`, as it is typed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collectors import _agent_logs
from infertop import cli
from infertop.commands.record import Teller, recorded
from infertop.engine.collector import SourceConfig
from tests.collectors.agent_world import add, message
from tests.commands.runs import Meters, session, setup
from tests.fakes import FakeClock


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


async def test_it_names_what_it_reads_at_the_start_and_what_is_found_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Meters(monkeypatch)
    pricing = tmp_path / "pricing.toml"
    pricing.write_text("")
    clock = FakeClock()
    async with session(setup(pricing, clock, discover=True)) as run:
        assert recorded(run) == "recording host, nvml, and what is found on this machine into memory"
        teller = Teller(run)
        teller.tell()
        capsys.readouterr()
        for port in range(8001, 8009):
            await run.roster.add_found(SourceConfig("vllm", f"v{port}", f"http://127.0.0.1:{port}"), None)
        for _ in range(2):
            teller.tell()
    found = "v8001, v8002, v8003, v8004, v8005 and 3 more sources"
    assert capsys.readouterr().err == f"infertop: reading {found} too\n"

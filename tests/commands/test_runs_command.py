"""`infertop runs`, as it is typed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from infertop import cli
from infertop.commands import setup
from infertop.commands.runs_forms import as_csv, as_table
from infertop.history.drops import transaction
from infertop.history.open import open_store
from infertop.history.statements import Page, write_statements
from infertop.views.run_shapes import RunRow, RunsPage
from tests.fakes import FakeClock
from tests.history.stating import say
from tests.views.random_views import HOSTILE

NOON = 1_790_078_400.0
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    monkeypatch.setattr(setup, "SystemClock", lambda: FakeClock(NOON))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("INFERTOP_PRICING", raising=False)
    monkeypatch.chdir(tmp_path)
    store = open_store(tmp_path / "infertop.db", NOON)
    assert store.connection is not None
    told = tuple(
        say(NOON - 3600 * hours, 0, {"input": 1000 * hours}, key=str(hours), dimensions={"session": run}, requests=1)
        for run, hours in (("a", 1), ("a", 2), ("b", 5), ("old", 24 * 30))
    )
    with transaction(store.connection):
        write_statements(store.connection, 1, Page("openai", told, ()))
    store.close()

    def run(*words: str) -> tuple[int, str, str]:
        status = cli.main(["runs", "--db", str(tmp_path / "infertop.db"), *words])
        return status, *capsys.readouterr()

    return run


def test_the_dearest_run_comes_first_with_what_is_usual_above(typed: Typed) -> None:
    status, out, _ = typed()
    assert status == 0
    assert "2 runs, 0.0200 USD; of a run:" in out
    assert [line.split()[0] for line in out.splitlines()[8:]] == ["b", "a"]


def test_json_has_every_figure_in_base_units(typed: Typed) -> None:
    _, out, _ = typed("--format", "json", "--limit", "1")
    said = json.loads(out)
    assert (said["schema"], said["runs"], len(said["rows"])) == (1, 2, 1)
    assert said["rows"][0] == {
        "run": "b", "source": "openai", "agent": None, "project": None, "models": ["gpt-4o"],
        "start": "2026-09-22T07:00:00Z", "end": "2026-09-22T07:00:00Z", "requests": 1, "tokens": {"input": 5000},
        "usd": 0.0125, "unpriced_tokens": 0, "counts": True,
    }  # fmt: skip
    assert said["requests_per_run"] == {"median": 1.5, "p95": 2.0, "runs": 2}


def test_a_longer_span_has_older_runs_and_a_limit_says_what_it_leaves_out(typed: Typed) -> None:
    _, out, _ = typed("--since", "60d", "--limit", "2")
    assert "3 runs" in out
    assert "1 more runs, each cheaper" in out


def test_without_a_run_it_says_so(typed: Typed) -> None:
    assert "no run: nothing that was told in this time names a session" in typed("--since", "10m")[1]


def test_wrong_times_and_a_missing_history_are_sentences(typed: Typed, tmp_path: Path) -> None:
    assert typed("--since", "soon")[0] == 2
    assert typed("--since", "1h", "--until", "2h")[0] == 2
    status, out, err = typed("--db", str(tmp_path / "none.db"))
    assert (status, out) == (1, "")
    assert "there is no history" in err


@pytest.mark.parametrize("name", HOSTILE)
def test_names_can_do_no_harm(name: str) -> None:
    row = RunRow(name, name, name, name, (name, name), 0.0, 1.0, None, {"input": 1}, None)
    page = RunsPage(0.0, 0.0, 1.0, (row,), 1)
    table = as_table(page, 5)
    assert not [character for character in table if character != "\n" and not character.isprintable()]
    cells = next(iter(csv.DictReader(io.StringIO(as_csv(page, 5)))))
    assert not cells["run"].startswith(("=", "+", "-", "@"))

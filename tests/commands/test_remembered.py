"""Engines that earlier runs found are known again, whatever the note of them says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infertop.commands.remembered import KIND, as_rows, engines_known
from infertop.engine.found import Found
from infertop.history.open import open_store
from tests.fakes import START

FOUND = Found("vllm@127.0.0.1:8001", "vllm", "http://127.0.0.1:8005", 7, "acme/one", ("GPU-0",), "", {"x": 1}, (8,))


def noted(path: Path, rows: object) -> tuple[Found, ...]:
    store = open_store(path, START)
    assert store.connection is not None
    with store.connection:
        store.connection.execute("INSERT INTO inventory VALUES (?,?)", (KIND, json.dumps(rows)))
    found = engines_known(store)
    store.close()
    return found


def test_what_is_kept_of_an_engine_is_by_what_it_would_be_known_again(tmp_path: Path) -> None:
    (found,) = noted(tmp_path / "x.db", as_rows([FOUND]))
    assert found == Found(FOUND.name, FOUND.kind, FOUND.url, None, FOUND.model, FOUND.gpus)


@pytest.mark.parametrize("rows", [{}, [1], [{"name": "a"}], ["text"], None, 3])
def test_a_note_of_another_version_is_no_engine(tmp_path: Path, rows: object) -> None:
    assert noted(tmp_path / "x.db", rows) == ()


def test_the_newest_are_kept() -> None:
    engines = [Found(str(number), "vllm", "http://127.0.0.1:1") for number in range(300)]
    assert [row["name"] for row in as_rows(engines)] == [str(number) for number in range(100, 300)]

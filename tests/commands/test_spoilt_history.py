"""Every command that reads a history says in one sentence what is wrong with it, where, and what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from infertop import cli
from tests.history.world import START, record, writer

READING = (
    ["report", "--budget-exit", "--since", "7d"],
    ["runs"],
    ["whatif"],
    ["prices", "--unpriced"],
    ["check", "--no-discovery"],
)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "x.db"
    made = writer(path, START)
    record(made, 0, 130)
    made.finish(START + 130)
    return path.read_bytes()


def truncated(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(100_000)


def zeroed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096, 2):
        content[page * 4096 : (page + 1) * 4096] = bytes(4096)
    path.write_bytes(content)


def short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(5000)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """PRAGMA user_version = 99; ALTER TABLE lines RENAME COLUMN quantity TO amount;
            ALTER TABLE meta RENAME TO facts; ALTER TABLE bookmarks RENAME TO marks; DROP TABLE names"""
        )


DAMAGED = "x.db is damaged; infertop record moves it aside, and sqlite3's .recover may save what is left"
LATER = "it was written by a newer infertop (schema 99, this one knows "


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("spoil", "said"), [(truncated, DAMAGED), (zeroed, DAMAGED), (short, DAMAGED), (newer, LATER)], ids=lambda x: ""
)
def test_what_cannot_be_read_is_said_in_one_sentence(
    words: list[str],
    spoil: Callable[[Path], None],
    said: str,
    content: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "pricing.toml").touch()
    path = tmp_path / "x.db"
    path.write_bytes(content)
    spoil(path)
    status = cli.main([*words, "--pricing", str(tmp_path / "pricing.toml"), "--db", str(path)])
    out, err = capsys.readouterr()
    assert status == (0 if words[0] == "check" else 1)
    assert (out + err).count(said) == 1
    assert "Traceback" not in out + err
    if words[0] != "check":
        assert (out, len(err.splitlines())) == ("", 1)

"""Where reading goes on after a restart is kept with what was told, in one transaction."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from infertop.history.bookmarks import read_bookmarks
from infertop.history.reader import Reader
from infertop.readings.model import Batch
from tests.history.world import recorded

NOW = 1_780_000_000.0


def _at(ts: float, **bookmarks: str) -> Batch:
    return Batch("claude-code", ts, (), (), covered=(), bookmarks=bookmarks)


def test_the_newest_bookmark_of_each_key_comes_back_and_an_empty_one_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "infertop.db"
    recorded(path, NOW, _at(NOW, a="1", b="1"), _at(NOW + 1, a="2"), _at(NOW + 2, b="", c="3"))
    reader = Reader(path)
    assert reader.ask(read_bookmarks) == {"claude-code": {"a": "2", "c": "3"}}
    reader.close()


def test_a_database_from_before_bookmarks_gets_their_table(tmp_path: Path) -> None:
    path = tmp_path / "infertop.db"
    recorded(path, NOW)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TABLE bookmarks")
    connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm002_bookmarks'")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    recorded(path, NOW, _at(NOW, a="1"))
    reader = Reader(path)
    assert reader.ask(read_bookmarks) == {"claude-code": {"a": "1"}}
    reader.close()

"""What tests of the history begin with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from infertop.history.migrations import migrate


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A history in which nothing is."""
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    migrate(connection)
    yield connection
    connection.close()

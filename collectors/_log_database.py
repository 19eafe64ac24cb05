"""An agent's SQLite database, read beside the agent: rows that are new, and the last ones again, for they may grow."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote

from collectors._agent_logs import Unread
from collectors._log_file import Records
from collectors._log_lines import parsed
from collectors._log_said import NotReadError
from collectors._log_tree import stamp_of
from infertop.readings.model import Statement

_AGAIN_ROWS = 500
_AT_ONCE = 500
_WAIT_SECONDS = 0.2
_MAX_BYTES = 8 << 20
_TABLES = {"message": "'assistant'", "session_message": "type"}


class DatabaseLog:
    """The messages of a database, in the order in which they were begun. `bookmark` has the last row of each table.

    Rows have numbers that only grow, unless the database was tidied up: then all are read again.
    """

    def __init__(self, path: str, bookmark: str, records: Records) -> None:
        self.unread = Unread()
        self.ended = False
        self._path = path
        self._records = records
        said = parsed(bookmark.encode()) if bookmark else None
        known = said.get("rows") if said else None
        self._rows: dict[str, int] = {
            table: row for table, row in (known or {}).items() if table in _TABLES and type(row) is int
        }
        self._stamp: list[int] = []

    def read(self, spent: Callable[[], bool]) -> Iterator[Statement]:
        """Yield what is new; raise OSError where the database cannot be read."""
        stamp = stamp_of(self._path)
        try:
            with closing(self._connected()) as connection:
                self.ended = True
                for table, role in _TABLES.items():
                    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                        yield from self._table(connection, table, role, spent)
        except sqlite3.Error as error:
            raise OSError(0, f"{error}") from error
        self._stamp = list(stamp) if self.ended else []

    @property
    def bookmark(self) -> str:
        """Up to which row it was read, and as which the file."""
        return json.dumps({"stamp": self._stamp, "rows": self._rows}, separators=(",", ":"))

    def _connected(self) -> sqlite3.Connection:
        where = f"file:{quote(self._path)}?mode=ro"
        connection = sqlite3.connect(where, uri=True, timeout=_WAIT_SECONDS, isolation_level=None)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        return connection

    def _table(
        self, connection: sqlite3.Connection, table: str, role: str, spent: Callable[[], bool]
    ) -> Iterator[Statement]:
        last = connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0] or 0
        before = self._rows.get(table, 0)
        at = max(0, before - _AGAIN_ROWS) if before <= last else 0
        while at < last:
            rows = connection.execute(
                f"SELECT rowid, id, session_id, {role}, CASE WHEN length(data) <= {_MAX_BYTES} THEN data END "
                f"FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT {_AT_ONCE}",
                (at,),
            ).fetchall()
            if not rows:
                break
            for _, identity, session, kind, data in rows:
                if kind == "assistant":
                    yield from self._say(identity, session, data)
            at = rows[-1][0]
            if spent():
                self.ended &= at >= last
                break
        self._rows[table] = at if at > before or before > last else before

    def _say(self, identity: object, session: object, data: object) -> Iterator[Statement]:
        record: Mapping[str, Any] | None = (
            parsed(data.encode("utf-8", "surrogatepass")) if isinstance(data, str) else None
        )
        if record is None:
            self.unread.add("a row is no JSON object, or too long to be read")
            return
        try:
            yield from self._records.say({**record, "id": identity, "sessionID": session})
        except NotReadError as why:
            self.unread.add(str(why))

"""Bring a database to the schema of this version, one transaction a step."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from infertop.history.schema import APPLICATION_ID, BILLS, BOOKMARKS, OUTBOX, TABLES, VERSION, WATCHED

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def migrations() -> Migrations:
    """Return the steps, oldest first. A step that was released is never changed; a later one corrects it."""
    from sqlite_utils import Migrations

    steps = Migrations("infertop")

    @steps()
    def m001_tables(db: Database) -> None:
        for table in TABLES:
            db.execute(table)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    @steps()
    def m002_bookmarks(db: Database) -> None:
        db.execute(BOOKMARKS)

    @steps()
    def m003_bills(db: Database) -> None:
        for statement in BILLS:
            db.execute(statement)

    @steps()
    def m004_watched(db: Database) -> None:
        for statement in WATCHED:
            db.execute(statement)

    @steps()
    def m005_outbox(db: Database) -> None:
        for statement in OUTBOX:
            db.execute(statement)

    return steps


def migrate(connection: sqlite3.Connection, steps: Migrations | None = None, version: int = VERSION) -> None:
    """Apply the steps that are missing. A step that fails is undone whole, and the error is raised."""
    if connection.execute("PRAGMA user_version").fetchone()[0] == version:
        return
    from sqlite_utils import Database

    (steps or migrations()).apply(Database(connection))
    connection.execute(f"PRAGMA user_version = {version}")

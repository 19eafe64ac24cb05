"""OpenCode's messages: of its database, and of the files that older versions wrote."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.opencode import folders
from tests.collectors.agent_world import SAMPLES, Reading

BEGUN = 1_780_000_000_000


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading("opencode", tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "opencode.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE message "
        "(id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT)"
    )
    yield connection
    connection.close()


def answer(number: int, output: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "role": "assistant",
        "modelID": "claude-sonnet-4-5",
        "providerID": "anthropic",
        "cost": 0,
        "tokens": {"input": 5, "output": output, "reasoning": 2, "cache": {"read": 7, "write": 3}},
        "path": {"cwd": "/repo/sub", "root": "/repo"},
        "time": {"created": BEGUN + number * 60_000},
        "summary": "CANARY",
    } | more


def put(database: sqlite3.Connection, number: int, said: dict[str, Any] | str) -> None:
    text = said if isinstance(said, str) else json.dumps(said)
    database.execute("INSERT OR REPLACE INTO message VALUES (?,?,0,0,?)", (f"msg_{number}", "ses_1", text))


def file(reading: Reading, name: str, text: str) -> None:
    path = reading.folder / "storage" / "message" / "ses_9" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


async def test_the_sample_is_read_with_the_cost_that_it_states(reading: Reading) -> None:
    file(reading, "msg_xxx", (SAMPLES / "opencode_message_sample.json").read_text())
    (said,) = await reading.read()
    assert said.quantities == {
        "input": 1234, "cache_read": 890, "cache_write_5m": 123, "output": 567, "reasoning": 0
    }  # fmt: skip
    assert (said.provider, said.model) == ("anthropic", "claude-sonnet-4-20250514")
    assert (said.usd_nano, said.basis, said.dimensions["session"]) == (12_300_000, "estimated", "ses_9")


async def test_messages_of_the_database_are_followed_as_they_come(
    reading: Reading, database: sqlite3.Connection
) -> None:
    put(database, 1, answer(1))
    put(database, 2, {"role": "user", "summary": "CANARY"})
    assert [each.key for each in await reading.read()] == ["msg_1"]
    put(database, 3, answer(3, tokens={"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}))
    assert len(await reading.read()) == 1
    database.execute("UPDATE message SET data = ? WHERE id = 'msg_3'", (json.dumps(answer(3, 44)),))
    reading.restart()
    said = await reading.read()
    assert [each.quantities["output"] for each in said] == [10, 44]
    assert said[0].dimensions == {"agent": "opencode", "session": "ses_1", "project": "/repo"}
    assert "CANARY" not in "\n".join(reading.books.connection.iterdump())


async def test_a_message_in_a_file_and_in_the_database_is_the_databases(
    reading: Reading, database: sqlite3.Connection
) -> None:
    put(database, 1, answer(1, 50))
    file(reading, "msg_1", json.dumps(answer(1, 9000) | {"id": "msg_1"}))
    assert [each.quantities["output"] for each in await reading.read()] == [50]


async def test_a_database_that_was_tidied_up_is_read_again(reading: Reading, database: sqlite3.Connection) -> None:
    for number in range(20):
        put(database, number, answer(number))
    await reading.read()
    database.execute("DELETE FROM message WHERE rowid < 19")
    database.execute("VACUUM")
    put(database, 30, answer(30))
    assert len(await reading.read()) == 21


async def test_reasoning_is_part_of_the_output_where_the_total_says_so(
    reading: Reading, database: sqlite3.Connection
) -> None:
    tokens = {"input": 5, "output": 10, "reasoning": 4, "cache": {"read": 0, "write": 0}}
    put(database, 1, answer(1, tokens=tokens | {"total": 15}))
    put(database, 2, answer(2, tokens=tokens | {"total": 19}))
    assert [each.quantities["output"] for each in await reading.read()] == [6, 10]


async def test_what_a_fork_copied_is_counted_where_it_was_asked_alone(
    reading: Reading, database: sqlite3.Connection
) -> None:
    # As OpenCode 1.18.33 wrote them: a session's answer, and its fork with a copy of it and an answer of its own.
    for identity, session, created in (
        ("msg_204d0eaf7001doqJ17OWfWFmyJ", "ses_1", 1_795_377_130_231),
        ("msg_204d12538001dqDDMWpQTDbJ21", "ses_2", 1_795_377_130_231),
        ("msg_204d1258c001noHZEbkINJvNis", "ses_2", 1_795_377_145_228),
    ):
        said = json.dumps(answer(1, time={"created": created, "completed": created + 500}))
        database.execute("INSERT INTO message VALUES (?,?,0,0,?)", (identity, session, said))
    assert [(each.key[4:15], each.dimensions["session"]) for each in await reading.read()] == [
        ("204d0eaf700", "ses_1"),
        ("204d1258c00", "ses_2"),
    ]


async def test_a_folder_without_a_repository_is_a_project_of_its_own(
    reading: Reading, database: sqlite3.Connection
) -> None:
    put(database, 1, answer(1, path={"cwd": "/notes", "root": "/"}))
    assert [each.dimensions["project"] for each in await reading.read()] == ["/notes"]


async def test_rows_that_cannot_be_read_are_counted_and_the_others_told(
    reading: Reading, database: sqlite3.Connection
) -> None:
    put(database, 1, "{CANARY")
    put(database, 2, answer(2, tokens={"input": -1}))
    put(database, 3, answer(3))
    batch = await reading.poll()
    assert (len(batch.statements), batch.rejected) == (1, 2)


async def test_a_file_that_is_no_database_is_a_note(reading: Reading) -> None:
    (reading.folder / "opencode.db").write_text("no database")
    batch = await reading.poll()
    assert "1 files cannot be read" in batch.notes[0]
    assert "not a database" in batch.notes[0]


async def test_a_database_that_is_locked_is_a_note_and_is_read_once_it_is_free(
    reading: Reading, database: sqlite3.Connection
) -> None:
    database.execute("PRAGMA journal_mode = DELETE")
    put(database, 1, answer(1))
    assert len(await reading.read()) == 1
    database.execute("BEGIN EXCLUSIVE")
    put(database, 2, answer(2))
    os.utime(reading.folder / "opencode.db", (reading.now, reading.now))
    batch = await reading.poll()
    assert "1 files cannot be read" in batch.notes[0]
    assert "locked" in batch.notes[0]
    database.execute("COMMIT")
    batch = await reading.poll()
    assert (len(batch.statements), batch.notes) == (2, ())


async def test_nothing_but_messages_is_read_below_its_folder(reading: Reading) -> None:
    (reading.folder / "auth.json").write_text(json.dumps(answer(1) | {"id": "secret"}))
    other = reading.folder / "storage" / "part" / "msg_1" / "p.json"
    other.parent.mkdir(parents=True)
    other.write_text(json.dumps(answer(1) | {"id": "part"}))
    assert await reading.read() == []


def test_folders_are_those_of_the_environment_else_of_the_users_data() -> None:
    assert list(folders({"HOME": "/h"})) == ["/h/.local/share/opencode"]
    assert list(folders({"HOME": "/h", "XDG_DATA_HOME": "/d"})) == ["/d/opencode"]
    assert list(folders({"HOME": "/h", "OPENCODE_DATA_DIR": "/o"})) == ["/o"]

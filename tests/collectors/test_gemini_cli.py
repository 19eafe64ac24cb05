"""Gemini CLI's sessions: rewritten whole or line by line, each message once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.gemini_cli import folders
from tests.collectors.agent_world import SAMPLES, Reading, add


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading("gemini-cli", tmp_path)


def answer(number: int, output: int = 10, **tokens: int) -> dict[str, Any]:
    said = {"input": 100, "output": output, "cached": 0, "thoughts": 0, "tool": 0} | tokens
    said.setdefault("total", sum(value for name, value in said.items() if name != "cached"))
    return {
        "id": f"m{number}",
        "type": "gemini",
        "timestamp": f"2026-01-02T00:{number:02}:00Z",
        "model": "gemini-2.5-pro",
        "content": "CANARY",
        "tokens": said,
    }


def write(reading: Reading, *messages: dict[str, Any], name: str = "session-1.json") -> None:
    path = reading.folder / "hash" / "chats" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"sessionId": "s1", "projectHash": "hash", "messages": list(messages)}))


async def test_the_sample_has_its_cached_tokens_within_the_input_and_thoughts_beside_the_output(
    reading: Reading,
) -> None:
    path = reading.folder / "h" / "chats" / "session-1.json"
    path.parent.mkdir(parents=True)
    path.write_text((SAMPLES / "gemini_session_sample.json").read_text())
    (said,) = await reading.read()
    assert said.quantities == {"input": 344, "cache_read": 890, "output": 567, "reasoning": 123}
    assert (said.provider, said.model) == ("google", "gemini-2.5-pro")
    assert said.dimensions == {"agent": "gemini-cli", "session": "s1", "project": "h"}


async def test_a_session_that_is_written_anew_tells_only_what_is_new(reading: Reading) -> None:
    write(reading, answer(1), answer(2))
    await reading.read()
    write(reading, answer(1), answer(2, 30), answer(3), {"id": "u", "type": "user", "content": "CANARY"})
    said = await reading.read()
    assert [each.quantities["output"] for each in said] == [10, 30, 10]
    assert "CANARY" not in "\n".join(reading.books.connection.iterdump())


async def test_half_of_a_file_is_read_again_when_it_is_whole(reading: Reading) -> None:
    write(reading, answer(1))
    path = reading.folder / "hash" / "chats" / "session-1.json"
    whole = path.read_text()
    path.write_text(whole[:-20])
    batch = await reading.poll()
    assert (batch.statements, batch.rejected) == ((), 1)
    path.write_text(whole)
    assert len(await reading.read()) == 1


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ({"cached": 40, "total": 110}, {"input": 60, "cache_read": 40, "output": 10, "reasoning": 0}),
        ({"cached": 40, "total": 150}, {"input": 100, "cache_read": 40, "output": 10, "reasoning": 0}),
        ({"tool": 7, "thoughts": 3}, {"input": 107, "cache_read": 0, "output": 10, "reasoning": 3}),
    ],
)
async def test_cached_tokens_are_where_the_total_says(
    reading: Reading, tokens: dict[str, int], expected: dict[str, int]
) -> None:
    write(reading, answer(1, **tokens))
    assert [each.quantities for each in await reading.read()] == [expected]


async def test_newer_versions_write_a_line_a_message_and_the_same_one_again(reading: Reading) -> None:
    path = reading.folder / "repo" / "chats" / "session-1.jsonl"
    add(path, {"sessionId": "s7", "projectHash": "abc"}, answer(1, 5), answer(1, 9))
    (reading.folder / "repo" / ".project_root").write_text("/home/me/repo\n")
    await reading.read()
    reading.restart()
    add(path, answer(2, 4))
    said = await reading.read()
    assert [(each.key, each.quantities["output"]) for each in said] == [("s7/m1", 9), ("s7/m2", 4)]
    assert {each.dimensions["project"] for each in said} == {"/home/me/repo"}


async def test_what_a_sub_agent_took_is_part_of_the_session_that_it_worked_for(reading: Reading) -> None:
    chats = reading.folder / "repo" / "chats"
    (reading.folder / "repo").mkdir()
    (reading.folder / "repo" / ".project_root").write_text("/home/me/repo")
    add(chats / "session-2026-01-02T00-00-s7.jsonl", {"sessionId": "s7", "projectHash": "abc"}, answer(1, 5))
    add(chats / "s7" / "s8.jsonl", {"sessionId": "s8", "projectHash": "abc", "kind": "subagent"}, answer(1, 9))
    said = await reading.read()
    assert sorted((each.key, each.quantities["output"]) for each in said) == [("s7/m1", 5), ("s8/m1", 9)]
    assert {(each.dimensions["session"], each.dimensions["project"]) for each in said} == {("s7", "/home/me/repo")}


async def test_other_files_of_its_folder_are_left_alone(reading: Reading) -> None:
    write(reading, answer(1), name="logs.json")
    assert await reading.read() == []


def test_folders_are_those_of_the_environment_else_of_the_home_folder() -> None:
    assert list(folders({"HOME": "/h"})) == ["/h/.gemini/tmp"]
    assert list(folders({"HOME": "/h", "GEMINI_DATA_DIR": "/g,/k"})) == ["/g", "/k"]
    assert list(folders({"HOME": "/h", "GEMINI_CLI_HOME": "/c"})) == ["/c/.gemini/tmp"]

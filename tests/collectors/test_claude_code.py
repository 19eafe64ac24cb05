"""Claude Code's logs: one request is one statement, however often and wherever it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.claude_code import KIND, folders
from tests.collectors.agent_world import SAMPLES, Reading, add, message


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    (tmp_path / "projects").mkdir()
    return Reading("claude-code", tmp_path / "projects")


def one(reading: Reading) -> Path:
    return reading.folder / "-repo" / "s1.jsonl"


async def test_the_sample_is_one_request_with_its_largest_output_and_without_the_replay(reading: Reading) -> None:
    add(one(reading), (SAMPLES / "claude_code_sample.jsonl").read_text().rstrip("\n"))
    (said,) = await reading.read()
    assert said.quantities == {
        "input": 3, "cache_read": 22137, "cache_write_5m": 2285, "cache_write_1h": 0, "output": 159
    }  # fmt: skip
    assert (said.provider, said.model, said.requests, said.usd_nano) == ("anthropic", "claude-opus-4-6", 1, None)
    assert said.dimensions == {
        "agent": "claude-code", "project": "/repo", "session": "11111111-1111-4111-8111-111111111111"
    }  # fmt: skip
    assert (said.start, said.end) == (1773196822.65, 1773196822.65)


async def test_a_replay_by_a_sub_agent_is_left_out_also_when_it_is_read_first_and_after_a_restart(
    reading: Reading,
) -> None:
    lines = (SAMPLES / "claude_code_sample.jsonl").read_text().splitlines()
    for line in reversed(lines):
        add(one(reading), line)
        await reading.read()
        reading.restart()
    (said,) = reading.standing()
    assert said.quantities["output"] == 159


async def test_a_resumed_session_tells_its_history_again_and_nothing_counts_twice(reading: Reading) -> None:
    history = [message(number) for number in range(3)]
    add(one(reading), *history)
    await reading.read()
    add(
        reading.folder / "-repo" / "s2.jsonl",
        *({**each, "sessionId": "s2"} for each in history),
        message(9, session="s2"),
    )
    said = await reading.read()
    assert [each.dimensions["session"] for each in said] == ["s1", "s1", "s1", "s2"]
    assert reading.tokens()["output"] == 40


async def test_without_a_request_id_the_message_is_told_apart_by_its_own(reading: Reading) -> None:
    add(one(reading), message(1, 2, request=None), message(1, 9, request=None), message(2, 5, request=None))
    assert [each.quantities["output"] for each in await reading.read()] == [9, 5]


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        ({"cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 8}}, (1, 8)),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}}, (5, None)),
        ({"cache_creation": None}, (5, None)),
        ({}, (5, None)),
    ],
)
async def test_what_was_written_to_the_cache_is_told_by_lifetime_or_by_the_flat_figure(
    reading: Reading, cache: dict[str, Any], expected: tuple[int, int | None]
) -> None:
    line = message(1)
    line["message"]["usage"] |= cache
    add(one(reading), line)
    (said,) = await reading.read()
    assert (said.quantities.get("cache_write_5m"), said.quantities.get("cache_write_1h")) == expected


async def test_what_costs_nothing_and_what_is_no_answer_is_not_told(reading: Reading) -> None:
    synthetic, user = message(1), message(2)
    synthetic["message"]["model"] = "<synthetic>"
    user["type"], user["toolUseResult"] = "user", {"usage": {"input_tokens": 5}}
    empty = message(3)
    empty["message"]["usage"] = {"input_tokens": 0, "output_tokens": 0}
    add(one(reading), synthetic, user, empty, {"type": "summary", "summary": '"usage"'})
    assert await reading.read() == []


async def test_an_old_log_states_its_cost_and_that_is_an_estimate(reading: Reading) -> None:
    add(one(reading), message(1, costUSD=0.0123))
    (said,) = await reading.read()
    assert (said.usd_nano, said.basis) == (12_300_000, "estimated")


async def test_tier_speed_and_a_long_prompt_are_dimensions_because_they_change_prices(reading: Reading) -> None:
    line = message(1)
    line["message"]["usage"] |= {"service_tier": "priority", "speed": "fast", "cache_read_input_tokens": 200_001}
    plain = message(2)
    plain["message"]["usage"] |= {"service_tier": "standard"}
    add(one(reading), line, plain)
    special, usual = await reading.read()
    assert {"service_tier": "priority", "speed": "fast", "context": "200k+"}.items() <= special.dimensions.items()
    assert usual.dimensions.keys() == {"agent", "project", "session"}


@pytest.mark.parametrize(
    ("identity", "model", "provider"),
    [
        ("msg_01", "claude-opus-4-6", "anthropic"),
        ("msg_bdrk_01", "claude-opus-4-6", "aws"),
        ("msg_vrtx_01", "claude-opus-4-6", "google"),
        ("msg_01", "glm-4.6", "unknown"),
    ],
)
async def test_the_provider_is_the_one_that_the_log_tells_of(
    reading: Reading, identity: str, model: str, provider: str
) -> None:
    line = message(1)
    line["message"] |= {"id": identity, "model": model}
    add(one(reading), line)
    assert [each.provider for each in await reading.read()] == [provider]


async def test_lines_that_cannot_be_read_are_counted_and_say_nothing_of_their_content(reading: Reading) -> None:
    negative, timeless = message(1), message(2, timestamp="CANARY")
    negative["message"]["usage"]["output_tokens"] = -5
    add(one(reading), negative, timeless, '{"usage" CANARY', "[" * 200_000 + '"usage"', message(3))
    batch = await reading.poll()
    assert (len(batch.statements), batch.rejected) == (1, 4)
    assert "4 records of usage cannot be read" in batch.notes[0]
    assert "CANARY" not in " ".join(batch.notes)


async def test_no_content_is_stored(reading: Reading) -> None:
    add(one(reading), *(message(number) for number in range(5)))
    await reading.read()
    assert "CANARY" not in "\n".join(reading.books.connection.iterdump())
    assert "CANARY" in one(reading).read_text()


def test_folders_are_those_of_the_environment_else_the_usual_two() -> None:
    assert list(folders({"HOME": "/h"})) == ["/h/.config/claude/projects", "/h/.claude/projects"]
    assert list(folders({"HOME": "/h", "CLAUDE_CONFIG_DIR": "/a, /b"})) == ["/a/projects", "/b/projects"]
    assert next(iter(folders({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}))) == "/x/claude/projects"


def test_folders_that_are_no_paths_are_a_mistake(tmp_path: Path) -> None:
    from infertop.engine.clock import SystemClock
    from infertop.engine.collector import SourceConfig

    with pytest.raises(ValueError, match="folders must be a list of paths"):
        KIND.make(SourceConfig("claude-code", "c", options={"folders": [3]}), None, SystemClock())
    anybodys = SourceConfig("claude-code", "c", options={"folders": [str(tmp_path)]}, trusted=False)
    assert str(tmp_path) not in json.dumps(vars(KIND.make(anybodys, None, SystemClock()))["_folders"])

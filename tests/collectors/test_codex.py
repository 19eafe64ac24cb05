"""Codex's rollouts: a request is counted once, whatever is repeated, copied or moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collectors.codex import folders
from tests.collectors.agent_world import SAMPLES, Reading, add


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading("codex", tmp_path)


def event(at: float, last: int = 0, total: int = 0, **more: Any) -> dict[str, Any]:
    """A token_count at so many seconds; counts in proportion to `last` and `total`."""
    info: dict[str, Any] = {}
    for name, size in (("last_token_usage", last), ("total_token_usage", total)):
        if size:
            info[name] = {
                "input_tokens": 10 * size,
                "cached_input_tokens": 4 * size,
                "output_tokens": 3 * size,
                "reasoning_output_tokens": size,
                "total_tokens": 13 * size,
            }
    payload = {"type": "token_count", "info": info or None} | more
    return {"timestamp": stamp(at), "type": "event_msg", "payload": payload}


def stamp(at: float) -> str:
    return f"2026-01-02T00:{int(at) // 60:02}:{at % 60:06.3f}Z"


def meta(at: float = 0.0, session: str = "s1", **more: Any) -> dict[str, Any]:
    payload = {"id": session, "cwd": "/repo", "model_provider": "openai"} | more
    return {"timestamp": stamp(at), "type": "session_meta", "payload": payload}


def turn(at: float = 0.0, model: str = "gpt-5-codex") -> dict[str, Any]:
    return {"timestamp": stamp(at), "type": "turn_context", "payload": {"model": model, "cwd": "/repo"}}


async def test_the_sample_is_two_requests_the_second_by_the_growth_of_the_sum(reading: Reading) -> None:
    add(reading.folder / "2026" / "rollout-1.jsonl", (SAMPLES / "codex_sample.jsonl").read_text().rstrip("\n"))
    said = await reading.read()
    assert [each.quantities for each in said] == [
        {"input": 90, "cache_read": 10, "output": 50, "reasoning": 0},
        {"input": 180, "cache_read": 20, "output": 70, "reasoning": 5},
    ]
    assert {(each.provider, each.model, each.basis) for each in said} == {("openai", "gpt-5", "computed")}


async def test_a_request_is_told_with_its_session_project_and_tier(reading: Reading) -> None:
    tier = {"timestamp": stamp(1), "type": "event_msg"}
    tier |= {"payload": {"type": "thread_settings_applied", "thread_settings": {"service_tier": "fast"}}}
    add(reading.folder / "rollout-1.jsonl", meta(), turn(), tier, event(2, 1, 1))
    (said,) = await reading.read()
    assert said.dimensions == {"agent": "codex", "session": "s1", "project": "/repo", "service_tier": "fast"}
    assert (said.model, said.requests) == ("gpt-5-codex", 1)


async def test_an_event_that_repeats_the_sum_is_no_request(reading: Reading) -> None:
    add(reading.folder / "rollout-1.jsonl", meta(), turn(), event(1, 1, 1), event(2, 1, 1), event(3), event(4, 2, 3))
    assert [each.quantities["output"] for each in await reading.read()] == [2, 4]


async def test_a_sum_that_fell_is_a_new_sum(reading: Reading) -> None:
    add(reading.folder / "rollout-1.jsonl", meta(), turn(), event(1, 0, 5), event(2, 0, 2))
    assert [each.quantities["reasoning"] for each in await reading.read()] == [5, 2]


@pytest.mark.parametrize(
    "parent", [{"forked_from_id": "s1"}, {"source": {"subagent": {"thread_spawn": {"parent_thread_id": "s1"}}}}]
)
async def test_a_fork_does_not_count_what_its_parent_did(reading: Reading, parent: dict[str, Any]) -> None:
    history = [event(1, 1, 1), event(2, 2, 3)]
    add(reading.folder / "rollout-1.jsonl", meta(), turn(), *history)
    copied = [{**each, "timestamp": stamp(60.01 + n / 100)} for n, each in enumerate(history)]
    add(reading.folder / "rollout-2.jsonl", meta(60, "s2", **parent), meta(0, "s1"), turn(60), *copied, event(66, 4, 7))
    said = await reading.read()
    assert [each.quantities["reasoning"] for each in said] == [1, 2, 4]
    assert said[-1].dimensions["session"] == "s2"


async def test_copies_that_kept_their_time_are_those_that_they_copy_whichever_is_read_first(reading: Reading) -> None:
    history = [event(1, 1, 1), event(2, 2, 3)]
    add(reading.folder / "rollout-2.jsonl", meta(60, "s2", forked_from_id="s1"), turn(), *history, event(66, 4, 7))
    await reading.read()
    add(reading.folder / "rollout-1.jsonl", meta(), turn(), *history)
    assert [each.quantities["reasoning"] for each in await reading.read()] == [1, 2, 4]


async def test_a_fork_without_a_history_counts_from_its_first_turn(reading: Reading) -> None:
    add(reading.folder / "rollout-2.jsonl", meta(0, "s2", forked_from_id="s1"), turn(1), event(5.8, 1, 1))
    assert len(await reading.read()) == 1


async def test_a_fork_that_names_its_parents_last_event_copies_nothing_however_soon_it_asks(reading: Reading) -> None:
    fork = meta(0, "s2", forked_from_id="s1", forked_from_ordinal_exclusive=59)
    add(reading.folder / "rollout-2.jsonl", fork, turn(0.02), event(0.12, 1, 8), event(0.14, 2, 10))
    assert [each.quantities["reasoning"] for each in await reading.read()] == [1, 2]


async def test_two_windows_on_one_session_that_repeat_their_own_sums_count_each_request_once(reading: Reading) -> None:
    left, right = [event(2, 1, 11), event(6, 2, 13)], [event(4, 3, 14), event(8, 4, 18)]
    again = [{**each, "timestamp": stamp(9 + n)} for n, each in enumerate((left[0], right[0], left[1], right[1]))]
    mixed = [left[0], right[0], again[0], left[1], again[1], right[1], again[2], again[3]]
    add(reading.folder / "rollout-1.jsonl", meta(), turn(), event(1, 10, 10), *mixed)
    assert sorted(each.quantities["reasoning"] for each in await reading.read()) == [1, 2, 3, 4, 10]


async def test_what_codex_estimates_after_a_compaction_is_no_request_and_what_the_sum_grew_by_is_one(
    reading: Reading,
) -> None:
    estimate = {"total_tokens": 6058}
    same, grown, full = event(2, 1, 1), event(3, 1, 4), event(4, 1, 1)
    for each in (same, grown, full):
        each["payload"]["info"]["last_token_usage"] = estimate
    full["payload"]["info"]["total_token_usage"] = {"total_tokens": 272_000}
    add(reading.folder / "rollout-1.jsonl", meta(), turn(), event(1, 1, 1), same, grown, full)
    assert [each.quantities["reasoning"] for each in await reading.read()] == [1, 3]


async def test_tokens_written_to_the_cache_are_told_apart_from_fresh_ones(reading: Reading) -> None:
    said = event(1, 1, 1)
    for usage in said["payload"]["info"].values():
        usage["cache_write_input_tokens"] = 5
    add(reading.folder / "rollout-1.jsonl", meta(), turn(), said)
    (made,) = await reading.read()
    assert made.quantities == {"input": 1, "cache_read": 4, "cache_write_5m": 5, "output": 2, "reasoning": 1}


async def test_a_session_that_is_archived_is_not_counted_again(reading: Reading) -> None:
    active = reading.folder / "sessions" / "rollout-1.jsonl"
    add(active, meta(), turn(), event(1, 1, 1))
    await reading.read()
    (reading.folder / "archived_sessions").mkdir()
    active.rename(reading.folder / "archived_sessions" / active.name)
    assert len(await reading.read()) == 1


async def test_without_a_model_it_is_taken_to_be_gpt_5_and_is_an_estimate(reading: Reading) -> None:
    add(reading.folder / "rollout-1.jsonl", event(1, 1, 1))
    (said,) = await reading.read()
    assert (said.model, said.basis) == ("gpt-5", "estimated")


async def test_after_a_restart_the_sum_the_model_and_the_project_are_known(reading: Reading) -> None:
    path = reading.folder / "rollout-1.jsonl"
    add(path, meta(), turn(), event(1, 0, 1))
    await reading.read()
    reading.restart()
    add(path, event(2, 0, 3))
    said = (await reading.read())[-1]
    assert (said.quantities["reasoning"], said.model, said.dimensions["project"]) == (2, "gpt-5-codex", "/repo")


async def test_counts_that_cannot_be_true_are_not_counted(reading: Reading) -> None:
    wrong = event(1, 1, 1)
    wrong["payload"]["info"]["last_token_usage"]["cached_input_tokens"] = 11
    add(reading.folder / "rollout-1.jsonl", meta(), turn(), wrong, event(2, 1, 2))
    batch = await reading.poll()
    assert (len(batch.statements), batch.rejected) == (1, 1)


def test_folders_are_those_of_codex_home_else_of_the_home_folder() -> None:
    assert list(folders({"HOME": "/h"})) == ["/h/.codex/sessions", "/h/.codex/archived_sessions"]
    assert list(folders({"HOME": "/h", "CODEX_HOME": "/c"})) == ["/c/sessions", "/c/archived_sessions"]

"""Whatever stands in an agent's log, reading it ends in statements that can be true, or in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors._log_file import Records
from collectors._log_said import NotReadError
from collectors.claude_code import ClaudeRecords
from collectors.codex import CodexRecords
from collectors.gemini_cli import GeminiRecords
from collectors.opencode import OpenCodeRecords
from tests.collectors.agent_world import Reading, add, message
from tests.collectors.test_codex import event, meta, turn

MAKERS: dict[str, Callable[[], Records]] = {
    "claude": lambda: ClaudeRecords("s", "/p/file.jsonl"),
    "codex": lambda: CodexRecords("s", "/p/file.jsonl"),
    "gemini": lambda: GeminiRecords("s", "/p/chats/file.json"),
    "opencode": lambda: OpenCodeRecords("s"),
}
_TEXT = """
    type message usage model id requestId sessionId timestamp cwd costUSD isSidechain service_tier speed
    input_tokens output_tokens cache_read_input_tokens cache_creation_input_tokens cache_creation
    ephemeral_5m_input_tokens ephemeral_1h_input_tokens server_tool_use web_search_requests payload info
    last_token_usage total_token_usage cached_input_tokens reasoning_output_tokens total_tokens source
    subagent thread_spawn parent_thread_id forked_from_id thread_settings messages tokens input output cached
    thoughts tool total role modelID providerID cost cache read write time created path root
"""
_NAMES = _TEXT.split()
_WORDS = [
    "assistant",
    "gemini",
    "event_msg",
    "token_count",
    "turn_context",
    "session_meta",
    "2026-01-02T00:00:00Z",
    "x",
]
_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([10**15, 10**16, 10**400, -(10**20), 1.5, float("nan"), float("inf"), 1e308]),
    st.sampled_from(_WORDS),
    st.text(max_size=5),
    st.text("\ud800\u202e\x00a", max_size=3),
)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=6),
    max_leaves=25,
)
_records = st.dictionaries(st.sampled_from(_NAMES), _values, max_size=8)
_whole = [
    message(1),
    event(1, 1, 1),
    meta(),
    turn(),
    {
        "type": "gemini",
        "id": "m",
        "timestamp": "2026-01-02T00:00:00Z",
        "model": "g",
        "tokens": {"input": 1, "output": 2},
    },
    {"role": "assistant", "id": "m", "time": {"created": 1}, "tokens": {"input": 1, "output": 2, "cache": {"read": 1}}},
]


def _put(target: Any, path: list[int], value: Any) -> Any:
    """Return a copy of a record in which something else stands in one place."""
    if not isinstance(target, dict) or not target:
        return value
    names = sorted(target)
    name = names[path[0] % len(names)]
    return {**target, name: _put(target[name], path[1:], value) if len(path) > 1 else value}


_places = st.lists(st.integers(0, 20), min_size=1, max_size=4)
_changed = st.builds(_put, st.sampled_from(_whole), _places, _values)


@pytest.mark.parametrize("maker", MAKERS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(said=st.lists(_records | _changed, max_size=4))
def test_any_record_is_told_as_it_can_be_or_not_at_all(maker: str, said: list[dict[str, Any]]) -> None:
    records = MAKERS[maker]()
    for record in said:
        try:
            told = list(records.say(record))
        except NotReadError:
            continue
        for each in told:
            assert each.key
            assert each.rank > 0
            assert 0 <= each.start == each.end < 1e11
            assert all(type(amount) is int and 0 <= amount <= 2 * 10**15 for amount in each.quantities.values())
            assert all(isinstance(value, str) and 0 < len(value) <= 512 for value in each.dimensions.values())
            assert each.usd_nano is None or 0 < each.usd_nano < 10**16
    json.dumps(records.context)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    requests=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["both", "sum", "last", "again"])), max_size=12),
    breaks=st.sets(st.integers(0, 30)),
    forked=st.booleans(),
)
async def test_codex_counts_the_same_wherever_reading_stops_and_begins_again(
    requests: list[tuple[int, str]], breaks: set[int], forked: bool
) -> None:
    lines, total, told = [meta(), turn()], 0, 0
    for number, (size, how) in enumerate(requests):
        total += size
        lines.append(event(2 * number + 1, size if how != "sum" else 0, total if how != "last" else 0))
        told += size
        if how == "last":
            total -= size
        if how == "again":
            lines.append(event(2 * number + 1.5, size, total))
    with TemporaryDirectory() as folder:
        reading = Reading("codex", Path(folder))
        path = Path(folder) / "rollout-1.jsonl"
        for number, line in enumerate(lines):
            add(path, line)
            if number in breaks:
                await reading.read()
                reading.restart()
        if forked:
            copied = [{**each, "timestamp": f"2026-01-02T09:00:00.{n:03}Z"} for n, each in enumerate(lines)]
            parent = meta(session="s2", forked_from_id="s1") | {"timestamp": "2026-01-02T09:00:00.000Z"}
            add(Path(folder) / "rollout-2.jsonl", parent, *copied)
        await reading.read()
        assert reading.tokens().get("reasoning", 0) == told

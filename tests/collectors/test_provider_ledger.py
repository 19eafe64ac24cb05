"""Any sequence of use, restatements, polls, faults and restarts ends in the ledger of what was said last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.provider_rig import NOW, Rig
from tests.provider_world import HOUR, MINUTE, Answer, Asked, Group, error

GROUPS = (Group(), Group(key="key_b"), Group(model="gpt-4o-mini", project="", key=""))
_minutes_ago = st.integers(1, 40 * 60)
_counts = st.fixed_dictionaries(
    {},
    optional={name: st.integers(0, 10**6) for name in ("input", "cache_read", "cache_write_5m", "output", "requests")},
)
_use = st.tuples(st.just("use"), _minutes_ago, st.sampled_from(GROUPS), _counts)
_restate = st.tuples(st.just("restate"), _minutes_ago, st.sampled_from(GROUPS), _counts)
_poll = st.tuples(st.just("poll"), st.integers(1, 3 * HOUR))
_fault = st.tuples(
    st.just("fault"),
    st.sampled_from(["500", "429", "429 later", "timeout", "cut", "403", "cursor", "garbage"]),
    st.integers(0, 12),
)
steps = st.lists(
    st.one_of(_use, _restate, _poll, _poll, _fault, st.tuples(st.just("restart")), st.tuples(st.just("page size"))),
    min_size=2,
    max_size=12,
)


def fault(name: str, number: int) -> Any:
    """Let one request go wrong, some requests from now; a cursor that is wrong stays wrong for a while."""
    left = [number]

    def answer(asked: Asked) -> Answer | None:
        left[0] -= 1
        if left[0] != -1:
            return None
        if name == "timeout":
            raise TimeoutError
        if name == "cut":
            raise httpx.ReadError("cut")
        if name == "cursor":
            return Answer(200, {"data": [], "has_more": True, "next_page": None})
        if name == "garbage":
            return Answer(200, b"\xff{")
        if name == "429 later":
            return error(429, "slow down", retry_after="90")
        return error(int(name), "no")

    return answer


async def play(provider: str, path: Path, said: Sequence[Any]) -> Rig:
    rig = Rig(provider, path)
    rig.world.use(NOW - 5 * 86_400, input=11, requests=1)
    for what, *content in said:
        if what == "use" or what == "restate":
            minutes, group, counts = content
            change = rig.world.use if what == "use" else rig.world.restate
            change(max(rig.now - minutes * MINUTE, NOW - 40 * HOUR), group, **counts)
        elif what == "poll":
            await rig.poll(float(content[0]))
        elif what == "fault":
            rig.world.faults.append(fault(*content))
        elif what == "restart":
            await rig.restart()
        else:
            rig.world.page_buckets = 5 if rig.world.page_buckets > 100 else 1000
    rig.world.faults = []
    await rig.settle()
    await rig.collector.close()
    return rig


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@settings(max_examples=15)
@given(said=steps)
def test_the_ledger_is_what_was_said_last(
    provider: str, tmp_path_factory: pytest.TempPathFactory, said: Sequence[Any]
) -> None:
    rig = asyncio.run(play(provider, tmp_path_factory.mktemp("ledger") / "x.db", said))
    truth = {key: n for key, n in rig.world.truth().items() if provider == "openai" or key[3] != "requests"}
    assert dict(rig.ledger()) == truth
    assert rig.usd_nano() == rig.world.usd_nano()
    assert rig.world.breaches == []

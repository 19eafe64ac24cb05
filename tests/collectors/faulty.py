"""Accounts of both providers with three weeks of use, and faults that are put in their way."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.provider_rig import NOW, Rig
from tests.provider_world import DAY, Answer, Asked, Fault, Group

B = Group(key="key_b", project="proj_b", user="user_b")


@pytest.fixture(name="rig", params=["openai", "anthropic"])
async def account(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(request.param, tmp_path / "x.db")
    for days in range(20):
        made.world.use(NOW - days * DAY - 700, input=1000, cache_read=400, cache_write_5m=100, output=500, requests=5)
        made.world.use(NOW - days * DAY - 9000, B, input=10, output=7, requests=1)
    yield made
    await made.collector.close()
    assert made.world.breaches == []


def truth(rig: Rig) -> Counter[tuple[str, str, str, str]]:
    """What the account says; Anthropic counts no requests."""
    said = rig.world.truth()
    return Counter({key: n for key, n in said.items() if rig.provider == "openai" or key[3] != "requests"})


def exact(rig: Rig) -> bool:
    return rig.ledger() == truth(rig) and rig.usd_nano() == rig.world.usd_nano()


def usage(asked: Asked) -> bool:
    return "/usage" in asked.path


def on(match: Callable[[Asked], bool], answer: Callable[[], Answer | None], times: int = 10**6) -> Fault:
    """Answer so what matches, so many times."""
    left = [times]

    def fault(asked: Asked) -> Answer | None:
        if not match(asked) or not left[0]:
            return None
        left[0] -= 1
        return answer()

    return fault


def broken(_: object = None) -> Answer:
    raise TimeoutError

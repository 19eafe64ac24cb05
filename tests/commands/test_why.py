"""Comparing two windows of a run's ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from infertop.commands.session import Session
from infertop.commands.why import Comparing
from infertop.history import reader
from infertop.readings.model import Batch, Covered, Statement
from tests.commands.runs import Meters, session, setup
from tests.fakes import START, FakeClock
from tests.history.stating import say

OPENAI = "openai@127.0.0.1:8400"
BEGIN = START // 3600 * 3600
SINCE = BEGIN - 600
PRICING = """
[[source]]
kind = "openai"
url = "http://127.0.0.1:8400"
key_env = "NOT_SET"
"""


def used(ts: float) -> Iterator[Statement]:
    """Ten requests a minute of each of two keys; those of one have twice the prompt from SINCE on."""
    for start in range(int(BEGIN - 1800), int(ts // 60 * 60), 60):
        for key, prompt in (("big", 20_000 if start >= SINCE else 10_000), ("small", 1_000)):
            quantities = {"input": 10 * prompt, "output": 10}
            yield say(start, 60, quantities, source=OPENAI, dimensions={"key": key}, requests=10)


@pytest.fixture(autouse=True)
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    made = Meters(monkeypatch)
    covered = (Covered(BEGIN - 1800, BEGIN, ""),)
    made.says[OPENAI] = lambda ts: Batch(OPENAI, ts, (), (), statements=tuple(used(ts)), covered=covered)
    return made


async def recorded(run: Session, clock: FakeClock) -> None:
    clock.jump(1)
    await run.polling.poll_once_all(1)
    assert run.recorder is not None
    assert run.recorder.flush()
    await run.tick()


async def test_a_comparison_names_what_changed_and_its_parts_sum_to_the_change(pricing: Path) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await recorded(run, clock)
        comparing = Comparing(run)
        found = await comparing.compare((), (BEGIN - 1800, SINCE), (SINCE, BEGIN), "14:05")
        assert found.before_usd_per_hour == pytest.approx(600 * 2.5 * 0.011 + 1200 * 1e-5)
        assert found.after_usd_per_hour == pytest.approx(600 * 2.5 * 0.021 + 1200 * 1e-5)
        assert (found.by, [each.name for each in found.changes]) == ("key", ["big", "small"])
        assert [(each.factor, each.of, each.before, each.after, each.unit) for each in found.effects] == [
            ("prompt_tokens", "key big", 10_000, 20_000, "tokens/request")
        ]
        assert found.sentence == (
            "1.9x: prompt tokens per request on key big 10,000 -> 20,000 is 100 % of it; since 14:05; +$15.00/h"
        )
        assert found.flags == ()
        alone = await comparing.compare((("key", "small"),), (BEGIN - 1800, SINCE), (SINCE, BEGIN))
        assert (alone.scope, alone.effects, alone.sentence) == ({"key": "small"}, (), "unchanged at $1.51/h")
        await comparing.close()


async def test_comparisons_are_made_one_after_the_other_in_their_order(
    pricing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(BEGIN)
    made: list[float] = []
    reading = 0
    ask = reader.Reader.ask

    def asked(
        self: reader.Reader, question: object, scope: object, spans: Sequence[tuple[float, float]], *rest: object
    ) -> object:
        nonlocal reading
        reading += 1
        assert reading == 1
        try:
            return ask(self, question, scope, spans, *rest)  # type: ignore[arg-type]
        finally:
            made.append(spans[0][0])
            reading -= 1

    async with session(setup(pricing, clock)) as run:
        await recorded(run, clock)
        monkeypatch.setattr(reader.Reader, "ask", asked)
        comparing = Comparing(run)
        windows = [(BEGIN - 1800 + 60.0 * n, SINCE) for n in range(4)]
        await asyncio.gather(*(comparing.compare((), each, (SINCE, BEGIN)) for each in windows))
        assert made == [start for start, _ in windows]
        await comparing.close()


async def test_a_history_that_cannot_be_read_is_said_and_the_next_comparison_is_made(
    pricing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await recorded(run, clock)
        comparing = Comparing(run)

        def fail(*_: object) -> None:
            raise reader.Unreadable("the history cannot be read: the disk is gone")

        with monkeypatch.context() as broken:
            broken.setattr(reader.Reader, "ask", fail)
            found = await comparing.compare((), (BEGIN - 1800, SINCE), (SINCE, BEGIN))
        assert found.flags == ("the history cannot be read: the disk is gone",)
        assert (found.before_usd_per_hour, found.effects) == (None, ())
        assert (await comparing.compare((), (BEGIN - 1800, SINCE), (SINCE, BEGIN))).effects
        await comparing.close()

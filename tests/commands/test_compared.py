"""Comparisons for the screen: made beside it from the ledger, kept while they are new, one at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infertop.commands.compared import Compared, Window
from infertop.commands.coursing import Coursing
from infertop.commands.live import LiveFeed
from infertop.commands.session import Session
from infertop.views.event_shapes import Comparison
from tests.commands.runs import Meters, session, setup
from tests.fakes import START, FakeClock
from tests.money.tape import Gpu, host, nvml
from tui.announcing import Calls

BEGIN = START // 3600 * 3600
PRICING = """
[gpu."H100"]
usd_per_hour = 3.60
[alert]
bell = true
osc = "both"
"""
BEFORE, AFTER = (BEGIN, BEGIN + 120), (BEGIN + 120, BEGIN + 240)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(BEGIN)


@pytest.fixture
async def run(pricing: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    """One GPU for two minutes, then two of them."""
    meters = Meters(monkeypatch)
    meters.says["nvml"] = lambda ts: nvml(ts, *(Gpu(f"GPU-{n}") for n in range(2 if ts >= AFTER[0] else 1)))
    meters.says["host"] = host
    async with session(setup(pricing, clock), memory=False) as opened:
        for _ in range(25):
            clock.jump(10)
            await opened.polling.poll_once_all(1)
        assert opened.recorder is not None
        assert opened.recorder.flush()
        await opened.tick()
        yield opened


async def made(compared: Compared, before: Window = BEFORE, after: Window = AFTER) -> Comparison:
    if compared.making is not None:
        await compared.making
    if (found := compared.page({}, before, after)) is not None:
        return found
    assert compared.making is not None
    await compared.making
    again = compared.page({}, before, after)
    assert again is not None
    return again


async def test_it_is_there_once_it_was_made_and_is_made_from_the_ledger(run: Session) -> None:
    compared = Compared(run)
    assert compared.page({}, BEFORE, AFTER) is None
    found = await made(compared)
    assert found.before_usd_per_hour == pytest.approx(3.6, rel=0.1)
    assert found.after_usd_per_hour == pytest.approx(7.2, rel=0.1)
    assert sum(each.usd_per_hour for each in found.effects) == pytest.approx(3.6, rel=0.1)
    await compared.close()


async def test_it_is_kept_and_made_again_after_a_minute(run: Session, clock: FakeClock) -> None:
    compared = Compared(run)
    first = await made(compared)
    assert compared.page({}, BEFORE, AFTER) is first
    assert compared.making is None
    clock.jump(61)
    assert compared.page({}, BEFORE, AFTER) is first
    assert compared.making is not None
    await compared.close()


async def test_of_windows_that_follow_each_other_fast_the_last_is_made(run: Session) -> None:
    compared = Compared(run)
    for step in range(5):
        assert compared.page({}, BEFORE, (AFTER[0], AFTER[1] - step)) is None
    found = await made(compared, after=(AFTER[0], AFTER[1] - 4))
    assert found.after == (AFTER[0], AFTER[1] - 4)
    await compared.close()


async def test_the_feed_hands_on_what_alert_asks_for_and_answers_before_anything_is_known(
    pricing: Path, clock: FakeClock, run: Session
) -> None:
    feed = LiveFeed(setup(pricing, clock))
    assert feed.calls() is None
    assert feed.compare({}, BEFORE, AFTER) is None
    assert feed.acknowledge("incident x", "open") == "nothing is known yet"
    feed._session = run
    assert feed.calls() == Calls(bell=True, osc=(9, 777))
    assert feed.acknowledge("incident x", "open") == "that incident is over"


async def test_a_course_is_read_beside_the_screen_kept_and_read_again_as_it_goes_on(
    run: Session, clock: FakeClock
) -> None:
    coursing = Coursing(run)
    assert coursing.page({}, BEGIN, 60.0, 4) is None
    assert coursing.making is not None
    await coursing.making
    found = coursing.page({}, BEGIN, 60.0, 4)
    assert found is not None
    assert (found.since, found.width) == (BEGIN, 60.0)
    assert found.usd_per_hour == pytest.approx((3.6, 3.6, 7.2, 7.2), rel=0.2)
    assert coursing.page({}, BEGIN, 60.0, 4) is found
    assert coursing.making is None
    clock.jump(61)
    assert coursing.page({}, BEGIN, 60.0, 4) is found
    assert coursing.making is not None
    await coursing.close()


async def test_of_a_history_that_cannot_be_read_the_course_is_empty(run: Session, tmp_path: Path) -> None:
    coursing = Coursing(run)
    run.store.uri = f"file:{tmp_path / 'none.db'}?mode=ro"
    assert coursing.page({}, BEGIN, 60.0, 4) is None
    assert coursing.making is not None
    await coursing.making
    found = coursing.page({}, BEGIN, 60.0, 4)
    assert found is not None
    assert found.usd_per_hour == ()
    await coursing.close()

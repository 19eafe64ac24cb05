"""Incidents of a session are told to a webhook, with their cause, once; their end by who goes on after a kill."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from infertop.commands.session import Session
from tests.alerts.hooks import Hook, hooked
from tests.commands.runs import Meters, session, setup
from tests.commands.test_watching import BEGIN, CALM, PRICING, meters, settle, watch
from tests.fakes import FakeClock

__all__ = ["meters"]  # the fixture


@pytest.fixture
def pricing(tmp_path: Path) -> Path:
    return tmp_path / "pricing.toml"


def name(pricing: Path, hook: Hook) -> None:
    """Let the webhook be told of incidents."""
    pricing.write_text(PRICING.replace("[alert]\n", f'[alert]\nwebhook = "{hook.url}"\n'))


async def sent(run: Session) -> None:
    """Let all be sent that is due."""
    telling = run.recording.telling if run.recording else None
    assert telling is not None
    for _ in range(3):
        await settle(run)
        running = [each for each in telling._tasks.values() if not each.done()]
        if running:
            await asyncio.wait(running, timeout=10)


async def test_a_surge_is_told_with_its_cause_and_its_end_by_who_goes_on_after_a_kill(
    pricing: Path, meters: Meters
) -> None:
    clock = FakeClock(BEGIN)
    with hooked() as hook:
        name(pricing, hook)
        async with session(setup(pricing, clock), memory=False) as run:
            await run.remember()
            await watch(run, clock, CALM)
            await sent(run)
            assert hook.told == []
            for _ in range(3):
                await watch(run, clock, 1)
                await sent(run)  # while the clock stands still the cause is found
            copied = pricing.with_name("killed.db")
            for end in ("", "-wal"):  # what is on the disk, in the middle of a session
                shutil.copy(f"{run.store.path}{end}", f"{copied}{end}")
        (opened,) = hook.told
        assert (opened.body["status"], opened.body["severity"]) == ("firing", "critical")
        assert opened.body["value"] == pytest.approx(480, rel=0.01)
        assert opened.body["cause"]
        effects = opened.body["effects"]
        assert sum(each["usd_per_hour"] for each in effects) == pytest.approx(420, rel=0.05)
        clock = FakeClock(clock.now() + 20)
        async with session(setup(pricing, clock, copied), memory=False) as run:
            await run.remember()
            await watch(run, clock, 60)
            await sent(run)
    closed = hook.told[-1]
    assert [each.body["status"] for each in hook.told] == ["firing", "resolved"]
    assert closed.body["incident"] == opened.body["incident"]
    assert closed.body["severity"] == "critical"
    assert closed.body["excess_usd"] > 100


async def test_who_looks_on_sees_that_the_recorder_cannot_tell_and_tells_nobody_itself(
    pricing: Path, meters: Meters
) -> None:
    clock = FakeClock(BEGIN)
    pricing.write_text(PRICING.replace("[alert]\n", '[alert]\nwebhook_env = "NOT_SET"\n'))
    sentence = "alerts cannot be told: the environment variable NOT_SET (webhook_env) is not set"
    async with session(setup(pricing, clock), memory=False) as run:
        await sent(run)
        assert sentence in run.notices
        async with session(setup(pricing, clock), memory=False) as looking_on:
            await looking_on.tick()
            assert looking_on.recording is None
            assert sentence in looking_on.notices
            pricing.write_text(PRICING)
            await sent(run)
            clock.jump(1)
            await looking_on.tick()
            assert sentence not in run.notices
            assert sentence not in looking_on.notices


async def test_a_check_and_the_demo_tell_nobody(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    with hooked() as hook:
        name(pricing, hook)
        async with session(setup(pricing, clock)) as checked, session(setup(pricing, clock, demo=True)) as demo:
            for each in (checked, demo):
                assert each.recording is not None
                assert each.recording.telling is None

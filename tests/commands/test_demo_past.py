"""The demo begins with a past in which something goes wrong: what watches, explains and plans a real run tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import collectors.demo
from collectors.demo.account import SURGE, SURGE_KEY
from infertop.commands.session import Session
from infertop.views.event_shapes import OPEN, Event
from infertop.views.overview import overview
from tests.commands.runs import session, setup
from tests.fakes import START, FakeClock

HOUR = START // 3600 * 3600
PRICING = Path(collectors.demo.__file__).parent / "pricing.toml"
MOST_TICKS = 40


@asynccontextmanager
async def demo(minutes: int) -> AsyncIterator[Session]:
    """The demo, started so many minutes past the hour."""
    async with session(setup(PRICING, FakeClock(HOUR + minutes * 60 + 20), demo=True)) as run:
        await run.load_demo_past()
        await run.remember()
        await run.polling.poll_once_all(1)
        yield run


def incidents(run: Session) -> list[Event]:
    return [event for event in run.watch.events.shown if event.kind == "incident"]


async def told(run: Session) -> list[Event]:
    """Return the incidents once all that is known of the past was looked at, and their causes were looked into."""
    assert run.watching is not None
    for _ in range(MOST_TICKS):
        await run.tick()
        await run.watching.settled()
        if (found := incidents(run)) and all(each.cause for each in found):
            return found
    return incidents(run)


async def test_one_incident_is_open_with_its_cause_and_its_dollars() -> None:
    async with demo(17) as run:
        (incident,) = await told(run)
        assert incident.state == OPEN
        assert incident.until is None
        assert incident.scope in ({"key": SURGE_KEY}, {"model": "gpt-4o"}, {"project": "support"})
        assert abs(incident.ts - (run.clock.now() + SURGE[0] * 60)) < 600
        assert "prompt tokens per request" in incident.cause
        assert incident.excess_usd is not None
        assert incident.excess_usd > 2

        head = overview(run.facts()).headline
        parts = (head.gpu_usd_per_hour, head.host_usd_per_hour, head.api_usd_per_hour)
        assert all(part is not None and part > 0.5 for part in parts)
        assert head.usd_per_hour == pytest.approx(sum(part or 0.0 for part in parts))


async def test_an_hourly_budget_crosses_a_level_within_minutes() -> None:
    async with demo(2) as run:
        assert run.recorder is not None
        assert isinstance(run.setup.clock, FakeClock)
        for _ in range(6):
            run.setup.clock.jump(60)
            await run.polling.poll_once_all(1)
            assert run.recorder.flush()
            await run.tick()
        budgets = [event for event in run.watch.events.shown if event.kind == "budget"]
        assert {event.scope["budget"] for event in budgets} == {"support bot"}


async def test_nothing_of_its_past_is_said_to_be_read_back() -> None:
    async with demo(55) as run:
        budgets = [event for event in run.watch.events.shown if event.kind == "budget"]
        assert budgets
        assert not [event.text for event in budgets if "read back" in event.text]

"""A provider on a live recorder: days that are restated, prices that are edited and nights off are no incident."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.commands.session import Session
from infertop.readings.account import Account
from infertop.readings.model import Batch, Covered, Statement
from infertop.views.event_shapes import Event
from tests.commands.runs import Meters, session, setup
from tests.fakes import FakeClock
from tests.history.stating import say
from tests.history.world import rows

OPENAI = "openai@127.0.0.1:8400"
HOUR, DAY = 3600, 86_400
# 24 October 2026, 22:00 in Berlin, a Saturday: that night clocks go back.
BEGIN = 1_792_872_000
PRICE = 2.5
PRICING = f"""
timezone = "Europe/Berlin"
[alert]
floor_usd = 0.2
[model."gpt-4o"]
input = {PRICE}
output = 10
[[source]]
kind = "openai"
url = "http://127.0.0.1:8400"
key_env = "NOT_SET"
"""
KEYS = {"prod": 40, "dev": 10}
LAG = 600


class Provider:
    """Tells the last 40 minutes by the minute, and what is older by the hour, once and when it is `restated`."""

    def __init__(self) -> None:
        self.times: dict[int, float] = {}  # of an hour's or minute's start: how much of what it was it is said to be
        self.surge: tuple[float, float] = (0.0, 0.0)
        self.older = True

    def __call__(self, ts: float) -> Batch:
        minute = int(ts // 60 * 60)
        recent = range(minute - 40 * 60, minute, 60)
        statements = [each for start in recent for each in self._used(start, 60)]
        covered = [Covered(recent.start, minute, "minute|")]
        if self.older:
            self.older = False
            edge = recent.start // HOUR * HOUR
            hours = range(BEGIN // DAY * DAY - 2 * DAY, edge, HOUR)
            statements += [each for start in hours for each in self._used(start, HOUR)]
            statements += [each for start in range(edge, recent.start, 60) for each in self._used(start, 60)]
            covered += [Covered(hours.start, edge, ""), Covered(edge, recent.start, "minute|")]
        told = Account(complete_until=float(minute - LAG))
        return Batch(OPENAI, ts, (), (), statements=tuple(statements), covered=tuple(covered), account=told)

    def _used(self, start: int, width: int) -> Iterator[Statement]:
        chance = random.Random(start)
        said = self.times.get(start // DAY, 1.0) * width / 60
        for key, requests in KEYS.items():
            count = round(requests * chance.uniform(0.9, 1.1) * said)
            prompt = 40_000 if key == "dev" and self.surge[0] <= start < self.surge[1] else 2000
            scope = "minute" if width == 60 else "hour"
            used = {"input": count * prompt, "output": count * 200}
            yield say(
                start, width, used, source=OPENAI, key=f"{scope}|{start}|{key}", dimensions={"key": key}, requests=count
            )


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    made = Provider()
    Meters(monkeypatch).says[OPENAI] = made
    return made


async def live(run: Session, clock: FakeClock, minutes: int) -> None:
    """Let the recorder poll every five minutes, and watch what closes."""
    assert run.recorder is not None
    assert run.watching is not None
    for _ in range(minutes // 5):
        clock.jump(300)
        await run.polling.poll_once_all(1)
        assert run.recorder.flush()
        await run.tick()
        await run.watching.settled()
        await run.tick()


@asynccontextmanager
async def watched(pricing: Path, clock: FakeClock, minutes: int) -> AsyncIterator[Session]:
    """A recorder that has watched for so many minutes."""
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        await live(run, clock, minutes)
        yield run


def incidents(run: Session) -> list[Event]:
    assert run.notices == ()
    return [each for each in run.watch.events.shown if each.kind == "incident"]


def spent(pricing: Path, since: int, until: int) -> float:
    query = f"SELECT sum(usd_nano) FROM lines WHERE start >= {since} AND start < {until}"
    return float(rows(pricing.with_name("infertop.db"), query)[0][0]) / 1e9


async def test_a_surge_is_one_incident_of_its_key_with_the_dollars_that_it_cost(
    pricing: Path, provider: Provider
) -> None:
    clock = FakeClock(float(BEGIN))
    async with watched(pricing, clock, 240) as run:
        assert incidents(run) == []
        provider.surge = (clock.now(), clock.now() + HOUR)
        await live(run, clock, 120)
        (event,) = incidents(run)
    assert (event.scope, event.until is not None) == ({"key": "dev"}, True)
    assert event.excess_usd == pytest.approx(10 * 60 * 38_000 * PRICE / 1e6, rel=0.05)
    assert "prompt tokens per request" in event.cause
    assert "2,000 -> 40,000" in event.cause


async def test_days_that_are_restated_late_are_no_incident(pricing: Path, provider: Provider) -> None:
    clock = FakeClock(float(BEGIN))
    async with watched(pricing, clock, 240) as run:
        day = BEGIN // DAY * DAY
        before = spent(pricing, day - DAY, day), spent(pricing, day, BEGIN)
        provider.times = {day // DAY - 1: 1.5, day // DAY: 1.5}
        provider.older = True
        await live(run, clock, 180)
        after = spent(pricing, day - DAY, day), spent(pricing, day, BEGIN)
        assert [b / a for a, b in zip(before, after, strict=True)] == pytest.approx([1.5, 1.5], rel=0.01)
        assert incidents(run) == []


@pytest.mark.parametrize("since", ["", "from = 2026-10-23\n"])
async def test_a_price_that_is_edited_and_prices_the_past_again_is_no_incident(
    pricing: Path, provider: Provider, since: str
) -> None:
    clock = FakeClock(float(BEGIN))
    async with watched(pricing, clock, 240) as run:
        edited = PRICING.replace(f"input = {PRICE}\noutput = 10\n", f"input = {10 * PRICE}\noutput = 100\n{since}")
        pricing.write_text(edited)
        before = spent(pricing, BEGIN, BEGIN + HOUR)
        await live(run, clock, 180)
        assert spent(pricing, BEGIN, BEGIN + HOUR) == pytest.approx(before * (10 if since else 1))
        newest = int(clock.now()) // 60 * 60 - HOUR
        assert spent(pricing, newest, newest + 600) == pytest.approx(before / 6 * 10, rel=0.1)
        assert incidents(run) == []


async def test_a_night_in_which_nobody_recorded_and_the_clock_went_back_is_no_incident(
    pricing: Path, provider: Provider
) -> None:
    clock = FakeClock(float(BEGIN))
    async with watched(pricing, clock, 240) as run:
        assert incidents(run) == []
    clock = FakeClock(clock.now() + 9 * HOUR)
    provider.older = True
    async with watched(pricing, clock, 180) as run:
        assert run.pricing.settings.zone == ZoneInfo("Europe/Berlin")
        assert incidents(run) == []

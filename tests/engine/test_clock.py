"""Time: the clock never goes back, and the fake one moves the loop's timers."""

import asyncio

import pytest

from infertop.engine import clock as clock_module
from infertop.engine.clock import SystemClock
from tests.fakes import START, FakeClock


class Watches:
    """The machine's two clocks, set by hand."""

    def __init__(self) -> None:
        self.wall, self.steady = 1000.0, 50.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def run(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def watches(monkeypatch):
    both = Watches()
    monkeypatch.setattr(clock_module, "time", both)
    return both


def test_the_clock_starts_at_the_wall_clock_and_runs_with_the_steady_one(watches):
    clock = SystemClock()
    watches.run(5)
    assert clock.now() == 1005.0


def test_a_wall_clock_set_back_does_not_take_time_back(watches):
    clock = SystemClock()
    watches.run(5)
    watches.wall -= 3600
    assert clock.now() == 1005.0
    watches.run(1)
    assert clock.now() == 1006.0


def test_a_wall_clock_set_forward_is_followed_and_stays_ahead(watches):
    clock = SystemClock()
    watches.wall += 3600
    assert clock.now() == 4600.0
    watches.wall -= 3600
    assert clock.now() == 4600.0


def test_a_small_drift_of_the_wall_clock_is_not_followed(watches):
    clock = SystemClock()
    watches.wall += 0.9
    assert clock.now() == 1000.0


async def test_sleeping_until_a_past_time_returns_at_once():
    clock = SystemClock()
    await asyncio.wait_for(clock.sleep_until(clock.now() - 1), 1)


async def test_the_fake_clock_wakes_sleepers_in_order_and_on_time():
    clock, woken = FakeClock(), []

    async def sleeper(seconds):
        await clock.sleep_until(START + seconds)
        woken.append((seconds, clock.now() - START))

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3, 1, 2)]
    await clock.advance(2.5)
    assert woken == [(1, pytest.approx(1, abs=1e-4)), (2, pytest.approx(2, abs=1e-4))]
    await clock.advance(1)
    assert [seconds for seconds, _ in woken] == [1, 2, 3]
    await asyncio.gather(*tasks)


async def test_the_fake_clock_drives_deadlines_of_asyncio():
    clock = FakeClock()
    await clock.advance(0)

    async def hang():
        async with asyncio.timeout(5):
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await clock.advance(4.9)
    assert not task.done()
    await clock.advance(0.2)
    with pytest.raises(TimeoutError):
        await task

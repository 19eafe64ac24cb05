"""What is watched becomes incidents: through a real recorder, over an end, and told to who looks on."""

from __future__ import annotations

from pathlib import Path

import pytest

from infertop.commands.session import Session
from infertop.views.event_shapes import CLOSED, OPEN, Event
from tests.commands.runs import Meters, session, setup
from tests.fakes import START, FakeClock
from tests.money.tape import VLLM, Gpu, engine, host, nvml

BEGIN = START // 3600 * 3600
PRICING = f"""
[gpu."H100"]
usd_per_hour = 60
[alert]
floor_usd = 0.5
[[source]]
kind = "vllm"
name = "{VLLM}"
url = "http://127.0.0.1:8000"
"""
CALM, SURGE = 150, 20  # minutes


@pytest.fixture
def pricing(tmp_path: Path) -> Path:
    path = tmp_path / "pricing.toml"
    path.write_text(PRICING)
    return path


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    """One GPU that costs $60 an hour, and from the 151st minute on for a while eight of them."""
    made = Meters(monkeypatch)
    made.says["nvml"] = lambda ts: nvml(ts, *(Gpu(f"GPU-{n}", utilization=0.5) for n in range(_gpus(ts))))
    made.says["host"] = host
    made.says[VLLM] = lambda ts: engine(ts, output_tokens=100 * (ts - BEGIN), requests=ts - BEGIN, started=1.0)
    return made


def _gpus(ts: float) -> int:
    return 8 if BEGIN + 60 * CALM <= ts < BEGIN + 60 * (CALM + SURGE) else 1


async def watch(run: Session, clock: FakeClock, minutes: int) -> None:
    """Let so many minutes pass; what closes is watched."""
    for _ in range(minutes):
        for _ in range(6):
            clock.jump(10)
            await run.polling.poll_once_all(1)
        await settle(run)


async def settle(run: Session) -> None:
    assert run.recorder is not None
    assert run.watching is not None
    assert run.recorder.flush()
    await run.tick()
    await run.watching.settled()
    await run.tick()
    assert run.recorder.flush()


def incidents(run: Session) -> list[Event]:
    return [each for each in run.watch.events.shown if each.kind == "incident"]


async def test_a_surge_is_one_incident_that_is_told_explained_and_closed(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        await watch(run, clock, CALM)
        assert incidents(run) == []
        await watch(run, clock, 3)
        (event,) = incidents(run)
        assert (event.state, event.until, event.level) == (OPEN, None, "alarm")
        assert event.ts == BEGIN + 60 * CALM
        assert (event.value, event.expected) == (pytest.approx(480, rel=0.01), pytest.approx(60, rel=0.01))
        assert event.excess_usd_per_hour == pytest.approx(420, rel=0.01)
        assert event.text == (
            "own machines: 8.0x: $480.00/h, expected $60.00/h, since 16:30; +$420.00/h, $14.00 more so far"
        )
        assert "GPU count" in event.cause
        assert event.why is not None
        await watch(run, clock, SURGE + 40)
        (event,) = incidents(run)
        assert (event.ts, event.state) == (BEGIN + 60 * CALM, CLOSED)
        assert event.until == pytest.approx(BEGIN + 60 * (CALM + SURGE), abs=660)
        assert event.excess_usd == pytest.approx(420 * SURGE / 60, rel=0.15)
        assert event.cause

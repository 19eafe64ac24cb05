"""What is watched becomes incidents: through a real recorder, over an end, and told to who looks on."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from infertop.commands.session import Session
from infertop.commands.watching_figures import Figures
from infertop.views.event_shapes import ACKNOWLEDGED, CLOSED, OPEN, PLANNED, Event, event_of
from tests.commands.runs import Meters, session, setup
from tests.fakes import START, FakeClock
from tests.history.world import rows
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
            "own machines: 8.0x: $480.00/h, expected $60.00/h, since 16:30; +$420.00/h, $21.00 more so far"
        )
        assert event.cause.startswith("8x that of the 30 min before: ")
        assert event.why is not None
        await watch(run, clock, SURGE + 40)
        (event,) = incidents(run)
        assert (event.ts, event.state) == (BEGIN + 60 * CALM, CLOSED)
        assert event.until == pytest.approx(BEGIN + 60 * (CALM + SURGE), abs=660)
        assert event.excess_usd == pytest.approx(420 * SURGE / 60, rel=0.03)
        assert event.value == pytest.approx(480, rel=0.03)
        assert re.fullmatch(
            r"own machines: (7\.\d|8\.0)x: \$4\d\d\.\d\d/h on average, expected \$60\.00/h, from 16:30 to 16:5\d;"
            r" it came to \$1[34]\d\.\d\d more than expected in 2\d min",
            event.text,
        )
        assert event.cause.startswith("7.") or event.cause.startswith("8x")


async def test_a_tick_after_the_end_reads_nothing_more(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        await watch(run, clock, 3)
        assert run.recorder is not None
        assert run.watching is not None
        for _ in range(6):
            clock.jump(10)
            await run.polling.poll_once_all(1)
        assert run.recorder.flush()
        await run.watching.close(clock.now())
        for _ in range(2):
            await run.tick()
            await run.watching.settled()


def stored(path: Path) -> dict[str, Event]:
    """The incidents in the database."""
    found = rows(path, "SELECT key, content FROM events WHERE key LIKE 'incident%'")
    return {key: event for key, content in found if (event := event_of(json.loads(content))) is not None}


async def test_what_a_kill_leaves_at_any_moment_goes_on_as_the_same_incident(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    left = []
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        await watch(run, clock, CALM)
        for minutes in (2, 9, 14):
            await watch(run, clock, minutes)
            copied = pricing.with_name(f"{minutes}.db")
            for end in ("", "-wal"):  # what is on the disk, in the middle of a session
                shutil.copy(f"{run.store.path}{end}", f"{copied}{end}")
            left.append((copied, clock.now()))
        await watch(run, clock, 40)
        (whole,) = stored(pricing.with_name("infertop.db")).values()
    for copied, now in left:
        before = stored(copied)
        clock = FakeClock(now + 20)
        async with session(setup(pricing, clock, copied), memory=False) as run:
            await run.remember()
            await watch(run, clock, 60)
            (event,) = incidents(run)
            assert stored(copied).keys() == {whole.key}
            assert before.keys() <= {whole.key}
            assert (event.key, event.ts, event.state) == (whole.key, whole.ts, CLOSED)
            assert event.until == pytest.approx(whole.until or 0.0, abs=600)


async def test_an_incident_is_acknowledged_here_and_planned_by_who_looks_on(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        await watch(run, clock, CALM + 3)
        (event,) = incidents(run)
        assert run.acknowledge(event.key, "gone") == "an incident is open, acknowledged, planned"
        assert run.acknowledge("incident x", ACKNOWLEDGED) == "that incident is over"
        assert run.acknowledge(event.key, ACKNOWLEDGED) == "own machines $/hour: acknowledged"
        assert incidents(run)[0].state == ACKNOWLEDGED
        await watch(run, clock, 2)
        assert stored(pricing.with_name("infertop.db"))[event.key].state == ACKNOWLEDGED
        async with session(setup(pricing, clock), memory=False) as viewing:
            await viewing.tick()
            assert [each.state for each in incidents(viewing)] == [ACKNOWLEDGED]
            said = viewing.acknowledge(event.key, PLANNED)
            assert said == "own machines $/hour: planned: nobody is alerted again, as soon as the recorder hears of it"
            await asyncio.gather(*viewing._tasks)
            await watch(run, clock, 2)
            assert [(each.state, each.level) for each in incidents(run)] == [(PLANNED, "info")]
            await viewing.tick()
            assert [each.state for each in incidents(viewing)] == [PLANNED]
        assert rows(pricing.with_name("infertop.db"), "SELECT count(*) FROM wishes") == [(0,)]
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        await watch(run, clock, 2)
        assert [(each.state, each.level) for each in incidents(run)] == [(PLANNED, "info")]


@pytest.mark.parametrize("since", ["", "from = 2020-01-01\n"])
async def test_a_gpu_that_costs_another_price_by_the_file_is_no_incident(
    pricing: Path, meters: Meters, since: str
) -> None:
    clock = FakeClock(BEGIN)
    meters.says["nvml"] = lambda ts: nvml(ts, Gpu(utilization=0.5))
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        await watch(run, clock, CALM)
        pricing.write_text(PRICING.replace("usd_per_hour = 60\n", f"usd_per_hour = 600\n{since}"))
        await watch(run, clock, 60)
        assert run.facts().costs.gpu == 600
        assert incidents(run) == []


async def test_a_bug_in_watching_is_said_ends_nothing_else_and_the_incident_is_told_once_it_is_begun_again(
    pricing: Path, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, take, broken = FakeClock(BEGIN), Figures.take, [False]

    def breaks(figures: Figures, *args: Any) -> Any:
        if broken[0]:
            raise KeyError("nobody thought of that")
        return take(figures, *args)

    monkeypatch.setattr(Figures, "take", breaks)
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        await watch(run, clock, CALM)
        assert run.notices == ()
        broken[0] = True
        await watch(run, clock, 4)
        sentence = "incidents are not looked for: internal error: KeyError; details in the log; tried again at "
        (notice,) = run.notices
        assert notice.startswith(sentence)
        assert incidents(run) == []
        assert run.facts().costs.gpu == 480  # what is polled and booked goes on
        async with session(setup(pricing, clock), memory=False) as viewing:
            await viewing.tick()
            assert viewing.notices == (notice,)
        broken[0] = False
        await watch(run, clock, 6)
        assert run.notices == ()
        (event,) = incidents(run)
        assert (event.ts, event.state) == (BEGIN + 60 * CALM, OPEN)
    assert len(stored(pricing.with_name("infertop.db"))) == 1


async def test_a_cause_that_cannot_be_worked_out_for_a_bug_leaves_its_incident_told(
    pricing: Path, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **_more: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("infertop.views.why_incident.explain_incident", breaks)
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        await watch(run, clock, CALM + 3)
        (event,) = incidents(run)
        assert event.cause == "internal error: ZeroDivisionError; details in the log"
        await watch(run, clock, 1)
        assert incidents(run)[0].state == OPEN

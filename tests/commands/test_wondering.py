"""What-if pages for the screen: made beside it, from the history, anew where they are old or prices changed."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from infertop.commands.session import Session
from infertop.commands.wondering import Wondering
from infertop.history import reader
from infertop.history.open import Mode
from infertop.views.whatif_shapes import WhatIfPage
from tests.commands.runs import Meters, session, setup
from tests.fakes import START, FakeClock
from tests.money.tape import LLAMA, VLLM, Gpu, engine, host, nvml
from tui.windows import preset

HOUR = 3600.0
BEGIN = START // 3600 * 3600
PRICING = f"""
[gpu."H100"]
usd_per_hour = 3.60
[[source]]
kind = "vllm"
name = "{VLLM}"
url = "http://127.0.0.1:8000"
"""


@pytest.fixture(autouse=True)
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    made = Meters(monkeypatch)
    made.says["nvml"] = lambda ts: nvml(ts, Gpu(utilization=0.5))
    made.says["host"] = host
    made.says[VLLM] = lambda ts: engine(ts, source=VLLM, output_tokens=100 * (ts - BEGIN), requests=ts - BEGIN)
    return made


async def recorded(run: Session, clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.jump(1)
        await run.polling.poll_once_all(1)
    assert run.recorder is not None
    assert run.recorder.flush()
    await run.tick()


async def made(wondering: Wondering, seconds: float = HOUR, *, every: bool = False) -> WhatIfPage:
    wondering.page(seconds, every)
    if wondering.making is not None:
        await wondering.making
    page = wondering.page(seconds, every)
    assert page is not None
    return page


@pytest.mark.parametrize("memory", [True, False])
async def test_the_first_page_is_there_once_it_has_been_made_and_shows_the_traffic(pricing: Path, memory: bool) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=memory) as run:
        await recorded(run, clock, 90)
        wondering = Wondering(run)
        assert wondering.page(HOUR) is None
        page = await made(wondering)
        found = next(each for each in page.subjects if each.model == LLAMA)
        assert found.source == VLLM
        assert found.tokens["output"] == pytest.approx(5900, rel=0.05)  # the minute that is running is left out
        assert (page.since, page.until) == preset(0, clock.now(), "UTC")[1]  # as it is compared
        await wondering.close()


async def test_a_viewer_makes_it_from_what_the_recorder_wrote(pricing: Path) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as recording:
        await recorded(recording, clock, 60)
        async with session(setup(pricing, clock), memory=False) as viewing:
            assert viewing.store.mode is Mode.VIEWER
            wondering = Wondering(viewing)
            assert LLAMA in {each.model for each in (await made(wondering)).subjects}
            await wondering.close()


async def test_it_is_made_anew_when_it_is_old_and_when_prices_changed_but_not_before(pricing: Path) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await recorded(run, clock, 60)
        wondering = Wondering(run)
        first = await made(wondering)
        assert wondering.page(HOUR) is first
        assert wondering.making is None
        clock.jump(31)
        assert wondering.page(HOUR) is first
        second = await made(wondering)
        assert second.at > first.at
        pricing.write_text(PRICING.replace("3.60", "7.20"))
        await run.tick()
        assert (await made(wondering)) is not second
        await wondering.close()


async def test_each_span_has_a_page_of_its_own(pricing: Path) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await recorded(run, clock, 60)
        wondering = Wondering(run)
        hour = await made(wondering)
        assert wondering.page(24 * HOUR) is None
        day = await made(wondering, 24 * HOUR)
        assert day.until - day.since == 24 * HOUR
        assert wondering.page(HOUR) is hour
        await wondering.close()


async def test_all_models_are_a_page_of_their_own_and_only_the_last_such_is_kept(pricing: Path) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await recorded(run, clock, 60)
        wondering = Wondering(run)
        few = await made(wondering)
        every = await made(wondering, every=True)
        assert wondering.page(HOUR) is few
        assert wondering.page(HOUR, every=True) is every
        one, same = few.subjects[0], every.subjects[0]
        assert len(one.alternatives) < 40
        assert len(same.alternatives) > 1000
        assert (one.more > 1000, same.more) == (True, 0)
        assert (one.break_even, one.scale) == (same.break_even, same.scale)
        await made(wondering, 24 * HOUR, every=True)
        assert wondering.page(HOUR) is few
        assert wondering.page(HOUR, every=True) is None
        await wondering.close()


async def test_the_loop_never_waits_for_the_history(pricing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_in: list[threading.Thread] = []
    ask = reader.Reader.ask

    def noted(self: reader.Reader, *args: object) -> object:
        asked_in.append(threading.current_thread())
        return ask(self, *args)  # type: ignore[arg-type]

    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await recorded(run, clock, 60)
        monkeypatch.setattr(reader.Reader, "ask", noted)
        wondering = Wondering(run)
        await made(wondering)
        await wondering.close()
    assert asked_in
    assert threading.main_thread() not in asked_in


async def test_a_history_that_cannot_be_read_is_said_and_no_crash(pricing: Path) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        pricing.with_name("infertop.db").unlink()
        wondering = Wondering(run)
        page = await made(wondering)
        assert page.subjects == ()
        assert "the history cannot be read" in page.notices[0]
        await wondering.close()


async def test_a_bug_in_the_making_is_loud(pricing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> WhatIfPage:
        raise ZeroDivisionError

    monkeypatch.setattr("infertop.views.whatif.whatif_page", broken)
    async with session(setup(pricing, FakeClock(BEGIN))) as run:
        wondering = Wondering(run)
        wondering.page(HOUR)
        assert wondering.making is not None
        await asyncio.wait([wondering.making])
        with pytest.raises(ZeroDivisionError):
            wondering.page(HOUR)
        await wondering.close()

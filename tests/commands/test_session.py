"""A run as a whole: recording, going on after an end, and a second one that looks on."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infertop.commands.session import Session
from infertop.engine.collector import Unavailable
from infertop.history import trouble
from infertop.history.open import Mode
from infertop.readings.model import Batch
from infertop.views.overview import overview
from tests.commands.runs import Meters, session, setup
from tests.fakes import START, FakeClock
from tests.history.world import rows
from tests.money.tape import LLAMA, VLLM, Gpu, engine, host, nvml

BEGIN = START // 3600 * 3600
FAR = "vllm@10.0.0.9:8000"
PRICING = f"""
[gpu."H100"]
usd_per_hour = 3.60
[host]
usd_per_hour = 7.20
[[budget]]
name = "all"
limit_usd = 0.10
period = "hour"
alert_at = [0.5, 0.8, 1.0]
[[source]]
kind = "vllm"
name = "{VLLM}"
url = "http://127.0.0.1:8000"
[[source]]
kind = "vllm"
url = "http://10.0.0.9:8000"
"""


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    made = Meters(monkeypatch)
    made.says["nvml"] = lambda ts: nvml(ts, Gpu(utilization=0.5))
    made.says["host"] = host
    made.says[VLLM] = lambda ts: served(VLLM, ts)
    made.says[FAR] = lambda ts: served(FAR, ts)
    return made


def served(source: str, ts: float) -> Batch:
    return engine(ts, source=source, output_tokens=100 * (ts - BEGIN), requests=ts - BEGIN, started=1.0)


async def poll(run: Session, clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.jump(1)
        await run.polling.poll_once_all(1)
        if int(clock.now()) % 10 == 0:
            await settle(run)


async def settle(run: Session) -> None:
    """Let the recorder take what was polled, and the session what came of it."""
    assert run.recorder is not None
    assert run.recorder.flush()
    await run.tick()
    assert run.recorder.flush()


async def test_where_nobody_looks_for_anything_it_is_said_why(pricing: Path) -> None:
    async with session(setup(pricing, FakeClock(BEGIN))) as run:
        (said,) = run.facts().searched
        assert said.found == "--no-discovery: only what you name with --source or in pricing.toml is read"


async def test_a_viewer_shows_what_the_recorder_reads_and_asks_and_writes_nothing(
    pricing: Path, meters: Meters
) -> None:
    clock = FakeClock(BEGIN)
    made = setup(pricing, clock)
    async with session(made, memory=False) as recording:
        await poll(recording, clock, 130)
        polls = {name: [len(each.polled) for each in all_made] for name, all_made in meters.made.items()}
        before = rows(made.database, "SELECT count(*), max(tick) FROM events")
        async with session(setup(pricing, clock, discover=True), memory=False) as viewing:
            assert viewing.store.mode is Mode.VIEWER
            assert viewing.finding is None
            for _ in range(3):
                await viewing.tick()
            shown, told = overview(viewing.facts()), overview(recording.facts())
            assert shown.mode == "viewer"
            assert shown.recorder.startswith("recorded by process")
            assert {(each.name, each.state) for each in shown.sources} == {(each.name, "up") for each in told.sources}
            assert shown.headline.usd_per_hour == told.headline.usd_per_hour == 10.8
            assert [(each.model, each.source, each.usd_per_hour) for each in shown.models] == [
                (each.model, each.source, each.usd_per_hour) for each in told.models
            ]
            assert {each.source: each.usd_per_hour for each in shown.models} == {VLLM: 7.2, FAR: None}
            assert shown.events == told.events
            assert [each.kind for each in shown.events] == ["budget", "budget", "budget"]
            assert shown.headline.today_usd == told.headline.today_usd
        assert {name: [len(each.polled) for each in all_made] for name, all_made in meters.made.items()} == polls
        assert rows(made.database, "SELECT count(*), max(tick) FROM events") == before


async def test_a_viewer_of_a_silent_recorder_says_that_and_not_that_the_sources_are_to_be_looked_at(
    pricing: Path, meters: Meters
) -> None:
    clock = FakeClock(BEGIN)
    made = setup(pricing, clock)
    async with session(made, memory=False) as recording:
        await poll(recording, clock, 10)
        async with session(setup(pricing, clock), memory=False) as viewing:
            with closing(sqlite3.connect(made.database, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                assert recording.recorder is not None
                assert not await asyncio.to_thread(recording.recorder.flush)
                since = clock.now()
                clock.jump(60)
                await viewing.tick()
                other.execute("ROLLBACK")
            why = (
                f"the recorder cannot write since {trouble.clock(since)}: {made.database} is locked by another program"
            )
            healths = viewing.facts().healths
            assert {each.state for each in healths} == {"stale"}
            assert all(each.detail.startswith(why) for each in healths)
            assert viewing.notices[0].startswith(why)


async def test_a_viewer_leaves_out_sources_that_are_no_longer_read(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as recording:
        await poll(recording, clock, 10)
        async with session(setup(pricing, clock), memory=False) as viewing:
            await viewing.tick()
            assert FAR in {each.source for each in viewing.facts().healths}
            pricing.write_text(PRICING[: PRICING.rindex("[[source]]")])
            await recording.tick()
            await settle(recording)
            await viewing.tick()
            assert {each.source for each in viewing.facts().healths} == {VLLM, "nvml", "host"}


async def test_a_viewer_shows_the_recorders_prices_and_not_its_own(
    pricing: Path, meters: Meters, tmp_path: Path
) -> None:
    clock = FakeClock(BEGIN)
    own = tmp_path / "own.toml"
    own.write_text('[gpu."H100"]\nusd_per_hour = 1\n')
    async with session(setup(pricing, clock), memory=False) as recording:
        await poll(recording, clock, 10)
        looking_on = setup(own, clock, recording.setup.database)
        async with session(looking_on, memory=False) as viewing:
            assert viewing.facts().costs.gpu == 3.6
            assert [each.budget.name for each in viewing.facts().past.budgets] == ["all"]
            pricing.write_text(PRICING.replace("3.60", "7.20"))
            await viewing.tick()
            assert viewing.facts().costs.gpu == 7.2
        pricing.write_text("not = toml = at all")
        async with session(looking_on, memory=False) as viewing:
            await viewing.tick()
            assert viewing.facts().costs.gpu == 1.0
            assert any("these prices are your own" in each for each in viewing.facts().notices)


async def test_budget_levels_are_told_once_over_restarts(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    for _ in range(3):
        async with session(setup(pricing, clock), memory=False) as run:
            await poll(run, clock, 20)
    found = rows(pricing.with_name("infertop.db"), "SELECT key FROM events WHERE key LIKE 'budget%' ORDER BY ts")
    assert [key for (key,) in found] == [f"budget all {BEGIN:.0f} {level}" for level in ("50%", "80%", "over")]
    levels = rows(pricing.with_name("infertop.db"), "SELECT level FROM budget_levels ORDER BY ts, level")
    assert {level for (level,) in levels} == {"50%", "80%", "over"}


async def test_a_run_begins_with_the_past_of_the_one_before(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await poll(run, clock, 130)
        before = run.facts()
    clock.jump(20)
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        assert {each.text for each in run.facts().past.events} == {each.text for each in before.past.events}
        await settle(run)
        facts = run.facts()
        assert facts.past.today_usd == pytest.approx(before.past.today_usd)
        assert facts.past.totals[VLLM, LLAMA]["requests"] == 129
        assert facts.meters.models(VLLM) == (LLAMA,)
        await poll(run, clock, 1)
        await settle(run)
        # The engine ran on while nobody asked: what it did is booked, and left out of rates.
        assert run.facts().past.totals[VLLM, LLAMA]["requests"] == 150
        assert (run.facts().meters.rate(VLLM, "requests", model=LLAMA)) == pytest.approx(1.0)


async def test_baselines_are_learnt_from_the_ledger(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        for _ in range(62 * 6):
            clock.jump(10)
            await run.polling.poll_once_all(1)
        await settle(run)
        assert run.facts().past.usual is None
        await run.remember()
        usual = run.facts().past.usual
        assert usual is not None
        assert usual.mean == pytest.approx(10.8, rel=0.01)
        pricing.write_text(PRICING.replace("3.60", "36"))
        await run.tick()
        assert run._learning is not None
        await run._learning
        assert run.watch.marks.paused is False
        # A person's price stays with what it priced, so what was usual is the same.
        assert run.facts().past.usual == usual


async def test_baselines_follow_what_was_priced_again(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    pricing.write_text(PRICING[PRICING.index("[[budget]]") :])
    async with session(setup(pricing, clock), memory=False) as run:
        for _ in range(62 * 6):
            clock.jump(10)
            await run.polling.poll_once_all(1)
        await run.remember()
        pricing.write_text(PRICING)
        await run.tick()
        assert run._learning is not None
        await run._learning
        usual = run.facts().past.usual
        assert usual is not None
        assert usual.mean == pytest.approx(10.8, rel=0.01)


async def test_what_is_read_at_the_end_is_kept(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await poll(run, clock, 3)
        clock.jump(0.5)
    last = rows(pricing.with_name("infertop.db"), "SELECT max(ts) FROM polls")[0][0]
    assert last == round((BEGIN + 3.5) * 1000)


async def test_at_the_end_nobody_waits_for_who_does_not_answer(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    never = asyncio.Event()

    async def hang(ts: float) -> Batch:
        await never.wait()
        raise AssertionError

    meters.says[FAR] = Unavailable("refused")
    async with session(setup(pricing, clock), memory=False) as run:
        await poll(run, clock, 3)
        meters.says[FAR] = hang
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 1.0


async def test_a_database_of_a_newer_version_is_left_alone_and_live_figures_go_on(
    pricing: Path, meters: Meters
) -> None:
    clock = FakeClock(BEGIN)
    made = setup(pricing, clock)
    async with session(made, memory=False) as run:
        await poll(run, clock, 3)

    with sqlite3.connect(made.database) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    async with session(setup(pricing, clock), memory=False) as run:
        assert run.store.mode is Mode.READ_ONLY
        for _ in range(3):
            clock.jump(1)
            await run.polling.poll_once_all(1)
        await run.tick()
        view = overview(run.facts())
        assert view.mode == "live"
        assert view.headline.usd_per_hour == 10.8
        assert view.headline.today_usd is None
        assert any("newer infertop" in each for each in view.notices)


async def test_the_demo_is_marked_and_begins_with_a_past(pricing: Path) -> None:
    clock = FakeClock(BEGIN + 1800)
    async with session(setup(pricing, clock, demo=True)) as run:
        await run.load_demo_past()
        view = overview(run.facts())
        assert view.mode == "demo"
        assert view.host == "demo-box"
        assert view.models
        assert view.headline.usual_usd_per_hour is not None
        assert len(view.cost_history.times) > 50

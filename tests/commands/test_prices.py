"""A price is set while infertop runs, or between two runs: what had none, or a default one, costs it from the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infertop.commands.session import Session
from infertop.commands.setup import Setup
from infertop.readings.model import Batch
from tests.commands.runs import Meters, session, setup
from tests.fakes import START, FakeClock
from tests.history.world import ledger
from tests.money.tape import H100, VLLM, Gpu, engine, host, nvml

BEGIN = START // 60 * 60
UNPRICED = "NVIDIA Nothing 9000"
PRICES = f"""
[gpu."H100"]
usd_per_hour = 3.33
[gpu."{UNPRICED}"]
purchase_usd = 10000
lifetime_years = 3
[energy]
usd_per_kwh = 0.31
pue = 1.2
[host]
usd_per_hour = 0.41
"""
SOURCE = '[[source]]\nkind = "vllm"\nname = "{}"\nurl = "{}"\n'
ENGINE = SOURCE.format(VLLM, "http://127.0.0.1:8000")


def gpus(ts: float) -> Batch:
    held = {VLLM: (70e9, 0.3)}
    return nvml(ts, Gpu("GPU-0", 0.4, held, watts=300.0), Gpu("GPU-1", 0.123, name=UNPRICED, watts=217.0))


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    made = Meters(monkeypatch)
    made.says["nvml"] = gpus
    made.says["host"] = host
    made.says[VLLM] = lambda ts: engine(ts, output_tokens=ts - BEGIN + 1000, requests=(ts - BEGIN) // 2, started=1.0)
    return made


async def poll(run: Session, clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.jump(1)
        await run.polling.poll_once_all(1)
        if int(clock.now()) % 20 == 0:
            await run.tick()
            assert run.recorder is not None
            assert run.recorder.flush()


def lines(path: Path) -> list[tuple[Any, ...]]:
    """Every line of the ledger; the last minute may be open still."""
    return [row[:-1] for row in ledger(path)]


def made(tmp_path: Path, name: str, clock: FakeClock, text: str) -> tuple[Setup, Path, Path]:
    pricing, database = tmp_path / name / "pricing.toml", tmp_path / name / "infertop.db"
    pricing.parent.mkdir()
    pricing.write_text(text)
    return setup(pricing, clock, database), pricing, database


async def recorded_under(tmp_path: Path, text: str, *runs: int) -> list[tuple[Any, ...]]:
    """The ledger of a recording that had these prices from the start."""
    clock = FakeClock(BEGIN)
    given, _, database = made(tmp_path, "from the start", clock, text)
    for seconds in runs:
        async with session(given, memory=False) as run:
            await poll(run, clock, seconds)
    return lines(database)


async def test_an_edit_fills_the_ledger_as_if_the_price_had_always_been_there(tmp_path: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    given, pricing, database = made(tmp_path, "edited", clock, ENGINE)
    async with session(given, memory=False) as run:
        await poll(run, clock, 150)
        before = run.summary.today_usd_nano
        pricing.write_text(PRICES + ENGINE)
        await run.tick()
        assert run.recorder is not None
        assert run.recorder.flush()
        assert run.summary.today_usd_nano != before
        await poll(run, clock, 50)
        total = run.summary.today_usd_nano
    assert lines(database) == await recorded_under(tmp_path, PRICES + ENGINE, 200)
    assert total is not None
    assert {row[5] for row in lines(database) if row[8]} >= {"gpu_busy", "gpu_idle", "gpu_energy", "host"}


async def test_an_edit_between_two_runs_does_too(tmp_path: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    given, pricing, database = made(tmp_path, "edited", clock, ENGINE)
    async with session(given, memory=False) as run:
        await poll(run, clock, 100)
    pricing.write_text(PRICES + ENGINE)
    async with session(setup(pricing, clock, database), memory=False) as run:
        await poll(run, clock, 100)
    assert lines(database) == await recorded_under(tmp_path, PRICES + ENGINE, 100, 100)


async def test_a_price_of_a_person_stays_with_what_it_priced(tmp_path: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    given, pricing, database = made(tmp_path, "edited", clock, PRICES + ENGINE)
    async with session(given, memory=False) as run:
        await poll(run, clock, 150)
        assert run.recorder is not None
        assert run.recorder.flush()
        before = lines(database)
        pricing.write_text(PRICES.replace("3.33", "9.99").replace("0.41", "7") + ENGINE)
        await run.tick()
        assert run.recorder.flush()
        assert lines(database) == before
        await poll(run, clock, 90)
    after = lines(database)
    assert [row for row in after if row[0] < BEGIN + 120] == [row for row in before if row[0] < BEGIN + 120]
    h100 = [row for row in after if row[0] == BEGIN + 180 and row[5] == "gpu_idle" and "GPU-0" in row[6]]
    assert [(row[7], row[8]) for row in h100] == [(36_000, 99_900_000)]


async def test_a_gpu_that_went_away_is_priced_too(tmp_path: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    given, pricing, database = made(tmp_path, "edited", clock, ENGINE)
    async with session(given, memory=False) as run:
        await poll(run, clock, 70)
    meters.says["nvml"] = lambda ts: nvml(ts, Gpu("GPU-0", 0.4, name=H100))
    async with session(setup(pricing, clock, database), memory=False) as run:
        await poll(run, clock, 5)
        pricing.write_text(PRICES)
        await run.tick()
    time = [row for row in lines(database) if "GPU-1" in row[6] and row[5] in ("gpu_busy", "gpu_idle")]
    assert time
    assert all(row[8] is not None for row in time)


async def test_another_server_under_a_sources_name_begins_at_what_it_says_first(tmp_path: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    given, pricing, database = made(tmp_path, "edited", clock, SOURCE.format("a", "http://10.0.0.1:8000"))
    meters.says["a"] = lambda ts: engine(ts, source="a", output_tokens=1000 + ts - BEGIN, started=1.0)
    async with session(given, memory=False) as run:
        await poll(run, clock, 20)
        pricing.write_text(SOURCE.format("a", "http://10.0.0.2:8000"))
        meters.says["a"] = lambda ts: engine(ts, source="a", output_tokens=70_000 + ts - BEGIN, started=2.0)
        await run.tick()
        await poll(run, clock, 20)
    output = sum(row[7] for row in lines(database) if row[5] == "output")
    assert output == 19 + 19

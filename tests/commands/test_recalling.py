"""The time before it was recorded: read back once, minute by minute, whatever ends in between."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from infertop.commands import recall_parts, roster
from infertop.commands.hub import Hub
from infertop.commands.session import Session
from infertop.engine.clock import Clock
from infertop.engine.collector import Collector, SourceConfig, Unavailable
from infertop.history.recalls import Span
from infertop.readings.model import Batch, Member, Series
from tests.commands.runs import setup
from tests.fakes import START, FakeClock, ScriptedCollector, batch_of

PROM = "http://10.9.9.9:9090"
HOUR, DAY = 3600.0, 86400.0
BEGUN = math.ceil((START - 3 * DAY) / 60) * 60.0  # of the grid
OUTPUT = Series.of("output_tokens", model="m")
PROMPT = Series.of("input_tokens", model="m")
PRICING = f"""
[[source]]
name = "prom"
kind = "prometheus"
url = "{PROM}"
"""


class Tsdb:
    """A Prometheus with targets that count ten tokens a second since `began`, scraped every 15 s."""

    kind = "prometheus"

    def __init__(self) -> None:
        self.targets = {"vllm@a:8000": (START - 3 * DAY, math.inf)}
        self.refuses = 0.0  # longer questions than this are refused
        self.asked: list[tuple[float, float, int]] = []
        self.last: dict[str, float] = {}
        self.config = SourceConfig("prometheus", "prom", PROM, interval_seconds=15.0)

    def tokens(self, name: str, ts: float) -> float:
        return 10.0 * (ts - self.targets[name][0])

    def at(self, name: str, ts: float, scraped: float) -> Batch:
        began = self.targets[name][0]
        return batch_of(name, {OUTPUT: self.tokens(name, scraped), PROMPT: 0.0}, ts, began)

    async def collect(self, ts: float) -> Batch:
        members = []
        for name, (_, gone) in self.targets.items():
            scraped = ts // 15 * 15
            if scraped < gone and ts - scraped < 60:
                batches = (self.at(name, scraped, scraped),) if scraped > self.last.get(name, 0.0) else ()
                self.last[name] = scraped
                members.append(Member(name, "vllm", f"http://{name[5:]}", 15.0, batches))
        return Batch("prom", ts, (), (), members=tuple(members))

    async def recall(self, since: float, until: float, step: int) -> tuple[Member, ...]:
        self.asked.append((since, until, step))
        if self.refuses and until - since > self.refuses:
            raise Unavailable("the query time range exceeds the limit")
        assert since % step == 0
        grid = [since + step * at for at in range(int((until - since) // step) + 1)]
        members = []
        for name, (began, gone) in self.targets.items():
            batches = tuple(
                self.at(name, ts, ts // 15 * 15) for ts in grid if began <= ts // 15 * 15 and ts < gone + 300
            )
            members.append(Member(name, "vllm", "", float(step), batches))
        return tuple(members)

    async def close(self) -> None:
        self.last.clear()


@pytest.fixture
def tsdb(monkeypatch: pytest.MonkeyPatch) -> Tsdb:
    made = Tsdb()

    def make(config: SourceConfig, _clock: Clock) -> Collector:
        if config.kind == "prometheus":
            return made
        other = ScriptedCollector(config.name, [Unavailable("not here")], kind=config.kind, url=config.url)
        other.config = config
        return other

    monkeypatch.setattr(roster, "collector", make)
    return made


@asynccontextmanager
async def running(tmp_path: Path, clock: FakeClock, *, recalls: bool = True) -> AsyncIterator[Session]:
    pricing = tmp_path / "pricing.toml"
    if not pricing.exists():
        pricing.write_text(PRICING)
    session = await Session.open(setup(pricing, clock))
    assert session.recalling is not None
    task = asyncio.create_task(session.recall())
    await asyncio.sleep(0)
    if not recalls:
        task.cancel()
    try:
        yield session
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await session.close()


async def poll(session: Session, *, wait: bool = True) -> None:
    await session.polling.poll_once_all(1)
    assert session.recalling is not None
    if wait:
        await session.recalling.wait(20)


def lines(tmp_path: Path, database: str = "infertop.db") -> list[tuple[int, int, int, str, str]]:
    with closing(sqlite3.connect(tmp_path / database)) as connection:
        return connection.execute(
            """SELECT start, until, quantity, flags, source FROM lines JOIN accounts ON accounts.id = account
            WHERE resource = 'output' AND quantity > 0 ORDER BY start"""
        ).fetchall()


def booked(tmp_path: Path, source: str = "vllm@a:8000", database: str = "infertop.db") -> int:
    return sum(quantity for _, _, quantity, _, who in lines(tmp_path, database) if who == source)


async def test_at_the_first_start_the_past_is_there_minute_by_minute(tmp_path: Path, tsdb: Tsdb) -> None:
    clock = FakeClock(START + 7)
    async with running(tmp_path, clock) as session:
        await poll(session)
    rows = lines(tmp_path)
    assert {until - start for start, until, *_ in rows} == {60}
    assert {flags for *_, flags, _ in rows} == {"recalled"}
    whole = [quantity for start, _, quantity, *_ in rows if BEGUN + 60 <= start < START - 60]
    assert set(whole) == {600}
    assert len(whole) > 2 * 1440
    assert booked(tmp_path) == 10 * ((START + 7) // 15 * 15 - BEGUN)


async def test_it_is_read_back_once_however_often_infertop_starts(tmp_path: Path, tsdb: Tsdb) -> None:
    first = 0
    for at in range(3):
        async with running(tmp_path, FakeClock(START + 7 + 15 * at)) as session:
            await poll(session)
        first = first or len(tsdb.asked)
    assert booked(tmp_path) == 10 * ((START + 37) // 15 * 15 - BEGUN)
    assert len(tsdb.asked) == first


async def test_a_night_off_is_filled_and_is_no_gap(tmp_path: Path, tsdb: Tsdb) -> None:
    async with running(tmp_path, FakeClock(START + 7)) as session:
        await poll(session)
    before, first = booked(tmp_path), (START + 7) // 15 * 15
    async with running(tmp_path, FakeClock(START + 9 * HOUR)) as session:
        await poll(session)
    last = (START + 9 * HOUR) // 15 * 15
    assert booked(tmp_path) - before == 10 * (last - first)
    assert {(until - start, flags) for start, until, _, flags, _ in lines(tmp_path)} == {(60, "recalled")}


@pytest.mark.parametrize("waits", [False, True])
async def test_what_ends_without_a_word_counts_nothing_twice_and_loses_nothing(
    tmp_path: Path, tsdb: Tsdb, waits: bool
) -> None:
    async with running(tmp_path, FakeClock(START + 7)) as session:
        await poll(session)
    before, first = booked(tmp_path), (START + 7) // 15 * 15
    async with running(tmp_path, FakeClock(START + 5 * HOUR), recalls=False) as session:
        session.recalling.enabled = True  # type: ignore[union-attr]
        await poll(session, wait=False)
        if waits:
            clock = session.clock
            assert isinstance(clock, FakeClock)
            clock.jump(15)
            await poll(session, wait=False)
        await asyncio.to_thread(session.recorder.flush)  # type: ignore[union-attr]
        crashed = tmp_path / "crashed"
        crashed.mkdir()
        with (
            closing(sqlite3.connect(tmp_path / "infertop.db")) as one,
            closing(sqlite3.connect(crashed / "infertop.db")) as other,
        ):
            one.backup(other)
    (crashed / "pricing.toml").write_text(PRICING)
    tsdb.last.clear()
    async with running(crashed, FakeClock(START + 6 * HOUR)) as session:
        await poll(session)
    last = (START + 6 * HOUR) // 15 * 15
    assert booked(crashed) - before == 10 * (last - first)
    assert "gap" not in {flags for *_, flags, _ in lines(crashed)}


async def test_a_backend_that_limits_the_range_is_asked_for_less_at_once(tmp_path: Path, tsdb: Tsdb) -> None:
    tsdb.refuses = 6 * HOUR
    async with running(tmp_path, FakeClock(START + 7)) as session:
        await poll(session)
        assert session.recalling is not None
        assert session.recalling.notice == ""
    assert booked(tmp_path) == 10 * ((START + 7) // 15 * 15 - BEGUN)


async def test_a_backend_without_a_past_says_so_and_is_asked_again_at_the_next_start(
    tmp_path: Path, tsdb: Tsdb
) -> None:
    tsdb.refuses = 1.0
    async with running(tmp_path, FakeClock(START + 7)) as session:
        await poll(session)
        assert any("what was before is not read back: the query time range" in each for each in session.notices)
    assert booked(tmp_path) == 0
    tsdb.refuses = 0.0
    async with running(tmp_path, FakeClock(START + 22)) as session:
        await poll(session)
        assert session.notices == ()
    assert booked(tmp_path) == 10 * ((START + 22) // 15 * 15 - BEGUN)


async def test_targets_that_are_there_no_more_are_in_the_past_too(tmp_path: Path, tsdb: Tsdb) -> None:
    tsdb.targets["vllm@gone:8000"] = (START - 2 * DAY, START - DAY)
    async with running(tmp_path, FakeClock(START + 7)) as session:
        await poll(session)
    assert booked(tmp_path, "vllm@gone:8000") == pytest.approx(10 * DAY, abs=10 * 400)


async def test_what_is_not_to_be_read_back_is_a_gap_as_ever(tmp_path: Path, tsdb: Tsdb) -> None:
    for at in (0.0, 5 * HOUR):
        async with running(tmp_path, FakeClock(START + 7 + at), recalls=False) as session:
            session.recalling.enabled = False  # type: ignore[union-attr]
            await poll(session, wait=False)
    assert [flags for *_, flags, _ in lines(tmp_path)] == ["gap"]
    assert tsdb.asked == []


def test_parts_cover_a_span_once_and_meet_on_the_grid() -> None:
    parts = recall_parts.cut(1000.5, 700_000.25, 60, 4)
    assert (parts[0].since, parts[-1].until) == (1000.5, 700_000.25)
    assert all(one.until == other.since and one.until % 60 == 0 for one, other in pairwise(parts))
    halves = recall_parts.halves(parts[1])
    assert [halves[0].since, halves[0].until, halves[1].until] == [parts[1].since, halves[1].since, parts[1].until]


def test_a_larger_fleet_is_read_back_in_larger_steps() -> None:
    assert [recall_parts.step_of([Span("a", 0, 7 * DAY)] * count) for count in (5, 40, 500)] == [60, 300, 3600]


async def test_nothing_is_read_back_before_all_polls_at_which_it_ends_are_recorded(
    tmp_path: Path, tsdb: Tsdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"vllm@{at}:8000" for at in range(40)]
    tsdb.targets = dict.fromkeys(names, (START - 3 * DAY, math.inf))
    applied = Hub.apply

    def slowly(hub: Hub, batch: Batch) -> None:
        applied(hub, batch)
        if hub.recorder is not None and batch.source == names[1]:
            time.sleep(0.2)  # the others are not handed over yet

    monkeypatch.setattr(Hub, "apply", slowly)
    async with running(tmp_path, FakeClock(START + 52)) as session:
        await poll(session)
    ends = {name: max(until for _, until, *_, who in lines(tmp_path) if who == name) for name in names}
    assert set(ends.values()) == {((START + 52) // 60 + 1) * 60}
    assert len({booked(tmp_path, name) for name in names}) == 1

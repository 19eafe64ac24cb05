"""Sources that are read through another one: each is shown and counted as itself, and never twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.commands.hub import Hub
from infertop.commands.roster import Roster
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.readings.model import Batch, Member, Series
from tests.commands.runs import Meters
from tests.fakes import START, FakeClock, batch_of

PROM = SourceConfig("prometheus", "prom", "http://10.9.9.9:9090", interval_seconds=15.0)
VLLM = Member("vllm@10.0.0.1:8000", "vllm", "http://10.0.0.1:8000", 15.0, labels={"namespace": "ml", "pod": "llama-0"})
DCGM = Member("dcgm@10.0.0.1:9400", "dcgm", "http://10.0.0.1:9400", 30.0)
OUTPUT = Series.of("output_tokens", model="m")


class World:
    def __init__(self, meters: Meters, own_names: frozenset[str] = frozenset()) -> None:
        self.clock = FakeClock()
        self.state = State()
        self.meters = meters
        self.changes = 0
        self.roster = Roster(self.clock, Hub(self.state), own_names)
        self.roster.listener = self

    def sources_changed(self) -> None:
        self.changes += 1

    def source_forgotten(self, name: str) -> None:
        raise AssertionError(name)

    def say(self, *members: Member) -> None:
        self.meters.says["prom"] = lambda ts: Batch("prom", ts, (), (), members=members)

    async def poll(self) -> None:
        await self.roster.polling.poll_once_all(1)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(Meters(monkeypatch))


def engine(member: Member, tokens: float, ts: float) -> Member:
    return replace(member, batches=(batch_of(member.name, {OUTPUT: tokens}, ts),))


def gpus(member: Member, *gpus: str, ts: float = START, used: float = 2.0**34, **labels: str) -> Member:
    values: dict[Series, float | object] = {}
    for gpu in gpus:
        values[Series.of("gpu_info", gpu=gpu, name="NVIDIA H100", **labels)] = 1.0
        values[Series.of("gpu_utilization", gpu=gpu)] = 0.5
        values[Series.of("gpu_memory_used_bytes", gpu=gpu)] = used
    return replace(member, batches=(batch_of(member.name, values, ts),))  # type: ignore[arg-type]


def placed(world: World, source: str) -> set[tuple[str | None, str | None]]:
    newest = world.state.sources()[source].newest
    assert newest is not None
    return {(each.label("gpu"), each.label("holder")) for each in newest.series if each.metric == "placement_processes"}


async def test_a_member_is_a_source_with_its_own_kind_age_and_interval(world: World) -> None:
    await world.roster.follow([PROM])
    world.say(engine(VLLM, 5, START - 4))
    await world.poll()
    healths = {each.source: each for each in world.state.healths()}
    health = healths[VLLM.name]
    assert (health.kind, health.state, health.good_ts) == ("vllm", SourceState.UP, START - 4)
    assert (health.address, health.interval_seconds) == ("http://10.0.0.1:8000", 15.0)
    assert world.roster.gap_seconds(VLLM.name) == 75.0
    assert set(world.roster.every()) == {"prom", VLLM.name}


async def test_a_target_that_was_not_scraped_ages_and_then_is_stale_with_its_totals(world: World) -> None:
    await world.roster.follow([PROM])
    world.say(engine(VLLM, 5, START - 4))
    await world.poll()
    world.say(engine(VLLM, 9, START + 11))
    world.clock.jump(15)
    await world.poll()
    world.say(replace(VLLM, batches=()))
    for _ in range(6):
        world.clock.jump(15)
        await world.poll()
    (health,) = (each for each in world.state.healths() if each.source == VLLM.name)
    assert (health.state, health.good_ts) == (SourceState.STALE, START + 11)
    assert next(each for each in world.state.healths() if each.source == "prom").state is SourceState.UP
    (track,) = world.state.tracks(VLLM.name, "output_tokens")
    assert track.total == 4  # type: ignore[attr-defined]


async def test_while_the_backend_is_down_its_targets_grow_stale(world: World) -> None:
    await world.roster.follow([PROM])
    world.say(engine(VLLM, 5, START - 4))
    await world.poll()
    world.meters.says["prom"] = Unavailable("connection refused")
    world.clock.jump(100)
    await world.poll()
    states = {each.source: each.state for each in world.state.healths()}
    assert states == {"prom": SourceState.DOWN, VLLM.name: SourceState.STALE}


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://10.0.0.1:8000/v1", frozenset()),
        ("http://localhost:8000", frozenset({"10.0.0.1"})),
    ],
)
async def test_a_target_that_is_read_directly_is_left_out(
    monkeypatch: pytest.MonkeyPatch, url: str, own: frozenset[str]
) -> None:
    world = World(Meters(monkeypatch), own)
    await world.roster.follow([PROM, SourceConfig("vllm", "mine", url)])
    world.say(engine(VLLM, 5, START - 4), engine(replace(VLLM, name="b", url="http://10.0.0.2:8000"), 5, START - 4))
    await world.poll()
    assert set(world.state.sources()) == {"prom", "mine", "b"}
    (health,) = (each for each in world.state.healths() if each.source == "prom")
    assert "1 is left out here, being read directly: mine" in health.detail


async def test_what_only_passes_on_and_what_is_not_to_count_counts_in_no_total(world: World) -> None:
    front = replace(VLLM, name="front", url="http://10.0.0.3:8000", kind="dynamo-frontend", counts=False)
    await world.roster.follow([PROM])
    world.say(engine(VLLM, 5, START), engine(front, 5, START))
    await world.poll()
    every = world.roster.every()
    assert (every[VLLM.name].counts, every["front"].counts) == (None, False)
    await world.roster.follow([replace(PROM, counts=False)])
    await world.poll()
    every = world.roster.every()
    assert (every[VLLM.name].counts, every["front"].counts) == (False, False)


async def test_targets_that_come_are_news_and_readings_are_none(world: World) -> None:
    await world.roster.follow([PROM])
    world.say(engine(VLLM, 5, START))
    await world.poll()
    before = world.changes
    world.clock.jump(15)
    world.say(engine(replace(VLLM, interval_seconds=20.0), 6, START + 15))
    await world.poll()
    assert world.changes == before
    world.say(engine(VLLM, 6, START + 15), engine(replace(VLLM, name="new", url=""), 1, START + 15))
    world.clock.jump(15)
    await world.poll()
    assert world.changes == before + 1


async def test_targets_go_with_the_source_that_told_of_them(world: World) -> None:
    await world.roster.follow([PROM])
    world.say(engine(VLLM, 5, START))
    await world.poll()
    await world.roster.follow([])
    assert set(world.state.sources()) == set()
    assert set(world.roster.every()) == set()


async def test_an_engine_holds_the_gpus_that_were_given_to_its_pod(world: World) -> None:
    await world.roster.follow([PROM])
    other = replace(VLLM, name="other", url="http://10.0.0.1:8001", labels={"namespace": "ml", "pod": "llama-1"})
    card = replace(DCGM, name="dcgm2", url="http://10.0.0.2:9400")
    world.say(
        engine(VLLM, 5, START),
        engine(other, 5, START),
        gpus(DCGM, "GPU-aaaaaaaa", "GPU-bbbbbbbb", namespace="ml", pod="llama-0"),
        gpus(card, "GPU-cccccccc", namespace="else", pod="llama-0"),
    )
    await world.poll()
    assert placed(world, DCGM.name) == {("GPU-aaaaaaaa", VLLM.name), ("GPU-bbbbbbbb", VLLM.name)}
    assert placed(world, "dcgm2") == set()


async def test_an_engine_alone_on_its_machine_holds_the_gpus_in_use_there_and_of_two_nothing_is_guessed(
    world: World,
) -> None:
    await world.roster.follow([PROM])
    bare = replace(VLLM, labels={})
    idle = replace(DCGM, name="idle")
    world.say(engine(bare, 5, START), gpus(DCGM, "GPU-aaaaaaaa"), gpus(idle, "GPU-bbbbbbbb", used=1000.0))
    await world.poll()
    assert placed(world, DCGM.name) == {("GPU-aaaaaaaa", VLLM.name)}
    assert placed(world, "idle") == set()
    world.clock.jump(15)
    second = replace(bare, name="second", url="http://10.0.0.1:8001")
    world.say(engine(bare, 5, START + 15), engine(second, 5, START + 15), gpus(DCGM, "GPU-aaaaaaaa", ts=START + 15))
    await world.poll()
    assert placed(world, DCGM.name) == set()


async def test_readings_of_minutes_that_are_over_are_left_to_the_reading_back(world: World) -> None:
    await world.roster.follow([PROM])
    world.clock.jump(39)  # the minute before last ended 59 s ago
    told = [START - 300 + 15 * at for at in range(23)]
    world.say(replace(VLLM, batches=tuple(batch_of(VLLM.name, {OUTPUT: ts}, ts) for ts in told)))
    taken: list[float] = []
    world.roster.members_said = lambda batch: taken.extend(each.ts for each in batch.members[0].batches)
    await world.poll()
    assert taken == [START - 15, START, START + 15, START + 30]
    taken.clear()
    world.say(replace(VLLM, batches=tuple(batch_of(VLLM.name, {OUTPUT: ts}, ts) for ts in (START - 90, START - 30))))
    await world.poll()
    assert taken == [START - 90, START - 30]


async def test_where_labels_tell_nothing_the_source_says_who_holds_which_gpu(world: World) -> None:
    said = (f"{VLLM.name}=GPU-aaaaaaaa", "other=GPU-bbbbbbbb")
    await world.roster.follow([replace(PROM, gpus=said)])
    bare = replace(VLLM, labels={})
    other = replace(bare, name="other", url="http://10.0.0.1:8001")
    world.say(engine(bare, 5, START), engine(other, 5, START), gpus(DCGM, "GPU-aaaaaaaa", "GPU-bbbbbbbb"))
    await world.poll()
    assert placed(world, DCGM.name) == {("GPU-aaaaaaaa", VLLM.name), ("GPU-bbbbbbbb", "other")}


async def test_a_gpu_that_is_read_directly_is_read_once(world: World) -> None:
    await world.roster.follow([SourceConfig("nvml", "nvml"), PROM])
    world.meters.says["nvml"] = lambda ts: gpus(replace(DCGM, name="nvml"), "GPU-aaaaaaaa", ts=ts).batches[0]
    world.say(gpus(DCGM, "GPU-aaaaaaaa", "GPU-bbbbbbbb"))
    await world.poll()
    world.clock.jump(1)
    world.say(gpus(DCGM, "GPU-aaaaaaaa", "GPU-bbbbbbbb", ts=START + 1))
    await world.poll()
    newest = world.state.sources()[DCGM.name].newest
    assert newest is not None
    assert {each.label("gpu") for each in newest.series} == {"GPU-bbbbbbbb"}
    (health,) = (each for each in world.state.healths() if each.source == DCGM.name)
    assert "1 GPU is left out here, being read by nvml" in health.detail

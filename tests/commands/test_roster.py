"""Sources come, go, move and change while infertop runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.commands.hub import Hub
from infertop.commands.roster import Roster
from infertop.commands.sources import as_its_kind
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.readings.model import Series
from tests.commands.runs import Meters
from tests.fakes import FakeClock, batch_of

A = SourceConfig("vllm", "a", "http://10.0.0.1:8000")
B = SourceConfig("vllm", "b", "http://127.0.0.1:8000", counts=False)
FOUND = SourceConfig("vllm", "vllm@127.0.0.1:8000", "http://127.0.0.1:8000")


class World:
    """A roster with what it called back."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.state = State()
        self.changes = 0
        self.forgotten: list[str] = []
        self.roster = Roster(self.clock, Hub(self.state), frozenset({"10.0.0.1"}))
        self.roster.listener = self

    def sources_changed(self) -> None:
        self.changes += 1

    def source_forgotten(self, name: str) -> None:
        self.forgotten.append(name)


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    return Meters(monkeypatch)


@pytest.fixture
def world() -> World:
    return World()


async def test_what_is_configured_is_read_and_what_is_not_any_more_is_not(world: World, meters: Meters) -> None:
    roster = world.roster
    await roster.follow([A, B])
    await roster.polling.poll_once_all(1)
    assert roster.polling.names == ("a", "b")
    assert [each.source for each in world.state.healths()] == ["a", "b"]
    changes = world.changes
    await roster.follow([B])
    assert roster.polling.names == ("b",)
    assert meters.made["a"][0].closed
    assert not meters.made["b"][0].closed
    assert [each.source for each in world.state.healths()] == ["b"]
    assert world.changes > changes
    assert world.forgotten == []


async def test_a_source_whose_url_changed_is_another_one(world: World, meters: Meters) -> None:
    await world.roster.follow([A, B])
    await world.roster.polling.poll_once_all(1)
    await world.roster.follow([replace(A, url="http://10.0.0.2:8000"), B])
    await world.roster.polling.poll_once_all(1)
    assert [each.config.url for each in meters.made["a"]] == ["http://10.0.0.1:8000", "http://10.0.0.2:8000"]
    assert meters.made["a"][0].closed
    assert len(meters.made["b"]) == 1
    assert world.forgotten == ["a"]


async def test_a_source_whose_options_changed_is_made_anew_and_goes_on(world: World, meters: Meters) -> None:
    await world.roster.follow([A])
    await world.roster.polling.poll_once_all(1)
    await world.roster.follow([replace(A, options={"model": "x"})])
    await world.roster.polling.poll_once_all(1)
    assert [each.config.options for each in meters.made["a"]] == [{}, {"model": "x"}]
    assert world.forgotten == []


async def test_another_interval_alone_makes_nothing_anew(world: World, meters: Meters) -> None:
    await world.roster.follow([A])
    await world.roster.polling.poll_once_all(1)
    await world.roster.follow([replace(A, interval_seconds=9.0)])
    await world.roster.polling.poll_once_all(1)
    assert len(meters.made["a"]) == 1
    assert world.state.healths()[0].interval_seconds == 9.0
    assert world.roster.gap_seconds("a") == 45.0
    assert world.roster.gap_seconds("unknown") == 15.0


async def test_the_persons_interval_leaves_alone_what_has_its_own(world: World, meters: Meters) -> None:
    await world.roster.follow([A, replace(B, interval_seconds=30.0)])
    world.roster.pace({"b": 30.0}, 5.0)
    assert {name: each.interval_seconds for name, each in world.roster.configs.items()} == {"a": 5.0, "b": 30.0}
    assert world.roster.interval == 5.0


async def test_what_was_found_stays_until_it_is_configured_under_another_name(world: World, meters: Meters) -> None:
    roster = world.roster
    await roster.follow([A])
    await roster.add_found(FOUND, 7)
    await roster.follow([A])
    assert roster.polling.names == ("a", FOUND.name)
    assert roster.pids == {FOUND.name: (7,)}
    await roster.follow([A, B])
    assert roster.polling.names == ("a", "b")
    assert roster.pids == {}
    await roster.add_found(FOUND, 7)
    assert roster.polling.names == ("a", "b")


async def test_what_was_found_and_moved_is_the_same_source(world: World, meters: Meters) -> None:
    roster = world.roster
    await roster.add_found(FOUND, 7)
    await roster.polling.poll_once_all(1)
    await roster.move_found(FOUND.name, "http://127.0.0.1:9000", 8)
    await roster.polling.poll_once_all(1)
    assert [each.config.url for each in meters.made[FOUND.name]] == [FOUND.url, "http://127.0.0.1:9000"]
    assert roster.pids == {FOUND.name: (8,)}
    assert world.forgotten == []
    await roster.move_found(FOUND.name, "http://127.0.0.1:9000", 8)
    await roster.polling.poll_once_all(1)
    assert len(meters.made[FOUND.name]) == 2


async def test_engines_on_this_machine_are_told_from_others(world: World, meters: Meters) -> None:
    far = SourceConfig("vllm", "far", "http://10.0.0.2:8000")
    await world.roster.follow([A, B, far, SourceConfig("host", "host")])
    assert world.roster.local() == {"a", "b"}


async def test_a_collector_that_cannot_be_made_says_why_until_it_can(
    world: World, meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, missing = meters._make, [True]

    def fails(config: SourceConfig, clock: FakeClock) -> object:
        if missing:
            raise Unavailable("the key is missing", state=SourceState.AUTH)
        return make(config, clock)

    monkeypatch.setattr("infertop.commands.roster.collector", fails)
    meters.says["a"] = batch_of("a", {Series.of("running", model="m"): 1.0})
    await world.roster.follow([A, B])
    await world.roster.polling.poll_once_all(1)
    (health, _) = world.state.healths()
    assert (health.state, health.detail) == (SourceState.AUTH, "the key is missing")
    missing.clear()
    world.clock.jump(1)
    await world.roster.polling.poll_once_all(1)
    (health, _) = world.state.healths()
    assert (health.state, health.detail) == (SourceState.UP, "")
    assert world.state.tracks("a", "running")
    await world.roster.follow([])
    assert meters.made["a"][0].closed


NVML, DCGM = SourceConfig("nvml", "nvml"), SourceConfig("dcgm", "dcgm", "http://127.0.0.1:9400", 30.0)
OTHER = replace(DCGM, name="other", url="http://10.0.0.9:9400")


def gpus(name: str, *uuids: str, **parents: str):
    """What a meter of GPUs says that reads these; `parents` maps MIG instances to their GPUs."""
    rows = {Series.of("gpu_info", gpu=each, name="H100", index="0"): 1.0 for each in uuids}
    rows |= {Series.of("gpu_info", gpu=part, name="H100", index="0:1", parent=of): 1.0 for part, of in parents.items()}
    rows |= {Series.of("gpu_power_watts", gpu=each): 300.0 for each in uuids}
    return lambda ts: batch_of(name, rows, ts)


def read_by(world: World) -> dict[str, set[str]]:
    newest = {name: source.newest for name, source in world.state.sources().items()}
    return {name: {s.label("gpu") for s in batch.series} for name, batch in newest.items() if batch is not None}


async def test_a_gpu_that_this_machine_reads_itself_is_left_out_of_what_an_exporter_says(
    world: World, meters: Meters
) -> None:
    meters.says["nvml"], meters.says["dcgm"] = gpus("nvml", "GPU-a"), gpus("dcgm", "GPU-a", "GPU-b", MIG="GPU-a")
    await world.roster.follow([DCGM, NVML])
    await world.roster.polling.poll_once_all(1, ["nvml"])
    world.clock.jump(1)
    await world.roster.polling.poll_once_all(1)
    assert read_by(world) == {"nvml": {"GPU-a"}, "dcgm": {"GPU-b"}}
    (health,) = [each for each in world.state.healths() if each.source == "dcgm"]
    assert health.detail == "2 GPUs are left out here, being read by nvml"


async def test_an_exporter_takes_over_only_when_the_gpus_own_meter_would_book_no_more(
    world: World, meters: Meters
) -> None:
    meters.says["nvml"], meters.says["dcgm"] = gpus("nvml", "GPU-a"), gpus("dcgm", "GPU-a")
    await world.roster.follow([NVML, DCGM])
    await world.roster.polling.poll_once_all(1, ["nvml"])
    world.clock.jump(15)
    await world.roster.polling.poll_once_all(1, ["dcgm"])
    assert read_by(world) == {"nvml": {"GPU-a"}, "dcgm": set()}
    world.clock.jump(1)
    await world.roster.polling.poll_once_all(1, ["dcgm"])
    assert read_by(world)["dcgm"] == {"GPU-a"}


async def test_of_two_exporters_with_one_gpu_the_first_has_it(world: World, meters: Meters) -> None:
    meters.says["dcgm"], meters.says["other"] = gpus("dcgm", "GPU-a"), gpus("other", "GPU-a", "GPU-b")
    await world.roster.follow([DCGM, OTHER])
    await world.roster.polling.poll_once_all(1, ["dcgm"])
    for _ in range(2):
        world.clock.jump(1)
        await world.roster.polling.poll_once_all(1)
        assert read_by(world) == {"dcgm": {"GPU-a"}, "other": {"GPU-b"}}


async def test_who_holds_a_far_gpu_is_what_its_source_was_told(world: World, meters: Meters) -> None:
    meters.says["dcgm"] = gpus("dcgm", "GPU-a")
    await world.roster.follow([DCGM, replace(A, gpus=("GPU-a",))])
    await world.roster.polling.poll_once_all(1, ["dcgm"])
    newest = world.state.sources()["dcgm"].newest
    assert newest is not None
    assert Series.of("placement_processes", gpu="GPU-a", holder="a") in newest.series


async def test_who_holds_a_far_gpu_is_also_who_gives_its_gpu_time_there(world: World, meters: Meters) -> None:
    meters.says["dcgm"] = gpus("dcgm", "GPU-a", "GPU-b")
    meters.says["a"] = batch_of("a", {Series.of("compute_seconds_total", model="m", gpu="GPU-b"): 5.0})
    await world.roster.follow([DCGM, A])
    await world.roster.polling.poll_once_all(1, ["a"])
    await world.roster.polling.poll_once_all(1, ["dcgm"])
    newest = world.state.sources()["dcgm"].newest
    assert newest is not None
    held = {(each.label("gpu"), each.label("holder")) for each in newest.series if each.metric == "placement_processes"}
    assert held == {("GPU-b", "a")}


async def test_a_gateway_on_this_machine_carries_no_cost_of_it(world: World, meters: Meters) -> None:
    said = as_its_kind(SourceConfig("litellm", "gateway", "http://127.0.0.1:4000"), own_interval=False)
    await world.roster.follow([A, said])
    assert world.roster.local() == {"a"}


def test_what_is_read_slowly_is_not_read_faster_because_the_rest_is(world: World) -> None:
    world.roster.configs = {"a": A, "dcgm": DCGM}
    world.roster.polling.set_interval = lambda *_: None  # type: ignore[method-assign]
    world.roster.pace({}, 2.0)
    assert {name: each.interval_seconds for name, each in world.roster.configs.items()} == {"a": 2.0, "dcgm": 30.0}
    world.roster.pace({"dcgm": 10.0}, 60.0)
    assert {name: each.interval_seconds for name, each in world.roster.configs.items()} == {"a": 60.0, "dcgm": 10.0}


async def test_amds_gpus_are_held_like_nvidias(world: World, meters: Meters) -> None:
    uuid = "00ff74a1-0000-1000-80e5-a1b2c3d4e5f6"
    meters.says["amd"] = gpus("amd", uuid)
    await world.roster.follow([SourceConfig("amd", "amd"), replace(A, gpus=(uuid,))])
    await world.roster.polling.poll_once_all(1, ["amd"])
    newest = world.state.sources()["amd"].newest
    assert newest is not None
    assert Series.of("placement_processes", gpu=uuid, holder="a") in newest.series

"""What is found on this machine becomes a source; what goes away stays one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from infertop.commands.finding import Finding
from infertop.commands.hub import Hub
from infertop.commands.roster import Roster
from infertop.engine.collector import Health, SourceConfig
from infertop.engine.collector import State as SourceState
from infertop.engine.discovery import Discovered, Found, Searched
from infertop.engine.state import State
from infertop.readings.model import Batch, Series
from tests.commands.runs import Meters
from tests.fakes import FakeClock

NAME = "vllm@127.0.0.1:8000"
FOUND = Found(NAME, "vllm", "http://127.0.0.1:8000", 7, "llama")
SEARCHED = (Searched("engines", "listening ports: 3", True),)


class FakeDiscovery:
    """Finds what the test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.asked: list[tuple[dict[int, tuple[str, ...]], list[str]]] = []
        self.loading = False
        self.closed = False

    async def look(self, processes: dict[int, tuple[str, ...]], configured: list[str]) -> Discovered:
        self.asked.append((processes, configured))
        return Discovered(tuple(self.found), SEARCHED)

    def close(self) -> None:
        self.closed = True


class World:
    def __init__(self) -> None:
        self.state = State()
        self.roster = Roster(FakeClock(), Hub(self.state), frozenset())
        self.finding = Finding(self.roster, self.state)
        self.finding.close()
        self.discovery = FakeDiscovery()
        self.finding._discovery = self.discovery


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    Meters(monkeypatch)
    for name in ("OPENAI_ADMIN_KEY", "ANTHROPIC_ADMIN_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return World()


async def test_what_is_found_is_read_and_stays_when_it_goes_away(world: World) -> None:
    world.roster.interval = 5.0
    world.discovery.found = [FOUND]
    for _ in range(2):
        await world.finding.look()
    assert world.roster.polling.names == (NAME,)
    assert world.roster.configs[NAME] == SourceConfig("vllm", NAME, "http://127.0.0.1:8000", 5.0)
    assert world.roster.pids == {NAME: (7,)}
    world.discovery.found = []
    await world.finding.look()
    assert world.roster.polling.names == (NAME,)


async def test_what_is_configured_is_not_looked_for_and_what_was_found_is(world: World) -> None:
    await world.roster.follow([SourceConfig("vllm", "mine", "http://127.0.0.1:9"), SourceConfig("host", "host")])
    world.discovery.found = [FOUND]
    await world.finding.look()
    await world.finding.look()
    assert [configured for _, configured in world.discovery.asked] == [["http://127.0.0.1:9"]] * 2


async def test_a_server_that_came_back_on_another_port_is_the_same_source(world: World) -> None:
    world.discovery.found = [FOUND]
    await world.finding.look()
    world.discovery.found = [Found(NAME, "vllm", "http://127.0.0.1:8001", 9, "llama")]
    await world.finding.look()
    assert world.roster.configs[NAME].url == "http://127.0.0.1:8001"
    assert world.roster.pids == {NAME: (9,)}


async def test_a_configured_source_of_that_name_is_not_touched(world: World) -> None:
    await world.roster.follow([SourceConfig("vllm", NAME, "http://10.0.0.1:1")])
    world.discovery.found = [FOUND]
    await world.finding.look()
    assert world.roster.configs[NAME].url == "http://10.0.0.1:1"
    assert world.roster.pids == {}


async def test_the_processes_on_the_gpus_are_where_the_search_begins(world: World) -> None:
    series = (
        Series.of("gpu_info", gpu="GPU-0", name="x", index="0"),
        Series.of("gpu_process_info", gpu="GPU-0", pid="42"),
    )
    world.state.apply(Batch("nvml", 1.0, series, (1.0, 1.0)))
    await world.finding.look()
    assert world.discovery.asked == [({42: ("GPU-0",)}, [])]


async def test_the_search_says_what_it_looked_for_with_what_is_known_by_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.finding.searched == ()
    world.state.apply_health(Health("nvml", "nvml", SourceState.ABSENT, detail="no driver"))
    await world.finding.look()
    gpus, amd, engines, agents, keys = world.finding.searched
    assert (gpus.where, gpus.found) == ("NVML", "no driver")
    assert (amd.what, amd.where) == ("GPUs", "amdsmi")
    assert (engines.what, engines.found) == ("engines", "found")
    assert (agents.what, agents.found) == ("agents", "not found")
    assert keys.found == "not set"
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-secret")
    assert "OPENAI_ADMIN_KEY set" in world.finding.searched[-1].found
    assert "sk-secret" not in str(world.finding.searched)


async def test_it_looks_every_ten_seconds_and_at_once_where_a_process_came_to_a_gpu(world: World) -> None:
    clock = FakeClock()
    await clock.settle()
    running = asyncio.create_task(world.finding.run())
    await awaited(lambda: len(world.discovery.asked) == 1)
    await clock.advance(9)
    assert len(world.discovery.asked) == 1
    await clock.advance(1.5)
    await awaited(lambda: len(world.discovery.asked) == 2)
    series = (
        Series.of("gpu_info", gpu="GPU-0", name="x", index="0"),
        Series.of("gpu_process_info", gpu="GPU-0", pid="42"),
    )
    world.state.apply(Batch("nvml", 1.0, series, (1.0, 1.0)))
    await clock.advance(0.5)
    await awaited(lambda: len(world.discovery.asked) == 3)
    assert world.discovery.asked[-1][0] == {42: ("GPU-0",)}
    world.discovery.loading = True
    await clock.advance(10)
    await awaited(lambda: len(world.discovery.asked) == 4)
    await clock.advance(2)
    await awaited(lambda: len(world.discovery.asked) == 5)
    running.cancel()


async def awaited(condition: Callable[[], bool]) -> None:
    """Wait for what a thread is asked meanwhile; the clock stands still."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0)


async def test_a_real_search_ends_with_a_report() -> None:
    state = State()
    finding = Finding(Roster(FakeClock(), Hub(state), frozenset()), state)
    await finding.look()
    finding.close()
    assert [each.what for each in finding.searched][:3] == ["GPUs", "GPUs", "engines"]


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        (False, "no AMD driver (/dev/kfd) on this machine"),
        (True, 'AMD\'s driver is loaded, but amdsmi is not installed: pip install "infertop[amd]"'),
    ],
)
async def test_a_machine_that_cannot_read_amds_gpus_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch, driver: bool, said: str
) -> None:
    monkeypatch.setattr("infertop.commands.finding.amd_driver", lambda: driver)
    await world.finding.look()
    assert [each.found for each in world.finding.searched if each.where == "amdsmi"] == [said]


async def test_amds_gpus_are_searched_beside_nvidias(world: World) -> None:
    series = (
        Series.of("gpu_info", gpu="xxff74a1", name="AMD Instinct MI300X", index="0"),
        Series.of("gpu_process_info", gpu="xxff74a1", pid="42"),
    )
    world.state.apply(Batch("amd", 1.0, series, (1.0, 1.0)))
    world.state.apply_health(Health("amd", "amd", SourceState.UP))
    await world.finding.look()
    assert world.discovery.asked == [({42: ("xxff74a1",)}, [])]
    assert [each.found for each in world.finding.searched if each.where == "amdsmi"] == ["1 GPU"]

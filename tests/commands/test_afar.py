"""Machines that are reached by ssh: their GPUs and engines as sources, over a stand-in for ssh that really leads on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from infertop.commands.hub import Hub
from infertop.commands.roster import Roster
from infertop.commands.sources import WrongUseError, from_option
from infertop.engine.clock import SystemClock
from infertop.engine.collector import Health, SourceConfig
from infertop.engine.collector import State as SourceState
from infertop.engine.ssh_look import own_system
from infertop.engine.state import State
from infertop.readings.model import Batch, Series
from tests import fake_smi
from tests.engine.afar import PAGE, listens, vllm_there
from tests.engine.trees import SERVER, Tree, running, vllm_command
from tests.fake_ssh import FakeSsh

SSH = SourceConfig("ssh", "ssh@gpubox:22", "ssh://gpubox", interval_seconds=0.1)


class World:
    """A roster over the stand-in, polled by hand."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.state = State()
        self.roster = Roster(self.clock, Hub(self.state), frozenset({"127.0.0.1", "localhost"}))
        self.roster.interval = 0.1

    async def poll(self, *names: str) -> None:
        await self.roster.polling.poll_once_all(20, names or None)

    async def until(self, holds: Callable[[], bool], *names: str) -> None:
        async with asyncio.timeout(30):
            while not holds():
                await self.poll(*names)
                await self.roster.afar.looked()

    def newest(self, name: str) -> Batch | None:
        source = self.state.sources().get(name)
        return source.newest if source else None

    def health(self, name: str) -> Health:
        return next(each for each in self.state.healths() if each.source == name)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.roster.polling.close()


@pytest.fixture
def engine(ssh: FakeSsh, tmp_path: Path) -> Iterator[Tree]:
    with vllm_there(ssh, tmp_path) as tree:
        yield tree


def name(engine: Tree) -> str:
    return f"vllm@gpubox:{engine.port}"


async def found(world: World, engine: Tree) -> str:
    """Read the machine until its engine is found and read, and return its name."""
    await world.roster.follow([SSH])
    await world.until(lambda: world.newest(name(engine)) is not None)
    return name(engine)


def holds(world: World, holder: str) -> bool:
    batch = world.newest(SSH.name)
    wanted = Series.of("placement_memory_bytes", gpu="GPU-0a", holder=holder)
    return batch is not None and dict(zip(batch.series, batch.values, strict=True)).get(wanted) == 71000 * 2**20


async def test_an_engine_over_there_is_a_source_named_by_the_port_it_has_there(world: World, engine: Tree) -> None:
    vllm = await found(world, engine)
    assert world.roster.configs[vllm].url == f"http://gpubox:{engine.port}"
    batch = world.newest(vllm)
    assert batch is not None
    assert "output_tokens" in {each.metric for each in batch.series}
    # It costs nothing of this machine, and no process of it is looked for here.
    assert vllm not in world.roster.local()
    assert world.roster.pids[vllm] == ()
    said = {each.what: each.found for each in world.roster.afar.searched}
    assert said == {"engines on gpubox": "found", "vllm on gpubox": "acme/tiny"}


async def test_its_gpus_say_which_engine_over_there_holds_them(world: World, engine: Tree) -> None:
    vllm = await found(world, engine)
    await world.until(lambda: holds(world, vllm), SSH.name)


async def test_a_source_that_was_named_by_that_machines_address_is_not_read_twice(world: World, engine: Tree) -> None:
    mine = SourceConfig("vllm", "mine", f"http://gpubox:{engine.port}")
    await world.roster.follow([SSH, mine])
    await world.until(lambda: holds(world, "mine"), SSH.name)
    assert name(engine) not in world.roster.configs


async def test_a_lost_connection_greys_the_engine_and_it_goes_on_under_its_name(
    world: World, ssh: FakeSsh, engine: Tree
) -> None:
    vllm = await found(world, engine)
    before = world.newest(vllm)
    ssh.refuse("ssh: connect to host gpubox port 22: Connection refused")
    (master,) = ssh.masters()
    os.kill(master, signal.SIGKILL)
    await world.until(lambda: world.health(vllm).state is SourceState.STALE)
    assert world.health(vllm).detail == "the ssh connection to gpubox was lost"
    await world.until(lambda: "refuses ssh" in world.health(SSH.name).detail)
    assert world.newest(vllm) is before
    ssh.refuse("")
    await world.until(lambda: world.newest(vllm) is not before)
    assert world.roster.polling.names == (SSH.name, vllm)


async def test_an_engine_that_comes_back_on_another_port_is_the_same_source(
    world: World, ssh: FakeSsh, engine: Tree, tmp_path: Path
) -> None:
    vllm = await found(world, engine)
    await world.until(lambda: holds(world, vllm), SSH.name)
    before = world.newest(vllm)
    engine.process.kill()
    engine.process.wait()
    with running(vllm_command(tmp_path), PAGE, title="VLLM::EngineCore") as again:
        listens(ssh, "vllm", again)
        fake_smi.tell(ssh.there, (f"GPU-0a, {again.worker}, 71000",))
        await world.until(lambda: world.newest(vllm) is not before and world.health(vllm).state is SourceState.UP)
        assert world.roster.polling.names == (SSH.name, vllm)
        await world.until(lambda: holds(world, vllm), SSH.name)


async def test_a_machine_that_is_reached_by_two_names_has_its_engines_and_gpus_once(
    world: World, ssh: FakeSsh, engine: Tree
) -> None:
    vllm = await found(world, engine)
    other = SourceConfig("ssh", "other", "ssh://10.0.0.5", interval_seconds=0.1)
    await world.roster.follow([SSH, other])
    await world.until(lambda: any("it is the machine that" in each.found for each in world.roster.afar.searched))
    await world.until(lambda: "2 GPUs are left out" in world.health("other").detail)
    assert set(world.roster.polling.names) == {SSH.name, "other", vllm}


async def test_gpus_that_an_exporter_over_there_tells_of_too_are_counted_once(
    world: World, ssh: FakeSsh, engine: Tree, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[1] / "payloads/dcgm/synthetic.txt").read_text()
    uuid = page.partition('UUID="')[2].partition('"')[0]
    ssh.put("nvidia-smi", fake_smi.script(ssh.there, gpus=(fake_smi.GPUS[0].replace("GPU-0a", uuid),)))
    (script := tmp_path / "dcgm-exporter").write_text(SERVER)
    with running([sys.executable, str(script), "--port", "{port}"], page) as exporter:
        listens(ssh, "dcgm-exporter", exporter)
        await world.roster.follow([SSH])
        dcgm = f"dcgm@gpubox:{exporter.port}"
        await world.until(lambda: world.newest(dcgm) is not None)
    batch = world.newest(dcgm)
    assert batch is not None
    assert uuid not in {each.label("gpu") for each in batch.series}


async def test_a_machine_that_lets_no_ports_be_forwarded_says_so(world: World, ssh: FakeSsh, engine: Tree) -> None:
    ssh.prohibit()
    await world.roster.follow([SSH])
    await world.until(lambda: "gpubox lets ssh forward no ports" in world.health(SSH.name).detail)
    assert world.health(SSH.name).state is SourceState.UP
    assert name(engine) not in world.roster.configs


async def test_an_engine_that_ended_is_told_of_by_its_own_port(world: World, engine: Tree) -> None:
    vllm = await found(world, engine)
    engine.process.kill()
    engine.process.wait()
    await world.until(lambda: world.health(vllm).state is not SourceState.UP)
    assert world.health(vllm).detail == f"connection refused at gpubox:{engine.port}: is it running?"


async def test_engines_go_with_their_machine_and_nothing_is_left_running(
    world: World, ssh: FakeSsh, engine: Tree
) -> None:
    await found(world, engine)
    await world.roster.follow([])
    assert world.roster.polling.names == ()
    assert world.roster.afar.names == frozenset()
    assert ssh.masters() == []


async def test_engines_stay_when_pricing_toml_is_read_again(world: World, engine: Tree) -> None:
    vllm = await found(world, engine)
    await world.roster.follow([SSH, SourceConfig("host", "host")])
    assert set(world.roster.polling.names) == {SSH.name, vllm, "host"}


async def test_ports_that_were_no_engines_are_forwarded_no_longer(world: World, ssh: FakeSsh, engine: Tree) -> None:
    with running([sys.executable, "-c", SERVER, "--port", "{port}"]) as other:
        lines = "".join(
            f'LISTEN 0 5 127.0.0.1:{each.port} 0.0.0.0:* users:(("python",pid={each.pid},fd=3))\n'
            for each in (engine, other)
        )
        ssh.put("ss", f"#!/bin/sh\ncat <<'EOF'\n{lines}EOF")
        await found(world, engine)

        def asked(what: str, port: int) -> bool:
            return any(what in call and f":127.0.0.1:{port}" in " ".join(call) for call in ssh.calls)

        await world.until(lambda: asked("forward", other.port) and asked("cancel", other.port))
        assert not asked("cancel", engine.port)


async def test_this_machine_itself_is_not_searched_twice(world: World, engine: Tree) -> None:
    world.roster.finds_here = True
    await world.roster.follow([SSH])
    await world.until(lambda: bool(world.roster.afar.searched))
    (said,) = world.roster.afar.searched
    assert "it is the machine that infertop runs on" in said.found
    assert own_system()
    assert name(engine) not in world.roster.configs


@pytest.mark.parametrize(
    ("option", "kind", "source"),
    [
        ("ssh=ssh://me@gpubox", "ssh", "ssh@gpubox:22"),
        ("box=ssh=ssh://me@gpubox:2222", "ssh", "box"),
    ],
)
def test_the_command_line_names_a_machine(option: str, kind: str, source: str) -> None:
    config = from_option(option)
    assert (config.kind, config.name) == (kind, source)


@pytest.mark.parametrize("option", ["ssh=http://gpubox", "vllm=ssh://gpubox", "ssh=ssh://-v", "ssh=ssh://a:b@c"])
def test_a_url_of_the_other_sort_is_refused(option: str) -> None:
    with pytest.raises(WrongUseError):
        from_option(option)

"""Engines that move, restart, are renamed or shared: one source each, and totals that are right to the last unit."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from infertop.engine.network import Network
from infertop.views.once import reading as as_reading
from infertop.views.overview import overview
from tests.commands.machine_room import BEGIN, Count, Room, Run, quantities, running
from tests.fakes import FakeClock
from tests.recordings import PAYLOADS

PRICING = """
[gpu."H100"]
usd_per_hour = 3.60
"""
NANO_PER_GPU_SECOND = 1_000_000
ONE = Count(prompt=100, cached=30, output=40, requests=1)
TWO = Count(prompt=10, cached=0, output=70, requests=2)
GB = 10**9


FIRST, SECOND = "vllm@127.0.0.1:8001", "vllm@127.0.0.1:8002"
Start = Callable[[], AbstractAsyncContextManager[Run]]


@pytest.fixture
def room() -> Room:
    return Room(FakeClock(BEGIN))


@pytest.fixture
def start(room: Room, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    return lambda: running(monkeypatch, tmp_path, PRICING, room, ["GPU-0"])


def once(run: Run) -> dict[str, Any]:
    """Return what `infertop --once --json` would say now."""
    return as_reading(overview(run.session.facts()))


async def begun(run: Run) -> None:
    """Let infertop read the GPUs and find what runs: what it sees first is a baseline."""
    await run.session.polling.poll_once_all(1)
    await run.look()


def tokens(run: Run, source: str, model: str) -> dict[str, int]:
    """Return what the ledger has of a model, without the GPUs' time."""
    found = run.ledger()[source, model]
    return {name: number for name, number in found.items() if not name.startswith("gpu_")}


async def test_an_engine_that_moves_to_another_port_goes_on_as_the_same_source(room: Room, start: Start) -> None:
    room.start(10, 8001, "acme/one", ONE, gpus={"GPU-0": 60 * GB})
    async with start() as run:
        await begun(run)
        await run.poll(60)
        room.stop(10)
        await run.poll(10)
        room.start(20, 8005, "acme/one", ONE, gpus={"GPU-0": 60 * GB})
        await run.poll(10)
        await run.poll(50)
        assert run.session.roster.configs[FIRST].url == "http://127.0.0.1:8005"
        reading = once(run)
    assert {source for source, _ in run.ledger()} == {FIRST, "nvml"}
    # Ten seconds went by until it was found again: they count, as its process began while infertop watched.
    assert tokens(run, FIRST, "acme/one") == quantities(ONE, 120)
    assert sum(run.nano().values()) == 130 * NANO_PER_GPU_SECOND
    (row,) = reading["models"]
    assert (row["source"], row["totals"]["output"], row["totals"]["requests"]) == (FIRST, 120 * 40, 120)


async def test_one_that_goes_away_stays_with_its_totals_and_is_said_to_be_gone(room: Room, start: Start) -> None:
    room.start(10, 8001, "acme/one", ONE, gpus={"GPU-0": 60 * GB})
    async with start() as run:
        await begun(run)
        await run.poll(60)
        room.stop(10)
        await run.poll(60)
        reading = once(run)
        (shown,) = overview(run.session.facts()).models
    (row,) = reading["models"]
    assert (row["totals"]["output"], row["totals"]["requests"]) == (60 * 40, 60)
    assert row["totals"]["usd"] == pytest.approx(0.060, abs=0.002)
    assert row["age_seconds"] > 50
    assert row["usd_per_hour"] in (None, 0.0)
    assert {each["name"]: each["state"] for each in reading["sources"]}[FIRST] in ("down", "stale")
    assert shown.state == "down"
    assert sum(run.nano().values()) == 120 * NANO_PER_GPU_SECOND
    assert reading["usd_per_hour"]["unheld"] == pytest.approx(3.60)


async def test_an_alias_is_the_models_name_and_its_server_one_source(room: Room, start: Start) -> None:
    room.start(10, 8001, "/models/snapshots/0a1b2c", ONE, gpus={"GPU-0": 60 * GB}, served="nice-name other-name")
    async with start() as run:
        await begun(run)
        await run.poll(60)
    assert run.ledger().keys() == {(FIRST, "nice-name")}
    assert tokens(run, FIRST, "nice-name") == quantities(ONE, 60)
    assert run.nano() == {(FIRST, "nice-name"): 60 * NANO_PER_GPU_SECOND}


async def test_a_model_that_is_renamed_on_restart_has_totals_of_its_own_at_the_same_source(
    room: Room, start: Start
) -> None:
    room.start(10, 8001, "acme/one", ONE, gpus={"GPU-0": 60 * GB})
    async with start() as run:
        await begun(run)
        await run.poll(60)
        room.stop(10)
        room.start(20, 8001, "acme/one", TWO, gpus={"GPU-0": 60 * GB}, served="renamed")
        await run.poll(60)
        reading = once(run)
    assert {source for source, _ in run.ledger()} == {FIRST}
    assert tokens(run, FIRST, "acme/one") == quantities(ONE, 60)
    assert tokens(run, FIRST, "renamed") == quantities(TWO, 60)
    assert sum(run.nano().values()) == 120 * NANO_PER_GPU_SECOND
    assert {each["model"]: each["totals"]["output"] for each in reading["models"]} == {
        "acme/one": 60 * 40,
        "renamed": 60 * 70,
    }


async def test_data_parallel_ranks_are_one_model_with_the_sum_of_their_counts(room: Room, start: Start) -> None:
    room.start(10, 8001, "acme/one", ONE, gpus={"GPU-0": 60 * GB, "GPU-1": 60 * GB}, ranks=2)
    async with start() as run:
        await begun(run)
        await run.poll(60)
        reading = once(run)
    assert run.ledger().keys() == {(FIRST, "acme/one")}
    assert tokens(run, FIRST, "acme/one") == quantities(ONE, 120)
    assert run.nano() == {(FIRST, "acme/one"): 120 * NANO_PER_GPU_SECOND}
    (row,) = reading["models"]
    assert row["tokens_per_second"]["output"] == pytest.approx(80)
    assert row["usd_per_hour"] == pytest.approx(7.20)


async def test_two_engines_on_one_gpu_share_its_cost_and_keep_their_counts(room: Room, start: Start) -> None:
    room.start(10, 8001, "acme/one", ONE, gpus={"GPU-0": 60 * GB})
    room.start(20, 8002, "acme/two", TWO, gpus={"GPU-0": 20 * GB})
    async with start() as run:
        await begun(run)
        await run.poll(60)
        reading = once(run)
    assert tokens(run, FIRST, "acme/one") == quantities(ONE, 60)
    assert tokens(run, SECOND, "acme/two") == quantities(TWO, 60)
    # Half of the time was busy: by weighted tokens (input 1, cached 0.1, output 4), 70 + 3 + 160 and 10 + 280.
    busy, idle = round(30_000 * 233 / (233 + 290)), 30_000 * 60 // 80
    assert run.nano() == {
        (FIRST, "acme/one"): (busy + idle) * NANO_PER_GPU_SECOND // 1000,
        (SECOND, "acme/two"): (60_000 - busy - idle) * NANO_PER_GPU_SECOND // 1000,
    }
    assert sum(each["usd_per_hour"] for each in reading["models"]) == pytest.approx(3.60)
    (gpu,) = reading["gpus"]
    assert sorted(gpu["models"]) == ["acme/one", "acme/two"]


async def test_one_engine_on_four_gpus_costs_all_of_them_and_counts_once(room: Room, start: Start) -> None:
    gpus = {f"GPU-{number}": 60 * GB for number in range(4)}
    room.start(10, 8001, "acme/one", ONE, gpus=gpus)
    async with start() as run:
        await begun(run)
        await run.poll(60)
        reading = once(run)
    assert tokens(run, FIRST, "acme/one") == quantities(ONE, 60)
    assert run.nano() == {(FIRST, "acme/one"): 240 * NANO_PER_GPU_SECOND}
    (row,) = reading["models"]
    assert row["usd_per_hour"] == pytest.approx(14.40)
    assert [each["models"] for each in reading["gpus"]] == [["acme/one"]] * 4


async def test_one_that_moved_while_infertop_was_away_is_the_source_that_it_was(room: Room, start: Start) -> None:
    room.start(10, 8001, "acme/one", ONE, gpus={"GPU-0": 60 * GB})
    async with start() as run:
        await begun(run)
        await run.poll(60)
    room.stop(10)
    room.clock.jump(600)
    # Its port is another's by now, which began first.
    room.start(20, 8005, "acme/one", ONE, gpus={"GPU-0": 60 * GB})
    room.start(30, 8001, "acme/new", TWO, gpus={"GPU-1": 60 * GB})
    async with start() as run:
        await begun(run)
        await run.poll(60)
        assert run.session.roster.configs[FIRST].url == "http://127.0.0.1:8005"
    assert tokens(run, FIRST, "acme/one") == quantities(ONE, 120)
    (other,) = {source for source, model in run.ledger() if model == "acme/new"}
    assert other != FIRST


async def test_dynamos_front_end_alone_counts_the_traffic_and_carries_its_workers_gpus(
    room: Room, start: Start
) -> None:
    front, model = "dynamo-frontend@127.0.0.1:8123", "Qwen/Qwen2.5-7B-Instruct"
    room.world.start(10, "python3 -m dynamo.frontend --http-port 8123", port=8123)
    for pid, gpu in ((20, "GPU-0"), (30, "GPU-1")):
        room.world.start(pid, f"python3 -m dynamo.vllm --model {model}")
        room.world.start(pid + 1, "VLLM::EngineCore", parent=pid)
        room.gpus[gpu] = {pid + 1: 60 * GB}
    recorded = (PAYLOADS / "dynamo-frontend/synthetic.txt").read_text()
    room.pages["127.0.0.1:8123"] = recorded
    async with start() as run:
        await begun(run)
        assert run.session.roster.pids[front] == (10, 20, 30)
        was = f'dynamo_frontend_output_tokens_total{{model="{model}"}} 4790'
        assert was in recorded
        room.pages["127.0.0.1:8123"] = recorded.replace(was, was.replace("4790", "5000"))
        await run.poll(60)
        reading = once(run)
    (row,) = reading["models"]
    assert (row["source"], row["usd_per_hour"]) == (front, pytest.approx(7.20))
    assert run.nano() == {(front, model): 120 * NANO_PER_GPU_SECOND}
    assert row["totals"]["output"] == 210


async def test_an_engine_in_a_container_is_this_machines_whatever_its_address(room: Room, start: Start) -> None:
    room.start(10, 8001, "acme/one", ONE, gpus={"GPU-0": 60 * GB})
    room.pages["172.17.0.2:8001"] = room.pages.pop("127.0.0.1:8001")
    room.world.listeners.clear()
    room.world.networks = {10: Network(("172.17.0.2",), (("0.0.0.0", 8001),))}
    async with start() as run:
        await begun(run)
        assert run.session.roster.local() == {"vllm@172.17.0.2:8001"}
        room.clock.jump(1)
        await run.session.polling.poll_once_all(1)
        reading = once(run)
    (row,) = reading["models"]
    assert (row["source"], row["usd_per_hour"]) == ("vllm@172.17.0.2:8001", pytest.approx(3.60))


async def test_dynamos_front_end_beside_a_worker_that_is_read_adds_nothing(room: Room, start: Start) -> None:
    model = "Qwen/Qwen2.5-7B-Instruct"
    room.world.start(10, "python3 -m dynamo.frontend --http-port 8123", port=8123)
    room.world.start(20, f"python3 -m dynamo.vllm --model {model}", port=8081)
    room.world.start(21, "VLLM::EngineCore", parent=20)
    room.gpus["GPU-0"] = {21: 60 * GB}
    front = (PAYLOADS / "dynamo-frontend/synthetic.txt").read_text()
    worker = (PAYLOADS / "dynamo/worker_vllm_synthetic.txt").read_text()
    room.pages |= {"127.0.0.1:8123": front, "127.0.0.1:8081": worker}
    async with start() as run:
        await begun(run)
        was = re.search(r"vllm:generation_tokens_total\{[^}]*\} (\S+)", worker)
        assert was is not None
        more = was[0].replace(was[1], str(float(was[1]) + 210))
        room.pages["127.0.0.1:8081"] = worker.replace(was[0], more)
        told = f'dynamo_frontend_output_tokens_total{{model="{model}"}} 4790'
        room.pages["127.0.0.1:8123"] = front.replace(told, told.replace("4790", "5000"))
        for _ in range(7):
            await run.poll(10)
        shown = overview(run.session.facts())
    (gpu,) = shown.gpus
    assert gpu.models == (model,)
    rows = {each.source: each.usd_per_hour for each in shown.models}
    assert rows == {"dynamo@127.0.0.1:8081": pytest.approx(3.60), "dynamo-frontend@127.0.0.1:8123": None}
    assert run.session.choosing.choices.by("dynamo-frontend@127.0.0.1:8123", "local", model) == "dynamo@127.0.0.1:8081"
    assert run.nano() == {("dynamo@127.0.0.1:8081", model): 70 * NANO_PER_GPU_SECOND}

"""What the hour costs adds up, and is what the ledger says of the minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infertop.money.gpu_drafts import GPU_RESOURCES, is_idle
from infertop.money.lines import Line
from infertop.money.rates import PriceBook
from infertop.money.settings import HourlyRate, Settings
from infertop.readings.model import Batch, Series
from infertop.views.costs import UNKNOWN_MODEL, Costs
from tests.money.tape import H100, LLAMA, START, VLLM, Gpu, batch, book, engine, host, nvml, owned_book
from tests.views.world import World

ENGINES = ("vllm@127.0.0.1:8000", "vllm@127.0.0.1:8001", "triton@127.0.0.1:8002", "llamacpp@127.0.0.1:8080")
NAMES = (H100, "NVIDIA A100-SXM4-80GB", "Graphics Device")
PART = f"{H100} MIG 2g.20gb"
BOOKS = (book("2.49", host="0.4"), owned_book(), book(None), book("3.333333333"))

ratio = st.one_of(st.none(), st.sampled_from([0.0, 1.0]), st.floats(0, 1))
memory = st.one_of(st.none(), st.floats(0, 8e10))
holders = st.dictionaries(st.sampled_from([*ENGINES[:3], "loading@engine"]), st.tuples(memory, ratio), max_size=3)
watts = st.one_of(st.none(), st.floats(0, 700))
limit = st.sampled_from([None, 450.0])
# Joules are those of a second: `lived` makes a counter of them.
whole = st.builds(Gpu, st.just(""), ratio, holders, st.sampled_from(NAMES), watts=watts, joules=watts, limit=limit)
cut = st.lists(st.tuples(st.integers(1, 3), holders), min_size=1, max_size=3)
models = st.lists(st.tuples(*[st.integers(0, 5000)] * 4), min_size=1, max_size=3)
worlds = st.fixed_dictionaries(
    {
        "gpus": st.lists(whole, max_size=3),
        "cut": st.one_of(st.none(), cut),
        "slices": st.sampled_from([True, True, False]),
        "engines": st.fixed_dictionaries({}, optional=dict.fromkeys(ENGINES, models)),
        "metrics": st.sampled_from(["all", "no requests", "running alone"]),
        "book": st.sampled_from([0, 0, 1, 2, 3]),
    }
)


def gpus_of(made: dict[str, Any]) -> list[Gpu]:
    """The GPUs of a world: whole ones, and one that is cut into instances."""
    found = [replace(each, uuid=f"GPU-{i}") for i, each in enumerate(made["gpus"])]
    if made["cut"]:
        known, left, parts = made["slices"], 7, []
        for i, (slices, held) in enumerate(made["cut"]):
            if slices <= left:
                left -= slices
                name = PART if known else "MIG device"
                parts.append(Gpu(f"MIG-{i}", None, held, name, "GPU-9", slices if known else None))
        found += [Gpu("GPU-9", None, slices=left if known else None, watts=500.0), *parts]
    return found


def served(source: str, ts: float, rates: Sequence[tuple[int, ...]], metrics: str) -> Batch:
    """An engine whose counters have risen by the same every second."""
    said: list[tuple[Series, float]] = []
    for k, (prompt, cached, output, requests) in enumerate(rates):
        counted = {"prompt_tokens": prompt + cached, "cached_tokens": cached, "output_tokens": output}
        if metrics == "all":
            counted["requests"] = requests
        if metrics == "running alone":
            counted = {}
        said += [(Series.of(name, model=f"m{k}"), rate * (ts - START)) for name, rate in counted.items()]
        said.append((Series.of("running", model=f"m{k}"), 1.0))
    return batch(source, ts, said, started=1.0)


def lived(made: dict[str, Any], seconds: int = 180) -> World:
    """A world in which nothing changed for three minutes."""
    world = World(BOOKS[made["book"]], ENGINES)
    gpus = gpus_of(made)
    for second in range(seconds + 1):
        ts = float(START + second)
        for source, rates in made["engines"].items():
            world.poll(served(source, ts, rates, made["metrics"]))
        if gpus:
            world.poll(nvml(ts, *[replace(gpu, joules=gpu.joules and gpu.joules * second) for gpu in gpus]))
        world.poll(host(ts))
    return world


def known(values: Sequence[float | None]) -> float:
    return sum(each for each in values if each is not None)


@settings(deadline=None, max_examples=60)
@given(worlds)
def test_models_and_unheld_are_the_gpus_and_so_are_usage_and_idle(made: dict[str, Any]) -> None:
    found = lived(made, 8).costs()
    of_gpus = {place: each for place, each in found.models.items() if each.gpus}
    whole = known([found.gpu])
    exactly = {"rel": 1e-9, "abs": 1e-12}
    assert known([each.all_in for each in of_gpus.values()]) + known([found.unheld]) == pytest.approx(whole, **exactly)
    assert all(each.all_in is None or each.all_in >= 0 for each in found.models.values())
    if all(each.busy is not None for each in found.gpus):
        foreign = [
            each.usd_per_hour * each.busy for each in found.gpus if each.usd_per_hour and not each.allocation.held
        ]
        used = known([each.usage for each in of_gpus.values()]) + sum(foreign)
        assert used + known([found.idle]) == pytest.approx(whole, **exactly)
    priced = [each for each in found.gpus if each.usd_per_hour is not None]
    assert (found.gpu is None) == (not priced)
    assert found.unpriced_gpus == len(found.gpus) - len(priced)
    assert known([found.total]) == pytest.approx(whole + known([found.host]), **exactly)
    for gpu in priced:
        shares = [gpu.usd_per_hour * share.all_in for share in gpu.allocation.shares]
        assert known(shares) == pytest.approx(gpu.usd_per_hour, **exactly)


@settings(deadline=None, max_examples=60)
@given(worlds)
def test_the_hosts_hour_goes_to_local_models_without_a_gpu(made: dict[str, Any]) -> None:
    found = lived(made, 8).costs()
    carriers = {place: each for place, each in found.models.items() if not each.gpus}
    on_gpus = {source for (source, _), each in found.models.items() if each.gpus}
    assert not {source for source, _ in carriers} & on_gpus
    if found.host is None:
        assert carriers == {}
    elif carriers:
        assert known([each.all_in for each in carriers.values()]) == pytest.approx(found.host, rel=1e-9)
        assert {source for source, _ in carriers} == made["engines"].keys() - on_gpus


@settings(deadline=None, max_examples=60)
@given(worlds)
def test_the_total_is_what_models_carry_and_what_is_left_of_gpus_and_host_and_nothing_twice(
    made: dict[str, Any],
) -> None:
    found = lived(made, 8).costs()
    carried = known([each.all_in for each in found.models.values()])
    carries_host = any(each.host_share for each in found.models.values())
    assert sum(each.host_share for each in found.models.values()) == pytest.approx(1.0 if carries_host else 0.0)
    left = known([found.unheld]) + (0.0 if carries_host else known([found.host]))
    assert carried + left == pytest.approx(known([found.total]), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("cpu_model", [True, False])
def test_the_host_of_a_gpu_machine_is_a_row_of_its_own_unless_a_model_runs_without_a_gpu(cpu_model: bool) -> None:
    world = World(book("2.49", host="0.4"), ENGINES)
    cpu, count = ENGINES[3], 0
    for second in range(61):
        world.poll(nvml(START + second, Gpu("GPU-0", 1.0, {VLLM: (1e9, 0.9)})), host(START + second))
        world.poll(engine(START + second, requests=second))
        if cpu_model:
            count += 1
            world.poll(engine(START + second, source=cpu, model="small", output_tokens=count))
    found = world.costs()
    assert (found.gpu, found.host, found.total) == (2.49, 0.4, pytest.approx(2.89))
    # What a model on a GPU costs does not depend on [host]: models + unheld = gpu.
    assert found.models[VLLM, LLAMA].all_in == 2.49
    assert (cpu, "small") not in found.models or found.models[cpu, "small"].all_in == 0.4
    assert ((cpu, "small") in found.models) == cpu_model
    lines = of_minute(world.deriver.open_lines(), START)
    whole = sum(each.usd_nano for each in lines if each.usd_nano is not None)
    assert whole == round((Decimal("2.49") + Decimal("0.4")) * 10**9 / 60)
    of_host = [each for each in lines if each.resource == "host"]
    assert {(each.source, each.model) for each in of_host} == {(cpu, "small") if cpu_model else ("host", None)}


def of_minute(lines: Sequence[Line], start: int) -> list[Line]:
    return [each for each in lines if each.start == start]


SHARED = {
    "gpus": [
        Gpu("", 0.6, {ENGINES[0]: (60e9, 0.2), ENGINES[1]: (10e9, 0.4)}, watts=300.0),
        Gpu("", 0.5, {ENGINES[1]: (30e9, None), ENGINES[2]: (20e9, None)}, watts=400.0),
    ],
    "cut": [(2, {ENGINES[0]: (5e9, None), ENGINES[2]: (15e9, None)}), (3, {})],
    "slices": True,
    "engines": {
        ENGINES[0]: [(100, 10, 50, 2)],
        ENGINES[1]: [(10, 0, 400, 1), (7, 3, 1, 9)],
        ENGINES[3]: [(1, 1, 1, 1)],
    },
    "metrics": "all",
}


@settings(deadline=None, max_examples=40)
@given(worlds)
@example({**SHARED, "book": 0})
@example({**SHARED, "book": 1})
@example({**SHARED, "book": 1, "metrics": "no requests"})
def test_the_live_hour_is_the_ledgers_minute_times_sixty(made: dict[str, Any]) -> None:
    world = lived(made)
    live: Costs = world.costs()
    lines = of_minute(world.deriver.open_lines(), START + 60)
    booked: dict[tuple[str, str], float] = defaultdict(float)
    used: dict[tuple[str, str], float] = defaultdict(float)
    unheld = idle = 0.0
    for line in lines:
        if line.usd_nano is None:
            continue
        hourly = line.usd_nano * 60 / 1e9
        idle += hourly if is_idle(line.resource, line.dimensions) else 0.0
        if line.source == "nvml":
            unheld += hourly
        elif line.source != "host":
            booked[line.source, line.model or UNKNOWN_MODEL] += hourly
            busy = line.resource in GPU_RESOURCES and not is_idle(line.resource, line.dimensions)
            used[line.source, line.model or UNKNOWN_MODEL] += hourly if busy else 0.0
    near = {"rel": 1e-4, "abs": 1e-4}  # a minute of 60,000 ms has parts of whole milliseconds
    assert {place: usd for place, usd in booked.items() if usd > 1e-3} == {
        place: pytest.approx(each.all_in, **near)
        for place, each in live.models.items()
        if each.all_in is not None and (each.all_in > 1e-3 or booked.get(place, 0) > 1e-3)
    }
    for place, each in live.models.items():
        if each.usage is not None:
            assert used[place] == pytest.approx(each.usage, **near)
    assert unheld == pytest.approx(known([live.unheld]), **near)
    assert idle == pytest.approx(known([live.idle]), **near)
    gpu = known([each.usd_nano * 60 / 1e9 for each in lines if each.resource in GPU_RESOURCES and each.usd_nano])
    assert gpu == pytest.approx(known([live.gpu]), **near)


def test_a_gpu_without_a_price_costs_an_unknown_amount_and_is_counted() -> None:
    world = World(book("2.49"))
    held = Gpu("GPU-1", 0.5, {VLLM: (None, None)}, "Graphics Device")
    for second in range(5):
        world.poll(nvml(START + second, Gpu("GPU-0", 0.5), held), engine(START + second, requests=second))
    found = world.costs()
    assert (found.gpu, found.unheld, found.idle, found.unpriced_gpus) == (2.49, 2.49, pytest.approx(1.245), 1)
    assert found.models[VLLM, LLAMA].all_in is None
    assert found.models[VLLM, LLAMA].usage is None
    assert found.models[VLLM, LLAMA].gpus == ["GPU-1"]


def test_an_instance_of_unknown_slices_has_no_price_and_neither_has_the_rest() -> None:
    world = World(book("2.49"))
    for second in range(5):
        part = Gpu("MIG-0", None, {VLLM: (None, None)}, "MIG device", "GPU-0")
        world.poll(nvml(START + second, Gpu("GPU-0", None), part))
    found = world.costs()
    assert (found.gpu, found.unpriced_gpus) == (None, 2)
    assert all("compute slices" in each.rate.lines[0] for each in found.gpus)


def test_an_instance_costs_its_slices() -> None:
    world = World(book("3.50"))
    for second in range(5):
        part = Gpu("MIG-0", None, {VLLM: (None, None)}, PART, "GPU-0", 2)
        world.poll(nvml(START + second, Gpu("GPU-0", None, slices=5), part), engine(START + second, requests=0))
    found = world.costs()
    assert found.models[VLLM, LLAMA].all_in == pytest.approx(1.0)
    assert (found.gpu, found.unheld) == (pytest.approx(3.5), pytest.approx(2.5))
    assert found.idle == pytest.approx(2.5)


def test_without_utilisation_the_use_and_the_idle_time_are_unknown_and_the_cost_is_not() -> None:
    world = World(book("2.49"))
    for second in range(5):
        gpus = Gpu("GPU-0", None, {VLLM: (None, None)}), Gpu("GPU-1", 0.5, {VLLM: (None, None)})
        world.poll(nvml(START + second, *gpus), engine(START + second, requests=0))
    found = world.costs()
    (model,) = found.models.values()
    assert (model.all_in, model.usage) == (pytest.approx(4.98), None)
    assert found.idle == pytest.approx(1.245)


def test_an_owned_gpus_energy_is_that_of_its_counter() -> None:
    world = World(owned_book())
    for second in range(61):
        world.poll(nvml(START + second, Gpu("GPU-0", 1.0, joules=500.0 * second, watts=9.0)))
    (gpu,) = world.costs().gpus
    assert gpu.energy_usd_per_hour == pytest.approx(0.5 * 0.15 * 1.3)
    assert gpu.usd_per_hour == pytest.approx(0.73 + gpu.energy_usd_per_hour)


def test_a_rented_gpus_energy_is_in_its_price() -> None:
    world = World(book("2.49"))
    for second in range(5):
        world.poll(nvml(START + second, Gpu("GPU-0", 1.0, watts=500.0)))
    assert world.costs().gpu == 2.49


def test_gpus_that_are_no_longer_read_cost_an_unknown_amount() -> None:
    world = World(book("2.49"))
    for second in range(5):
        world.poll(nvml(START + second, Gpu("GPU-0", 1.0)))
    world.now += 30
    found = world.costs()
    assert (found.gpu, found.idle, found.unheld, found.total, found.gpus) == (None, None, None, None, ())


def test_the_gpus_of_several_meters_are_in_the_hour_together() -> None:
    world = World(book("2.49"))
    for second in range(5):
        world.poll(nvml(START + second, Gpu("GPU-0", 1.0)), nvml(START + second, Gpu("GPU-1", 0.5), source="far"))
    found = world.costs()
    assert {each.at.gpu: each.meter for each in found.gpus} == {"GPU-0": "nvml", "GPU-1": "far"}
    assert found.gpu == pytest.approx(2 * 2.49)
    assert found.idle == pytest.approx(0.5 * 2.49)


def test_a_default_price_is_counted_as_one() -> None:
    prices = PriceBook(Settings(gpus=(HourlyRate("A100", "pricing.toml:1", Decimal(1)),)))
    world = World(prices)
    for second in range(3):
        world.poll(nvml(START + second, Gpu("GPU-0", 0.1), Gpu("GPU-1", 0.1, name="NVIDIA A100-SXM4-80GB")))
    assert world.costs().default_gpus == 1


def test_a_model_on_an_engine_that_is_still_loading_has_a_name_of_its_own() -> None:
    world = World(book("2.49"))
    for second in range(3):
        world.poll(nvml(START + second, Gpu("GPU-0", 0.1, {"vllm@127.0.0.1:9": (1e9, 0.1)})))
    assert list(world.costs().models) == [("vllm@127.0.0.1:9", UNKNOWN_MODEL)]

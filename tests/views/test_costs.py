"""What the hour costs adds up, and is what the ledger says of the minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings

from infertop.money.gpu_drafts import GPU_RESOURCES, is_idle
from infertop.money.lines import Line
from infertop.views.costs import UNKNOWN_MODEL, Costs
from tests.money.tape import LLAMA, START, VLLM, Gpu, book, engine, host, nvml
from tests.views.costs_world import ENGINES, known, lived, worlds
from tests.views.world import World


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

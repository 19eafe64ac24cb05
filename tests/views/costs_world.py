"""Machines of any GPUs, slices, engines and prices, as they are after minutes in which nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from infertop.readings.model import Batch, Series
from tests.money.tape import H100, START, Gpu, batch, book, host, nvml, owned_book
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

"""What must hold for the ledger of any tape."""

import json
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.derive import Deriver
from infertop.money.gpu_drafts import GPU_RESOURCES, is_idle
from infertop.money.lines import NANO
from infertop.readings.increase import Continuity
from tests.money.tape import START, Gpu, batch, book, engine, host, nvml, owned_book

ENGINES = ("vllm@127.0.0.1:8000", "triton@127.0.0.1:8002", "llamacpp@127.0.0.1:8080")
GAP = 15.0
BOOKS = (book("2.49", host="0.4"), book("3.333333333"), owned_book(), book(None))
PER = {"ms": 3_600_000, "mJ": 3_600_000_000}
METRICS = ("prompt_tokens", "cached_tokens", "output_tokens", "requests")

ratio = st.one_of(st.none(), st.sampled_from([0.0, 1.0]), st.floats(0, 1))
memory = st.one_of(st.none(), st.floats(0, 8e10))
holders = st.dictionaries(st.sampled_from([*ENGINES, "unknown@engine"]), st.tuples(memory, ratio), max_size=3)
gpu = st.builds(
    Gpu,
    st.sampled_from(["GPU-0", "GPU-1"]),
    ratio,
    holders,
    watts=st.one_of(st.none(), st.floats(0, 700)),
    joules=st.one_of(st.none(), st.floats(0, 1e9)),
    limit=st.sampled_from([None, 700.0]),
)
gpus = st.lists(gpu, max_size=2, unique_by=lambda each: each.uuid)
counted = st.tuples(*[st.integers(0, 10**7)] * 4)
tick = st.fixed_dictionaries(
    {
        "seconds": st.one_of(st.floats(0.2, 3), st.sampled_from([1.0, 1.0, 1.0, 14.9, 15.1, 59.0, 400.0])),
        "gpus": st.one_of(st.none(), gpus),
        "engines": st.fixed_dictionaries({}, optional=dict.fromkeys(ENGINES, counted)),
        "restart": st.sampled_from([None, None, None, *ENGINES]),
        "host": st.booleans(),
        "book": st.sampled_from([0, 0, 0, 1, 2, 3]),
    }
)


def tape(ticks):
    """Batches in order of time, each with the prices that hold when it comes."""
    ts = float(START)
    levels = dict.fromkeys(ENGINES, (0, 0, 0, 0))
    began = dict.fromkeys(ENGINES, 1.0)
    for i, each in enumerate(ticks):
        ts += each["seconds"]
        prices = BOOKS[each["book"]]
        if each["gpus"] is not None:
            yield prices, nvml(ts, *each["gpus"])
        if each["restart"]:
            levels[each["restart"]], began[each["restart"]] = (0, 0, 0, 0), ts - 0.1
        for k, (source, more) in enumerate(each["engines"].items()):
            levels[source] = tuple(a + b for a, b in zip(levels[source], more, strict=True))
            said = dict(zip(METRICS, levels[source], strict=True))
            yield prices, engine(ts + k / 100, source=source, model=f"m{k}", started=began[source], **said)
        if each["host"] or i % 5 == 0:
            yield prices, host(ts + 0.05)


def fold(pairs, deriver=None):
    deriver = deriver or Deriver(BOOKS[0], local_sources=set(ENGINES[1:]))
    for prices, each in pairs:
        deriver.prices = prices
        deriver.advance(each)
    return deriver


def by_span(lines, unit):
    """The lines of each GPU's minute that were rounded together."""
    groups = defaultdict(list)
    for line in lines:
        if line.resource in GPU_RESOURCES and line.unit == unit:
            groups[line.start, dict(line.dimensions)["gpu"]].append(line)
    return groups


def cost(lines):
    return round(sum(line.quantity * Fraction(line.price.usd) * NANO / PER[line.unit] for line in lines if line.price))


@settings(deadline=None, max_examples=60)
@given(st.lists(tick, max_size=25))
def test_the_lines_of_a_gpu_sum_to_its_time_and_its_cost_to_the_last_unit(ticks):
    pairs = list(tape(ticks))
    lines = fold(pairs).open_lines()
    time, polled = defaultdict(int), [each for _, each in pairs if each.source == "nvml"]
    for before, after in pairwise(polled):
        span = round(after.ts * 1000) - round(before.ts * 1000)
        there = [{s.label("gpu") for s in each.series if s.metric == "gpu_info"} for each in (before, after)]
        if span <= GAP * 1000:
            for uuid in there[0] & there[1]:
                time[uuid] += span
    ms = by_span(lines, "ms")
    for uuid in ("GPU-0", "GPU-1"):
        assert sum(line.quantity for (_, at), group in ms.items() if at == uuid for line in group) == time[uuid]
    for group in (*ms.values(), *by_span(lines, "mJ").values()):
        assert all(line.quantity >= 0 for line in group)
        assert sum(line.usd_nano for line in group if line.usd_nano is not None) == cost(group)
        assert all((line.usd_nano is None) == (line.price is None) for line in group)
        for line in group:
            assert line.price is None or abs(line.usd_nano - line.quantity * line.price.usd * NANO / PER[line.unit]) < 1


@settings(deadline=None, max_examples=40)
@given(st.lists(tick, max_size=20))
def test_models_and_unheld_are_the_gpu_and_so_are_use_idle_time_and_foreign_use(ticks):
    lines = [each for each in fold(tape(ticks)).open_lines() if each.resource in GPU_RESOURCES]
    whole = sum(each.usd_nano or 0 for each in lines)
    unheld = [each for each in lines if each.source == "nvml"]
    models = [each for each in lines if each.source != "nvml"]
    idle = [each for each in lines if is_idle(each.resource, each.dimensions)]
    used = [each for each in models if each not in idle]
    foreign = [each for each in unheld if each not in idle]
    assert all(each.model is None for each in unheld)
    assert sum(each.usd_nano or 0 for each in (*models, *unheld)) == whole
    assert sum(each.usd_nano or 0 for each in (*used, *idle, *foreign)) == whole


@settings(deadline=None, max_examples=40)
@given(st.lists(tick, max_size=20), st.integers(0, 80), st.integers(0, 80))
def test_a_state_saved_anywhere_and_taken_up_again_gives_the_same_lines(ticks, first, second):
    pairs = list(tape(ticks))
    cuts = sorted((min(first, len(pairs)), min(second, len(pairs))))
    deriver = fold(pairs[: cuts[0]])
    for start, end in ((cuts[0], cuts[1]), (cuts[1], len(pairs))):
        saved = json.loads(json.dumps(deriver.dump(), allow_nan=False))
        deriver = Deriver(BOOKS[0], local_sources=set(ENGINES[1:]))
        deriver.load(saved)
        # What comes twice (the tape is read from a little before the state) adds nothing.
        fold(pairs[max(0, start - 5) : end], deriver)
    once = fold(pairs)
    assert deriver.open_lines() == once.open_lines()
    assert [deriver.coverage_ms(m) for m in once.open_minutes()] == [once.coverage_ms(m) for m in once.open_minutes()]


@settings(deadline=None, max_examples=40)
@given(st.lists(tick, max_size=20))
def test_closing_minutes_on_the_way_gives_the_same_lines_as_closing_them_at_the_end(ticks):
    pairs = list(tape(ticks))
    deriver, closed = Deriver(BOOKS[0], local_sources=set(ENGINES[1:])), []
    for prices, each in pairs:
        fold([(prices, each)], deriver)
        closed += deriver.close_before(each.ts - GAP - 1)
    end = pairs[-1][1].ts + 60 if pairs else START
    assert sorted([*closed, *deriver.close_before(end)], key=repr) == sorted(fold(pairs).close_before(end), key=repr)


@settings(deadline=None, max_examples=60)
@given(st.lists(tick, max_size=25))
def test_tokens_and_requests_are_what_the_counters_rose_by(ticks):
    pairs = list(tape(ticks))
    lines = fold(pairs).open_lines()
    for source in ENGINES:
        continuity, rose = Continuity(GAP), defaultdict(float)
        for _, each in pairs:
            if each.source == source:
                for series, amount in continuity.advance(each).increases:
                    rose[series.metric] += amount
        booked = defaultdict(int)
        for line in lines:
            if line.source == source:
                booked[line.resource] += line.quantity
        assert booked["requests"] == rose["requests"]
        assert booked["output"] == rose["output_tokens"]
        assert booked["cache_read"] == rose["cached_tokens"]
        assert booked["input"] >= max(0, rose["prompt_tokens"] - rose["cached_tokens"])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=12))
def test_fresh_and_cached_tokens_are_the_prompts_once_the_counters_have_met(steps):
    prompt = cached = 0
    polls = [engine(START, prompt_tokens=0, cached_tokens=0)]
    for i, (more_prompt, more_cached) in enumerate(steps):
        prompt, cached = prompt + more_prompt, cached + more_cached
        polls.append(engine(START + 1 + i, prompt_tokens=prompt, cached_tokens=cached))
    prompt = max(prompt, cached)
    polls.append(engine(START + 14, prompt_tokens=prompt, cached_tokens=cached))
    lines = fold((BOOKS[0], each) for each in polls).open_lines()
    quantities = {line.resource: line.quantity for line in lines}
    assert quantities.get("cache_read", 0) == cached
    # Within a tick the excess is only ever a delay: in the end nothing is lost or counted twice.
    assert quantities.get("input", 0) + quantities.get("cache_read", 0) >= prompt


@settings(deadline=None, max_examples=40)
@given(st.lists(tick, max_size=20), st.randoms(use_true_random=False))
def test_who_was_polled_first_within_a_moment_does_not_matter(ticks, random):
    fixed = [{**each, "book": 0} for each in ticks]
    start = [(BOOKS[0], engine(START - 1, source=each, model="m", requests=0)) for each in ENGINES]
    pairs = [*start, *tape(fixed)]
    groups = defaultdict(list)
    for pair in pairs:
        groups[round(pair[1].ts)].append(pair)
    shuffled = []
    for _, group in sorted(groups.items()):
        sources = [pair[1].source for pair in group]
        queues = {source: [pair for pair in group if pair[1].source == source] for source in sources}
        random.shuffle(sources)
        shuffled += [queues[source].pop(0) for source in sources]
    assert [each.quantity for each in fold(shuffled).open_lines()] == [
        each.quantity for each in fold(pairs).open_lines()
    ]


@given(st.lists(st.integers(1, 3), max_size=4), st.sampled_from(["2.49", "1", "3.333333333"]))
def test_a_mig_gpu_costs_what_the_whole_costs_however_it_is_cut(slices, rate):
    parts, rest = [], 7
    for each in slices:
        if each <= rest:
            parts, rest = [*parts, each], rest - each
    name = "NVIDIA H100 80GB HBM3"
    said = [
        Gpu("GPU-0", None, slices=rest),
        *[Gpu(f"MIG-{i}", None, {}, name, "GPU-0", n) for i, n in enumerate(parts)],
    ]
    deriver = fold((book(rate), nvml(START + i, *said)) for i in range(61))
    lines = deriver.close_before(START + 60)
    assert sum(line.usd_nano for line in lines) == round(Decimal(rate) * NANO / 60)


def test_polls_that_name_no_gpu_are_no_gpu_time():
    deriver = fold((BOOKS[0], batch("nvml", START + i, [])) for i in range(5))
    assert deriver.open_lines() == []

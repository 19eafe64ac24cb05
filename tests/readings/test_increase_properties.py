"""What holds of increases whatever the engine does, and on a recorded server that was restarted."""

import json
import math
from collections import defaultdict
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from infertop.readings.exposition import Exposition
from infertop.readings.increase import Continuity
from infertop.readings.model import Batch, Buckets, Series
from tests.recordings import pages

SERIES = tuple(Series.of(metric, model="m") for metric in ("output_tokens", "prompt_tokens", "ttft_seconds", "running"))
BOUNDS = (0.1, 1.0, math.inf)

steps = st.integers(0, 10**6)
growth = st.tuples(steps, steps, st.tuples(steps, steps, steps), steps)
histories = st.lists(growth, min_size=1, max_size=12)


def values_of(total):
    out, prompt, parts, running = total
    return (
        float(out),
        float(prompt),
        Buckets(BOUNDS, tuple(map(float, accumulate(parts))), float(sum(parts))),
        float(running),
    )


def plus(one, other):
    return tuple(
        tuple(map(sum, zip(a, b, strict=True))) if isinstance(a, tuple) else a + b
        for a, b in zip(one, other, strict=True)
    )


NONE = (0, 0, (0, 0, 0), 0)


def polled(history):
    """Return a batch a second of a process that does `history`, a step between two polls."""
    totals = accumulate(history, plus)
    return [Batch("s", float(ts), SERIES, values_of(total), 0.0) for ts, total in enumerate(totals)]


def added(advances):
    """Return the sum of all increases, by metric; of a histogram by bucket."""
    sums = defaultdict(float)
    for advance in advances:
        for series, amount in advance.increases:
            parts = enumerate(amount.counts) if isinstance(amount, Buckets) else [(None, amount)]
            for part, grown in parts:
                assert grown >= 0
                sums[series.metric, part] += grown
    return {key: total for key, total in sums.items() if total}


def worth(total):
    out, prompt, parts, _ = total
    keyed = {("output_tokens", None): out, ("prompt_tokens", None): prompt}
    keyed |= {("ttft_seconds", at): count for at, count in enumerate(accumulate(parts))}
    return {key: float(amount) for key, amount in keyed.items() if amount}


def total_of(history):
    return list(accumulate(history, plus, initial=NONE))[-1]


@given(histories)
def test_increases_add_up_to_the_last_page_minus_the_first(history):
    continuity = Continuity(15)
    assert added([continuity.advance(each) for each in polled(history)]) == worth(total_of(history[1:]))


@given(st.lists(histories, min_size=1, max_size=4))
def test_restarts_lose_only_what_no_page_ever_said(lives):
    continuity, advances, ts = Continuity(15), [], 0.0
    for life, history in enumerate(lives):
        for each in polled(history):
            advances.append(continuity.advance(Batch("s", ts, SERIES, each.values, life * 100.0)))
            ts += 1
    assert added(advances) == worth(total_of([step for life in lives for step in life][1:]))
    assert sum(advance.restarted for advance in advances) == len(lives) - 1


@given(histories, st.permutations(range(len(SERIES))))
def test_order_of_the_series_does_not_matter(history, order):
    one, other = Continuity(15), Continuity(15)
    for each in polled(history):
        shuffled = Batch("s", each.ts, tuple(SERIES[at] for at in order), tuple(each.values[at] for at in order), 0.0)
        assert dict(one.advance(each).increases) == dict(other.advance(shuffled).increases)


@given(st.lists(histories, min_size=1, max_size=3), st.integers(0, 30), st.booleans())
def test_state_saved_and_taken_up_in_the_middle_changes_nothing(lives, at, known):
    batches = [
        Batch("s", each.ts + 20 * life, SERIES, each.values, life * 100.0 if known else None)
        for life, history in enumerate(lives)
        for each in polled(history)
    ]
    whole, parts = Continuity(15), Continuity(15)
    for number, each in enumerate(batches):
        if number == at:
            state = json.loads(json.dumps(parts.dump(), allow_nan=False))
            parts = Continuity(15)
            parts.load(state)
        assert whole.advance(each) == parts.advance(each)


def recorded():
    """Yield batches of the recorded vLLM: a counter, a histogram, the start of the process."""
    reader = Exposition(["vllm:generation_tokens", "vllm:time_to_first_token_seconds", "process_start_time_seconds"])
    for ts, status, text in pages("vllm/0.32.0.jsonl.gz"):
        if status != 200:
            continue
        page = reader.parse(text.encode())
        said = dict(zip(page.layout.series, page.values, strict=True))
        buckets = [
            (float(dict(series.labels)["le"]), value)
            for series, value in said.items()
            if series.name.endswith("_bucket")
        ]
        one = {series.name: value for series, value in said.items()}
        bounds, counts = zip(*buckets, strict=True)
        histogram = Buckets(bounds, counts, one["vllm:time_to_first_token_seconds_sum"])
        values = (one["vllm:generation_tokens_total"], histogram)
        yield Batch("vllm", ts, (SERIES[0], SERIES[2]), values, one["process_start_time_seconds"])


def test_recorded_server_that_was_restarted_is_counted_before_and_after():
    batches = list(recorded())
    [new] = [at for at, (a, b) in enumerate(pairwise(batches), 1) if a.started != b.started]
    first, before, last = batches[0].values, batches[new - 1].values, batches[-1].values
    for known in (True, False):
        continuity = Continuity(15)
        advances = [
            continuity.advance(each if known else Batch("vllm", each.ts, each.series, each.values)) for each in batches
        ]
        sums = added(advances)
        assert sums["output_tokens", None] == before[0] - first[0] + last[0]
        assert sums["ttft_seconds", 5] == before[1].counts[5] - first[1].counts[5] + last[1].counts[5]
        assert [at for at, advance in enumerate(advances) if advance.restarted] == [new]
        assert not any(advance.gap for advance in advances)
        assert advances[new].dt > 30


def test_recorded_server_that_nobody_polled_for_a_while_loses_nothing_and_has_a_gap():
    batches = list(recorded())[:100]
    whole, holed = Continuity(5), Continuity(5)
    sums = added([whole.advance(each) for each in batches])
    advances = [holed.advance(each) for each in batches[:40] + batches[60:]]
    assert added(advances) == sums
    assert [advance.gap for advance in advances if advance.gap] == [(batches[39].ts, batches[60].ts)]

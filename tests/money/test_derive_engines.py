import json
import math

import pytest

from infertop.money.derive import Deriver
from infertop.money.lines import Basis
from infertop.readings.model import Batch, Series
from tests.money.tape import LLAMA, START, VLLM, batch, book, engine, totals


def derived(*batches, **options):
    deriver = Deriver(book(None), **options)
    for each in batches:
        deriver.advance(each)
    return deriver


def lines(*batches):
    return derived(*batches).open_lines()


def test_prompt_tokens_that_include_cached_ones_become_two_disjoint_classes():
    found = lines(
        engine(START, prompt_tokens=1000, cached_tokens=100, output_tokens=50, requests=7),
        engine(START + 1, prompt_tokens=1600, cached_tokens=350, output_tokens=90, requests=9),
    )
    assert totals(found) == {
        (VLLM, LLAMA, "input"): 350,
        (VLLM, LLAMA, "cache_read"): 250,
        (VLLM, LLAMA, "output"): 40,
        (VLLM, LLAMA, "requests"): 2,
    }
    assert {(line.start, line.end, line.usd_nano, line.price, line.provider) for line in found} == {
        (START, START + 60, None, None, "local")
    }
    assert {line.basis for line in found} == {Basis.MEASURED}
    assert {line.unit for line in found if line.resource != "requests"} == {"tokens"}


@pytest.mark.parametrize("idle", [{}, {"running": 0}], ids=["nothing", "gauges"])
def test_the_first_requests_of_an_engine_that_was_watched_before_them_are_counted(idle):
    def page(ts, **more):
        return engine(ts, **idle, **more) if idle or more else Batch(VLLM, ts, (), ())

    first = page(START + 2, prompt_tokens=300, output_tokens=60, requests=3)
    every = (page(START), page(START + 1), first)
    whole = {(VLLM, LLAMA, "input"): 300, (VLLM, LLAMA, "output"): 60, (VLLM, LLAMA, "requests"): 3}
    assert totals(lines(*every)) == whole
    saved = derived(every[0]).dump()
    taken_up = Deriver(book(None))
    taken_up.load(json.loads(json.dumps(saved)))
    for each in every[1:]:
        taken_up.advance(each)
    assert totals(taken_up.open_lines()) == whole
    assert not lines(every[1], first)


def test_fresh_tokens_that_are_counted_apart_are_taken_as_they_are():
    found = lines(
        engine(START, input_tokens=0, cached_tokens=0, prompt_tokens=0),
        engine(START + 1, input_tokens=10, cached_tokens=90, prompt_tokens=100),
    )
    assert totals(found) == {(VLLM, LLAMA, "input"): 10, (VLLM, LLAMA, "cache_read"): 90}


def test_without_a_counter_of_cached_tokens_all_prompt_tokens_are_fresh():
    assert totals(lines(engine(START, prompt_tokens=0), engine(START + 1, prompt_tokens=8))) == {
        (VLLM, LLAMA, "input"): 8
    }


def test_more_cached_than_prompt_for_a_moment_is_owed_to_the_next_increase():
    polls = [(0, 0), (0, 60), (100, 60), (150, 60)]
    batches = [engine(START + i, prompt_tokens=p, cached_tokens=c) for i, (p, c) in enumerate(polls)]
    assert totals(lines(*batches[:2])) == {(VLLM, LLAMA, "cache_read"): 60, (VLLM, LLAMA, "input"): 0}
    assert totals(lines(*batches[:3])) == {(VLLM, LLAMA, "cache_read"): 60, (VLLM, LLAMA, "input"): 40}
    assert totals(lines(*batches)) == {(VLLM, LLAMA, "cache_read"): 60, (VLLM, LLAMA, "input"): 90}


def test_what_is_owed_survives_a_saved_state_but_not_a_restart_of_the_engine():
    polls = [engine(START, prompt_tokens=5, cached_tokens=0), engine(START + 1, prompt_tokens=5, cached_tokens=60)]
    first = derived(*polls)
    second = Deriver(book(None))
    second.load(first.dump())
    second.advance(engine(START + 2, prompt_tokens=105, cached_tokens=60))
    assert totals(second.open_lines())[VLLM, LLAMA, "input"] == 40
    first.advance(engine(START + 2, prompt_tokens=4, cached_tokens=1))
    assert totals(first.open_lines())[VLLM, LLAMA, "input"] == 3


def test_ranks_and_reasons_of_one_model_are_added():
    def poll(ts, a, b):
        ranks = [(Series.of("output_tokens", model=LLAMA, rank=r), float(v)) for r, v in (("0", a), ("1", b))]
        ends = [(Series.of("requests", model=LLAMA, reason=r), float(v)) for r, v in (("stop", a), ("length", b))]
        return batch(VLLM, ts, [*ranks, *ends])

    assert totals(lines(poll(START, 1, 1), poll(START + 1, 4, 6))) == {
        (VLLM, LLAMA, "output"): 8,
        (VLLM, LLAMA, "requests"): 8,
    }


def test_an_engine_error_that_is_also_an_answer_with_status_5xx_counts_once():
    def poll(ts, **failed):
        said = [(Series.of("requests_failed", model=LLAMA, reason=r), float(v)) for r, v in failed.items()]
        return batch(VLLM, ts, said)

    both = lines(poll(START, error=0, **{"5xx": 0, "4xx": 0}), poll(START + 1, error=2, **{"5xx": 2, "4xx": 3}))
    alone = lines(poll(START, error=0), poll(START + 1, error=2))
    assert totals(both) == {(VLLM, LLAMA, "requests_failed"): 5}
    assert totals(alone) == {(VLLM, LLAMA, "requests_failed"): 2}


def test_an_increase_belongs_to_the_minute_in_which_it_was_read():
    found = lines(engine(START + 59, requests=1), engine(START + 59.9, requests=2), engine(START + 60, requests=5))
    assert [(line.start, line.quantity) for line in found] == [(START, 1), (START + 60, 3)]


def test_a_gap_is_one_line_a_resource_over_the_time_in_which_nobody_polled():
    found = lines(
        engine(START + 10.4, prompt_tokens=10, requests=1, started=5),
        engine(START + 190.2, prompt_tokens=500, requests=11, started=5),
    )
    assert [(line.start, line.end, line.resource, line.quantity, line.flags) for line in found] == [
        (START + 10, START + 191, "input", 490, "gap"),
        (START + 10, START + 191, "requests", 10, "gap"),
    ]


def test_a_restart_counts_the_new_values_in_full_and_marks_the_minute():
    found = lines(
        engine(START, output_tokens=900, started=100),
        engine(START + 1, output_tokens=950, started=100),
        engine(START + 3, output_tokens=30, started=START + 2),
    )
    assert [(line.quantity, line.flags) for line in found] == [(80, "restart")]


def test_a_restart_after_a_long_silence_is_booked_since_the_engine_began():
    found = lines(
        engine(START, output_tokens=900, started=100),
        engine(START + 3600, output_tokens=700, started=START + 1800),
    )
    assert [(line.start, line.end, line.quantity, line.flags) for line in found] == [
        (START + 1800, START + 3600, 700, "gap restart")
    ]


def test_the_first_reading_is_a_baseline_and_a_later_series_counts_from_zero():
    found = lines(engine(START, requests=10_000), engine(START + 1, requests=10_000, output_tokens=70))
    # That it counts requests, and that there was none, is known.
    assert totals(found) == {(VLLM, LLAMA, "output"): 70, (VLLM, LLAMA, "requests"): 0}


def test_fractions_of_a_token_are_carried_on_until_they_are_whole():
    polls = [engine(START + i, output_tokens=i * 0.25) for i in range(11)]
    assert totals(lines(*polls)) == {(VLLM, LLAMA, "output"): 2}


@pytest.mark.parametrize("value", [math.nan, math.inf, -5.0, 1e300, 5e13])
def test_a_reading_that_no_engine_can_have_counts_nothing(value):
    found = lines(
        engine(START, output_tokens=10), engine(START + 1, output_tokens=value), engine(START + 2, output_tokens=value)
    )
    assert totals(found) == {}


def test_a_batch_that_was_taken_already_adds_nothing():
    polls = [engine(START, requests=1), engine(START + 1, requests=5)]
    assert totals(lines(*polls, polls[1], polls[0])) == {(VLLM, LLAMA, "requests"): 4}


def test_what_no_meter_of_this_kind_says_is_passed_over():
    assert lines(batch("openai", START, []), batch("openai", START + 1, [(Series.of("x_balance"), 1.0)])) == []


def test_lines_of_a_minute_leave_with_its_closing():
    deriver = derived(*[engine(START + 10 * i, requests=i) for i in range(8)])
    assert [line.quantity for line in deriver.close_before(START + 65)] == [5]
    assert [(line.start, line.quantity) for line in deriver.open_lines()] == [(START + 60, 2)]
    assert deriver.open_minutes() == [START + 60]
    assert deriver.watermark == START + 60


def test_what_comes_too_late_for_its_minute_is_booked_in_the_first_open_one():
    deriver = derived(engine(START + 50, requests=0))
    deriver.close_before(START + 60)
    deriver.advance(engine(START + 59, requests=4))
    assert [(line.start, line.quantity) for line in deriver.open_lines()] == [(START + 60, 4)]


def test_coverage_is_the_time_in_which_some_source_was_polled_without_a_gap():
    deriver = derived(
        engine(START + 50, requests=0),
        engine(START + 55, requests=0),
        engine(START + 52, source="b", requests=0),
        engine(START + 62, source="b", requests=0),
        engine(START + 100, source="b", requests=0),
        engine(START + 110, source="b", requests=0),
    )
    assert deriver.coverage_ms(START) == 10_000
    assert deriver.coverage_ms(START + 60) == 12_000
    assert deriver.coverage_ms(START + 120) == 0


def test_how_long_a_hole_may_be_is_said_for_each_source():
    polls = [engine(START, requests=0), engine(START + 40, requests=2)]
    found = derived(*polls, gap_seconds=lambda source: 60.0 if source == VLLM else 15.0).open_lines()
    assert [line.flags for line in found] == [""]


def test_a_state_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version 7"):
        Deriver(book()).load({"version": 7})

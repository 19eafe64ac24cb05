"""Increases across restarts, gaps, series that come and go, and readings that make no sense."""

import json
import math

import pytest

from infertop.readings.increase import Continuity
from infertop.readings.model import Batch, Buckets, Series

OUT = Series.of("output_tokens", model="m")
PROMPT = Series.of("prompt_tokens", model="m")
CACHED = Series.of("cached_tokens", model="m")
TTFT = Series.of("ttft_seconds", model="m")
RUNNING = Series.of("running", model="m")
ENERGY = Series.of("gpu_energy_joules", gpu="GPU-1")
LOST = Series("unreadable_lines")


def batch(ts, started=None, **values):
    names = {
        "out": OUT,
        "prompt": PROMPT,
        "cached": CACHED,
        "ttft": TTFT,
        "running": RUNNING,
        "energy": ENERGY,
        "lost": LOST,
    }
    return Batch("s", ts, tuple(names[name] for name in values), tuple(values.values()), started)


def seconds(*counts, bounds=(0.1, 1.0)):
    return Buckets((*bounds, math.inf), tuple(map(float, counts)), float(counts[-1]))


def follow(*batches, gap_seconds=15.0):
    """Return the last batch's advance, and its increases by metric."""
    continuity = Continuity(gap_seconds)
    advances = [continuity.advance(each) for each in batches]
    return advances[-1], {series.metric: amount for series, amount in advances[-1].increases}


# The first page, and series that appear.


def test_first_page_is_a_baseline_and_adds_nothing():
    advance, grown = follow(batch(10, out=5000.0, ttft=seconds(1, 2, 3)))
    assert (advance.ts, advance.dt, advance.restarted, advance.gap, grown) == (10, None, False, None, {})


def test_growth_is_what_was_added_since_the_last_page():
    advance, grown = follow(batch(10, out=5000.0, prompt=7.0), batch(11.5, out=5010.0, prompt=7.0))
    assert grown == {"output_tokens": 10}
    assert advance.dt == 1.5


def test_gauges_do_not_grow():
    assert follow(batch(10, running=1.0), batch(11, running=5.0))[1] == {}


def test_series_that_appears_on_a_watched_page_counts_from_0():
    assert follow(batch(10, out=5.0), batch(11, out=5.0, prompt=40.0, ttft=seconds(1, 2, 3)))[1] == {
        "prompt_tokens": 40,
        "ttft_seconds": seconds(1, 2, 3),
    }


def test_page_without_counters_is_not_yet_a_watched_page():
    assert follow(batch(10, running=1.0), batch(11, running=1.0, out=5000.0))[1] == {}
    assert follow(batch(10), batch(11, out=5000.0), batch(12, out=5001.0))[1] == {"output_tokens": 1}


def test_after_two_pages_without_counters_what_appears_counts_from_0():
    idle = (batch(10, running=0.0), batch(11, running=0.0))
    assert follow(*idle, batch(12, running=1.0, out=60.0))[1] == {"output_tokens": 60}
    assert follow(batch(10), batch(11), batch(12, out=60.0))[1] == {"output_tokens": 60}


def test_a_page_whose_counters_could_not_be_read_is_none_without_counters():
    nan, lost = float("nan"), 1.0
    assert follow(batch(10, out=nan), batch(11, out=nan), batch(12, out=5e6))[1] == {}
    assert follow(batch(10, lost=lost), batch(11, lost=lost), batch(12, lost=0.0, out=5e6))[1] == {}


def test_pages_without_counters_are_remembered_in_the_state():
    before, after = Continuity(15.0), Continuity(15.0)
    before.advance(batch(10))
    after.load(json.loads(json.dumps(before.dump())))
    after.advance(batch(11))
    assert [each.amount for each in after.advance(batch(12, out=60.0)).increases] == [60]


def test_meter_older_than_its_reader_has_a_baseline_whenever_it_appears():
    first, second = batch(10, out=5.0), batch(11, out=5.0, energy=1e9)
    assert follow(first, second)[1] == {}
    assert follow(first, second, batch(12, out=5.0, energy=1e9 + 300))[1] == {"gpu_energy_joules": 300}


def test_series_that_vanished_goes_on_where_it_was():
    assert follow(batch(10, out=5.0, prompt=1.0), batch(11, prompt=1.0), batch(12, out=8.0, prompt=1.0))[1] == {
        "output_tokens": 3
    }


def test_series_that_vanished_and_comes_back_lower_counts_in_full():
    assert follow(batch(10, out=5.0, prompt=1.0), batch(11, prompt=1.0), batch(12, out=2.0, prompt=1.0))[1] == {
        "output_tokens": 2
    }


# Falls and restarts.


def test_value_that_fell_counts_in_full():
    advance, grown = follow(batch(10, out=5.0, prompt=9.0, cached=9.0), batch(11, out=2.0, prompt=10.0, cached=10.0))
    assert grown == {"output_tokens": 2, "prompt_tokens": 1, "cached_tokens": 1}
    assert not advance.restarted


def test_changed_start_counts_everything_in_full():
    advance, grown = follow(batch(10, 1.0, out=5.0, prompt=3.0), batch(20, 15.0, out=9.0, prompt=3.0))
    assert grown == {"output_tokens": 9, "prompt_tokens": 3}
    assert advance.restarted


def test_start_that_wavers_by_less_than_a_second_is_the_same_process():
    advance, grown = follow(batch(10, 1.0, out=5.0), batch(11, 1.9, out=9.0))
    assert grown == {"output_tokens": 4}
    assert not advance.restarted


def test_fall_of_most_counters_is_no_restart_where_the_start_says_otherwise():
    advance, grown = follow(batch(10, 1.0, out=5.0, prompt=3.0), batch(11, 1.0, out=2.0, prompt=4.0))
    assert grown == {"output_tokens": 2, "prompt_tokens": 1}
    assert not advance.restarted


def test_without_a_start_the_fall_of_more_than_half_of_the_counters_is_a_restart():
    before = batch(10, out=5.0, prompt=3.0, ttft=seconds(0, 1, 4))
    advance, grown = follow(before, batch(11, out=2.0, prompt=9.0, ttft=seconds(0, 0, 1)))
    assert grown == {"output_tokens": 2, "prompt_tokens": 9, "ttft_seconds": seconds(0, 0, 1)}
    assert advance.restarted


def test_without_a_start_the_fall_of_half_of_the_counters_is_no_restart():
    advance, grown = follow(batch(10, out=5.0, prompt=3.0), batch(11, out=2.0, prompt=9.0))
    assert grown == {"output_tokens": 2, "prompt_tokens": 6}
    assert not advance.restarted


def test_counters_at_0_have_no_voice_in_what_a_restart_is():
    assert follow(batch(10, out=5.0, prompt=0.0, cached=0.0), batch(11, out=2.0, prompt=0.0, cached=0.0))[0].restarted


def test_start_that_is_known_on_the_second_page_only_leaves_it_to_the_counters():
    assert not follow(batch(10, None, out=5.0), batch(11, 1.0, out=6.0))[0].restarted
    assert follow(batch(10, None, out=5.0), batch(11, 1.0, out=4.0))[0].restarted


def test_page_that_lost_its_start_waits_for_the_next():
    first, silent = batch(10, 1.0, out=5.0), batch(11, None, out=6.0)
    advance, grown = follow(first, silent)
    assert (advance.ts, advance.dt, advance.restarted, grown) == (11, None, False, {})
    advance, grown = follow(first, silent, batch(12, 1.0, out=8.0))
    assert (advance.dt, advance.restarted, grown) == (2, False, {"output_tokens": 3})
    advance, grown = follow(first, silent, batch(12, 9.0, out=7.0))
    assert (advance.restarted, grown) == (True, {"output_tokens": 7})


def test_pages_that_never_tell_their_start_again_are_left_to_the_counters():
    silent = [batch(11 + n, None, out=6.0 + n) for n in range(4)]
    advance, grown = follow(batch(10, 1.0, out=5.0), *silent)
    assert (advance.dt, advance.restarted, grown) == (4, False, {"output_tokens": 4})
    assert follow(batch(10, 1.0, out=5.0), *silent, batch(20, None, out=1.0))[0].restarted
    assert not follow(batch(10, 1.0, out=5.0), *silent, batch(20, 19.0, out=10.0))[0].restarted


def test_series_that_vanished_before_a_restart_counts_in_full_after_it():
    batches = batch(10, 1.0, out=5.0, prompt=1.0), batch(11, 2.5, prompt=1.0), batch(12, 2.5, out=8.0, prompt=1.0)
    assert follow(*batches)[1] == {"output_tokens": 8}


def test_energy_of_a_gpu_is_not_counted_in_full_when_that_of_the_others_fell():
    gpus = tuple(Series.of("gpu_energy_joules", gpu=f"GPU-{n}") for n in range(3))
    advance = follow(Batch("nvml", 10, gpus, (1e9, 1e9, 1e9)), Batch("nvml", 11, gpus, (7.0, 8.0, 1e9 + 5)))[0]
    assert advance.restarted
    assert dict(advance.increases) == {gpus[0]: 7, gpus[1]: 8, gpus[2]: 5}


def test_reading_that_is_bad_right_after_a_restart_counts_in_full_once_it_is_good():
    batches = batch(10, 1.0, out=5.0, prompt=5.0), batch(11, 9.0, out=math.nan, prompt=1.0)
    assert follow(*batches, batch(12, 9.0, out=7.0, prompt=1.0))[1] == {"output_tokens": 7}


# Gaps and time.


def test_long_time_without_a_poll_is_a_gap():
    advance, grown = follow(batch(10, out=5.0), batch(30, out=9.0))
    assert (advance.gap, advance.dt, grown) == ((10, 30), 20, {"output_tokens": 4})


def test_time_up_to_the_limit_is_no_gap():
    assert follow(batch(10, out=5.0), batch(25, out=9.0))[0].gap is None


def test_restart_in_the_time_without_a_poll_is_no_gap():
    advance, _ = follow(batch(10, 1.0, out=5.0), batch(30, 22.0, out=9.0))
    assert (advance.restarted, advance.gap, advance.dt) == (True, None, 20)


@pytest.mark.parametrize("ts", [10, 9])
def test_time_that_does_not_go_on_gives_no_span(ts):
    advance, grown = follow(batch(10, out=5.0), batch(ts, out=6.0))
    assert (advance.dt, advance.gap, grown) == (None, None, {"output_tokens": 1})


# Histograms.

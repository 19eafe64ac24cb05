"""What is remembered of counters between two polls, and between two runs."""

import json
from dataclasses import replace

from infertop.readings.increase import Continuity
from infertop.readings.model import Batch, Series
from tests.readings.test_increase import OUT, PROMPT, TTFT, batch, follow, seconds


def test_state_is_plain_json_and_goes_on_where_it_was():
    continuity = Continuity(15)
    continuity.advance(batch(10, 1.0, out=5.0, prompt=2.0, ttft=seconds(1, 2, 3)))
    continuity.advance(batch(11, 1.0, out=6.0, ttft=seconds(1, 2, 3)))
    again = Continuity(15)
    again.load(json.loads(json.dumps(continuity.dump(), allow_nan=False)))
    assert again.dump() == continuity.dump()
    later = batch(100, 1.0, out=9.0, prompt=5.0, ttft=seconds(1, 2, 4))
    advance = again.advance(later)
    assert advance == continuity.advance(later)
    assert dict(advance.increases) == {OUT: 3, PROMPT: 3, TTFT: seconds(0, 0, 1)}
    assert advance.gap == (11, 100)


def test_state_remembers_the_pages_that_lost_their_start():
    continuity, again = Continuity(15), Continuity(15)
    for each in (batch(10, 1.0, out=5.0), batch(11, None, out=6.0), batch(12, None, out=7.0)):
        continuity.advance(each)
    again.load(json.loads(json.dumps(continuity.dump())))
    for each in (batch(13, None, out=8.0), batch(14, None, out=9.0)):
        assert again.advance(each) == continuity.advance(each)


def test_state_of_a_source_never_seen_is_still_that():
    again = Continuity(15)
    again.load(Continuity(15).dump())
    assert again.advance(batch(10, out=5.0)).increases == ()


def test_state_that_is_taken_up_replaces_what_was_remembered():
    continuity, empty = Continuity(15), Continuity(15)
    continuity.advance(batch(10, out=5.0))
    continuity.load(empty.dump())
    assert continuity.dump() == empty.dump()


def test_memory_of_series_that_vanished_is_bounded(monkeypatch):
    monkeypatch.setattr("infertop.readings.increase._REMEMBERED", 100)
    continuity = Continuity(15)
    for n in range(1000):
        series = tuple(Series.of("output_tokens", model=f"m{n}-{i}") for i in range(10))
        continuity.advance(Batch("s", float(n), series, (1.0,) * 10))
    assert len(continuity.dump()["values"]) <= 110


def test_page_of_the_same_shape_is_not_matched_again(monkeypatch):
    continuity = Continuity(15)
    first = batch(10, out=5.0)
    continuity.advance(first)
    monkeypatch.setattr("infertop.readings.increase._meters", None)
    assert continuity.advance(replace(first, values=(7.0,))).increases == ((OUT, 2),)


def test_same_series_in_a_new_tuple_go_on():
    first = batch(10, out=5.0, prompt=3.0)
    second = replace(first, ts=11, series=tuple(reversed(first.series)), values=(4.0, 7.0))
    assert follow(first, second)[1] == {"output_tokens": 2, "prompt_tokens": 1}


# A first page of which lines could not be read.


def test_what_could_be_read_of_a_doubtful_first_page_is_a_baseline():
    assert follow(batch(10, out=5.0, lost=1.0), batch(11, out=8.0, lost=1.0))[1] == {"output_tokens": 3}


def test_a_line_lost_on_the_first_page_is_a_baseline_when_it_comes():
    pages = batch(10, out=5.0, lost=1.0), batch(11, out=5.0, prompt=9000.0, lost=0.0)
    assert follow(*pages)[1] == {}
    assert follow(*pages, batch(12, out=5.0, prompt=9010.0, lost=0.0))[1] == {"prompt_tokens": 10}


def test_after_a_whole_page_what_appears_is_new_again():
    pages = batch(10, out=5.0, lost=1.0), batch(11, out=5.0, lost=0.0), batch(12, out=5.0, prompt=40.0, lost=0.0)
    assert follow(*pages)[1] == {"prompt_tokens": 40}


def test_after_a_restart_a_doubtful_page_counts_in_full():
    pages = batch(10, 1.0, out=5.0, lost=1.0), batch(20, 15.0, out=2.0, prompt=40.0, lost=1.0)
    assert follow(*pages)[1] == {"output_tokens": 2, "prompt_tokens": 40}


def test_doubt_outlives_a_dump():
    continuity = Continuity(15.0)
    continuity.advance(batch(10, out=5.0, lost=1.0))
    taken_up = Continuity(15.0)
    taken_up.load(json.loads(json.dumps(continuity.dump())))
    assert taken_up.advance(batch(11, out=5.0, prompt=9000.0, lost=1.0)).increases == ()

"""Lines of LiteLLM's page come and go, fall and break off, and workers take turns: each increase counts once."""

from __future__ import annotations

import pytest

from collectors import _litellm_lines, _litellm_workers
from infertop.engine.collector import Unavailable
from tests.collectors.litellm_pages import (
    CACHED,
    PAGE,
    PROMPT,
    REQUESTS,
    SPEND,
    TOKENS,
    line,
    page,
    read,
    spent,
    standing,
    told,
)
from tests.collectors.reading import grown, recorded, source, totals


def test_the_first_page_is_a_baseline_and_a_line_that_appears_later_counts_in_full() -> None:
    first, second = read(
        page(line(TOKENS, 1000), line(SPEND, 7)),
        page(line(TOKENS, 1010), line(TOKENS, 5, user="new"), line(SPEND, 7.25)),
        every=60,
    )
    assert totals(first) == {"output_tokens": 0}
    assert totals(second) == {"output_tokens": 15}
    assert told(second) == {("openai", "gpt-4o"): 250_000_000, ("openai", "gpt-4o", "new"): None}
    assert first.started == second.started == 100.0


def test_a_line_that_the_proxy_dropped_and_that_comes_back_counts_once() -> None:
    both, one = page(line(TOKENS, 10), line(TOKENS, 1000, user="b")), page(line(TOKENS, 20))
    back = page(line(TOKENS, 30), line(TOKENS, 3, user="b"))
    said = [totals(each)["output_tokens"] for each in read(both, one, back, page(line(TOKENS, 31)))]
    assert said == [0, 10, 23, 24]


def test_after_a_restart_of_the_proxy_everything_counts_in_full_wherever_its_start_stands() -> None:
    before = page(line(TOKENS, 10), started=1.7e9)
    after = page(line(TOKENS, 12), started=None) + b"process_start_time_seconds 1.7001e9\n"
    assert [totals(each)["output_tokens"] for each in read(before, after)] == [0, 12]


def test_workers_that_answer_in_turns_with_counters_of_their_own_are_each_followed() -> None:
    one, two = {"started": 40.0}, {"started": 60.0}
    pages = [
        page(line(TOKENS, 1000), line(SPEND, 5), **one),
        page(line(TOKENS, 700), line(SPEND, 3), **two),  # began before infertop did: what it has is not new
        page(line(TOKENS, 1010), line(SPEND, 5.5), **one),
        page(line(TOKENS, 1011), line(SPEND, 5.5), **one),
        page(line(TOKENS, 720), line(TOKENS, 7, user="b"), line(SPEND, 3.25), **two),
        page(line(TOKENS, 4), line(SPEND, 0.125), started=170.0),  # one that began later counts in full
        page(line(TOKENS, 1011), line(SPEND, 5.5), **one),
    ]
    batches = read(*pages)
    assert [totals(each)["output_tokens"] for each in batches] == [0, 0, 10, 11, 38, 42, 42]
    assert spent(batches) == (500 + 250 + 125) * 10**6


def test_a_line_that_one_of_many_workers_has_is_kept_however_seldom_it_is_asked() -> None:
    others = [page(line(TOKENS, 5), started=10.0 + 5 * number) for number in range(8)]
    rare = [page(line(TOKENS, 100 + number, user="rare"), started=70.0) for number in range(3)]
    said = read(*others, rare[0], *others * 3, rare[1], *others * 3, rare[2])
    assert totals(said[-1])["output_tokens"] == 2


def test_a_worker_that_was_forgotten_begins_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_litellm_workers, "MOST_LINES", 3)
    many = [line(TOKENS, 1000, user=f"u{number}") for number in range(3)]
    pages = [page(started=90.0), page(*many, started=150.0), page(line(TOKENS, 5), started=90.0)]
    again = page(*many, started=150.0)
    said = [totals(each)["output_tokens"] for each in read(*pages, again)[1:]]
    assert said == [3000, 3005, 3005]


def test_a_counter_that_fell_counts_in_full_where_several_workers_do_not_say_when_they_began() -> None:
    pages = [page(line(TOKENS, count), started=None) for count in (100, 130, 4)]
    assert [totals(each)["output_tokens"] for each in read(*pages)] == [0, 30, 34]


def test_what_infertop_makes_of_it_is_what_the_proxy_counted_also_over_restarts_of_both() -> None:
    pages = [(float(at), 200, page(line(TOKENS, count)).decode()) for at, count in enumerate((5, 7, 20, 20, 31))]
    once = recorded(source("litellm"), pages[:3])
    again = recorded(source("litellm"), pages[3:])
    assert grown(advance for _, advance in once) == {("output_tokens", "gpt-4o"): 15}
    assert grown(advance for _, advance in again) == {("output_tokens", "gpt-4o"): 11}


@pytest.mark.parametrize("value", ["1e300", "1e15", "+Inf", "NaN", "-1", "1e-400", "0x10", "1_0"])
def test_what_is_no_count_counts_for_nothing_and_harms_nothing(value: str) -> None:
    said = [line(name, value, user="odd") for name in (SPEND, TOKENS, PROMPT, CACHED, REQUESTS)]
    batches = read(page(line(SPEND, 1)), page(line(SPEND, 1.5), *said), page(line(SPEND, 2), *said), every=7)
    assert spent(batches) == 10**9
    assert {each.dimensions.get("user") for each in standing(batches)} == {None}


def test_a_page_that_breaks_off_counts_for_nothing() -> None:
    collector = source("litellm")
    collector.parse(page(line(TOKENS, 10)), 1.0)
    with pytest.raises(Unavailable, match="ends in the middle of a line"):
        collector.parse(page(line(TOKENS, 90), line(TOKENS, 5, user="b")).removesuffix(b"\n"), 2.0)
    assert totals(collector.parse(page(line(TOKENS, 12)), 3.0)) == {"output_tokens": 2}


def test_series_are_the_same_object_from_poll_to_poll() -> None:
    first, again = read(PAGE, PAGE)
    assert first.series is again.series


def test_time_stamps_and_exemplars_do_not_make_a_line_another() -> None:
    stamped = [page(line(TOKENS, count).replace("\n", f' {count}000 # {{id="}} "}} 1\n')) for count in (10, 12)]
    assert [totals(each) for each in read(*stamped)] == [{"output_tokens": 0}, {"output_tokens": 2}]


def test_lines_beyond_the_limit_are_counted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_litellm_lines, "MAX_LINES", 1000)
    _, batch = read(page(), page(*(line(TOKENS, 1, user=f"u{i}") for i in range(1010))))
    assert totals(batch) == {"output_tokens": 1000}
    assert batch.rejected == 10
    assert "10 series are beyond what a page may have" in batch.notes[0]

"""Histograms of a page, and which names of a table a page keeps."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.readings.exposition import Exposition
from infertop.readings.mapping import Plan, Rule
from infertop.readings.model import Buckets, Series
from tests.collectors.test_mapping import OUTPUT, read, table


def histogram(model, shard, buckets, total, name="ttft"):
    labels = f'model_name="{model}",shard="{shard}"'
    lines = [f'{name}_bucket{{{labels},le="{bound}"}} {count}' for bound, count in buckets]
    return "\n".join([*lines, f"{name}_sum{{{labels}}} {total}", ""])


TTFT = table(Rule("ttft_seconds", ("ttft",)))
KEY = Series.of("ttft_seconds", model="m", rank="a")


def test_a_histograms_buckets_are_put_in_order_of_their_bounds():
    page = histogram("m", "a", [("+Inf", 9), ("0.5", 4), ("1e-1", 1)], 3.5)
    assert read(TTFT, page) == {KEY: Buckets((0.1, 0.5, math.inf), (1.0, 4.0, 9.0), 3.5)}


def test_histograms_stay_apart_with_bounds_of_their_own():
    page = histogram("m", "a", [("0.1", 1), ("0.5", 4), ("+Inf", 9)], 3.5)
    page += histogram("m", "b", [("0.2", 2), ("0.5", 3), ("+Inf", 3)], 1.0)
    assert read(TTFT, page) == {
        KEY: Buckets((0.1, 0.5, math.inf), (1.0, 4.0, 9.0), 3.5),
        Series.of("ttft_seconds", model="m", rank="b"): Buckets((0.2, 0.5, math.inf), (2.0, 3.0, 3.0), 1.0),
    }


def test_histograms_whose_labels_read_alike_are_not_mixed():
    one, two = ('ttft_bucket{{{0},le="+Inf"}} {1}\nttft_sum{{{0}}} {1}\n'.format(*row) for row in (
        ('model_name="m",shard="a/b",zone="c"', 5),
        ('model_name="m",shard="a",zone="b/c"', 7),
    ))  # fmt: skip
    assert read(TTFT, one + two) == {
        Series.of("ttft_seconds", model="m", rank="a/b/c"): Buckets((math.inf,), (5.0,), 5.0)
    }


def test_a_histogram_in_milliseconds_is_scaled_with_its_bounds_and_sum():
    scaled = table(Rule("ttft_seconds", ("ttft",), per=1e3))
    assert read(scaled, histogram("m", "a", [("100", 1), ("+Inf", 2)], 350)) == {
        KEY: Buckets((0.1, math.inf), (1.0, 2.0), 0.35)
    }


@pytest.mark.parametrize(
    "page",
    [
        histogram("m", "a", [("0.1", 1), ("0.5", 4)], 3.5),
        histogram("m", "a", [("0.1", 5), ("0.5", 4), ("+Inf", 9)], 3.5),
        histogram("m", "a", [("0.1", 1), ("+Inf", "NaN")], 3.5),
        histogram("m", "a", [("0.1", 1), ("+Inf", 2)], "NaN"),
        histogram("m", "a", [("0.1", 1), ("+Inf", 2)], 1).rpartition("ttft_sum")[0],
        histogram("m", "a", [("soon", 1), ("nan", 2)], 1),
        'ttft_bucket{model_name="m"} 3\nttft_sum{model_name="m"} 3\n',
    ],
    ids=["no +Inf", "falling", "NaN count", "NaN sum", "no sum", "no bounds", "no le"],
)
def test_a_broken_histogram_is_absent(page):
    assert read(TTFT, page) == {}


def test_the_start_of_the_process_is_read_where_the_page_has_it():
    rules = table(Rule("running", ("a",)), started="process_start_time_seconds")
    for text, expected in [("1.79e9", 1.79e9), ("NaN", None), ("0", None), ("-5", None), ("1.79", None)]:
        page = Exposition(rules.wanted()).parse(f"a 1\nprocess_start_time_seconds {text}\n".encode())
        assert Plan(rules, page.layout).started(page.values) == expected
    page = Exposition(rules.wanted()).parse(b"a 1\n")
    assert Plan(rules, page.layout).started(page.values) is None


_TOKENS = st.lists(
    st.tuples(st.sampled_from("mn"), st.sampled_from("01"), st.integers(0, 10**12)), unique_by=lambda row: row[:2]
)


def plans(rules, *texts):
    """Read pages one after the other, each with the choices of those before it."""
    reader, before = Exposition(rules.wanted()), None
    for text in texts:
        page = reader.parse(text.encode())
        plan = Plan(rules, page.layout, before=before)
        before = plan.choices
        yield dict(zip(*plan.read(page.values), strict=True)), before.lacking


NEW, OLD = 'eng:generation_tokens_total{model_name="m"} 7\n', 'eng:tokens_total{model_name="m"} 5\n'
TOKENS = Series.of("output_tokens", model="m")


def test_a_name_whose_line_is_missing_for_once_is_not_replaced_by_one_that_counts_something_else():
    pages = list(plans(OUTPUT, NEW + OLD, OLD, NEW + OLD))
    assert pages == [({TOKENS: 7.0}, False), ({}, True), ({TOKENS: 7.0}, False)]


def test_an_earlier_name_takes_over_when_it_comes():
    assert [said for said, _ in plans(OUTPUT, OLD, NEW + OLD)] == [{TOKENS: 5.0}, {TOKENS: 7.0}]


def test_a_rule_whose_line_is_missing_for_once_is_not_replaced_by_a_later_one():
    rules = table(Rule("output_tokens", ("own",)), Rule("output_tokens", ("theirs",)))
    theirs, own = 'theirs{model_name="m"} 5\n', 'own{model_name="m",shard="a"} 7\nown{model_name="m",shard="b"} 8\n'
    other = 'own{model_name="n"} 1\n'
    here = {Series.of("output_tokens", model="m", rank="a"): 7.0, Series.of("output_tokens", model="m", rank="b"): 8.0}
    there = {Series.of("output_tokens", model="n"): 1.0}
    assert list(plans(rules, own + theirs + other, theirs + other, own + theirs + other)) == [
        (here | there, False),
        (there, True),
        (here | there, False),
    ]
    assert [said for said, _ in plans(rules, theirs + other)] == [there | {TOKENS: 5.0}]


def test_series_are_bounded_on_a_page_and_over_all_pages(monkeypatch):
    monkeypatch.setattr("infertop.readings.mapping.MAX_SERIES", 3)
    monkeypatch.setattr("infertop.readings.mapping.MAX_METRICS", 3)
    texts = ["".join(f'eng:tokens_total{{model_name="m{n + first}"}} 1\n' for n in range(2)) for first in (0, 2, 4)]
    assert [len(said) for said, _ in plans(OUTPUT, *texts)] == [2, 1, 0]
    ranks = "".join(f'eng:tokens_total{{model_name="m",engine="{n}"}} 1\n' for n in range(5))
    page = Exposition(OUTPUT.wanted()).parse(ranks.encode())
    plan = Plan(OUTPUT, page.layout)
    assert (len(plan.series), plan.choices.dropped) == (3, 2)


@given(_TOKENS)
def test_nothing_is_lost_or_counted_twice_whatever_the_order_of_a_page(rows):
    text = "".join(f'eng:tokens_total{{model_name="{m}",shard="{s}"}} {v}\n' for m, s, v in rows)
    assert sum(read(OUTPUT, text).values()) == sum(value for _, _, value in rows)


def test_a_unit_that_opentelemetry_put_behind_a_name_is_passed_over():
    rules = table(
        Rule("requests", ("eng:done",)),
        Rule("kv_cache_usage", ("eng:kv",)),
        Rule("prompt_tokens", ("eng:length_sum",)),
        Rule("queue_seconds_total", ("eng:queue",)),
        Rule("ttft_seconds", ("ttft",)),
    )
    text = 'eng_done_total{model_name="m"} 4\neng_kv_ratio{model_name="m"} 0.5\neng_length_sum{model_name="m"} 7\n'
    text += 'eng_queue_seconds_total{model_name="m"} 9\n'
    text += histogram("m", "a", [("0.1", 1), ("+Inf", 2)], 3.5, name="ttft_seconds")
    said = read(rules, text)
    assert [value for value in said.values() if isinstance(value, float)] == [4.0, 0.5, 7.0, 9.0]
    assert said[KEY] == Buckets((0.1, math.inf), (1.0, 2.0), 3.5)

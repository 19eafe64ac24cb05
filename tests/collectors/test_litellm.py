"""LiteLLM's page: increases by model, tokens and spend by who it was, told of each minute whole."""

from __future__ import annotations

import itertools
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import _litellm_books
from collectors._litellm_books import MAX_STATEMENTS
from collectors._litellm_labels import MAX_MODELS
from tests.collectors.litellm_pages import (
    CACHED,
    PAGE,
    PROMPT,
    QUIET,
    REASONING,
    REQUESTS,
    SPEND,
    TOKENS,
    WRITTEN,
    line,
    page,
    read,
    spent,
    standing,
    told,
)
from tests.collectors.reading import labels, payload, source, totals


def test_the_real_pages_quantities() -> None:
    _, batch = read(QUIET, PAGE)
    assert totals(batch) == pytest.approx(
        {
            "requests": 5,
            "requests_failed": 1,
            "prompt_tokens": 30,
            "output_tokens": 84,
            "request_seconds_total": 0.4344139797447754,
            "queue_seconds_total": 0.2559189796447754,
        }
    )
    assert labels(batch, "requests") == {(("model", "tiny-llama"), ("provider", "hosted_vllm"))}
    assert labels(batch, "requests_failed") == {(("provider", "litellm"), ("reason", "4xx"))}  # nobody serves it


def test_who_used_and_spent_what_is_told_with_every_page_of_a_minute_and_whole() -> None:
    more = PAGE.replace(b"0.000198", b"0.000298")
    batches = read(QUIET, PAGE, PAGE, more, more, every=12.0)  # 100, 112, 124 | 136: the minutes are 60 to 120 to 180
    assert [len(each.statements) for each in batches] == [0, 1, 0, 1, 1]
    (said,) = batches[1].statements
    assert (said.source, said.provider, said.model, said.start, said.end) == (
        "litellm",
        "hosted_vllm",
        "tiny-llama",
        100.0,
        112.0,
    )
    assert said.dimensions == {"key": "litellm_proxy_master_key", "user": "default_user_id"}
    assert (said.usd_nano, said.quantities, said.requests) == (198_000, {"input": 30, "output": 84}, 5)
    assert said.basis == "computed"
    (again,) = batches[4].statements
    assert (again.start, again.usd_nano, again.requests) == (120.0, 100_000, 0)
    assert spent(batches) == 298_000


def test_what_grew_over_a_hole_is_told_of_the_whole_hole_and_once() -> None:
    pages = [page(line(SPEND, usd)) for usd in (0, 1, 5, 7, 8)]
    collector = source("litellm")
    ats = (100.0, 110.0, 1000.0, 1010.0, 1030.0)
    batches = [collector.parse(each, at) for at, each in zip(ats, pages, strict=True)]
    assert [(s.start, s.end, s.usd_nano) for s in standing(batches)] == [
        (100.0, 110.0, 10**9),
        (110.0, 1000.0, 4 * 10**9),
        (1000.0, 1010.0, 2 * 10**9),
        (1020.0, 1030.0, 10**9),
    ]


def test_tokens_are_disjoint_classes_of_whom_they_belong_to() -> None:
    who = {"api_key_alias": "prod"}
    lines = [(PROMPT, 1000), (CACHED, 600), (WRITTEN, 150), (TOKENS, 90), (REASONING, 40), (SPEND, 0.01), (REQUESTS, 3)]
    _, batch = read(page(), page(*(line(name, value, **who) for name, value in lines), line(TOKENS, 7)))
    first, second = batch.statements
    assert first.dimensions == {"key": "prod"}
    assert first.quantities == {"input": 250, "cache_read": 600, "cache_write_5m": 150, "output": 50, "reasoning": 40}
    assert (first.requests, first.usd_nano) == (3, 10_000_000)
    assert (second.dimensions, second.quantities, second.requests) == ({}, {"output": 7}, None)


def test_a_cached_prompt_whose_whole_length_comes_a_page_later_is_counted_once() -> None:
    pages = [((10, 0), (10, 30), (50, 30))]
    ((first, second, third),) = pages
    batches = read(*(page(line(PROMPT, prompt), line(CACHED, cached)) for prompt, cached in (first, second, third)))
    used = [each.quantities for each in standing(batches)]
    assert sum(each["input"] for each in used) == 10
    assert sum(each.get("cache_read", 0) for each in used) == 30


def test_a_model_that_litellm_knows_no_price_of_has_no_stated_cost() -> None:
    _, batch = read(page(), page(line(TOKENS, 5), line(SPEND, 0)))
    assert [(each.quantities, each.usd_nano) for each in batch.statements] == [({"output": 5}, None)]


def test_tags_and_own_labels_that_are_set_tell_who_it_was() -> None:
    who = {"tag_prod": "true", "tag_night_ly": "true", "tag_dev": "false", "metadata_project": "apollo"}
    _, batch = read(page(), page(line(SPEND, 1, **who, metadata_color="blue", metadata_feature="None")))
    (said,) = batch.statements
    assert said.dimensions == {"tag": "night_ly,prod", "project": "apollo"}


# 1e-9 USD for a token of input, cache_read and output, as the proxy was configured (the last one: as it lists it).
PAID = {"tiny-llama": (1000, 0, 2000), "tiny-alias": (150, 0, 600), "gpt-4o-mini": (150, 75, 600)}


def test_a_real_page_with_keys_costs_each_caller_what_its_tokens_cost_there() -> None:
    whole = payload("litellm/1.100.0_keys.txt")
    bare = b"\n".join(each for each in whole.split(b"\n") if each.startswith((b"#", b"process_"))) + b"\n"
    _, batch = read(bare, whole)
    for said in batch.statements:
        used = (said.quantities.get(name, 0) for name in ("input", "cache_read", "output"))
        assert said.usd_nano == sum(map(operator.mul, used, PAID[said.model or ""]))
    by_key = {key: sum(s.requests or 0 for s in batch.statements if s.dimensions["key"][:10] == key) for key in KEYS}
    assert by_key == KEYS
    tagged = {tuple(sorted(s.dimensions)) for s in batch.statements if s.dimensions.get("team") == "support"}
    assert tagged == {
        ("customer", "key", "project", "tag", "team", "user"),
        ("customer", "environment", "key", "project", "tag", "team", "user"),
    }


KEYS = {"key-search": 30, "b4d7d85a69": 27, "key-suppor": 15}


def test_names_are_taken_before_ids_and_what_is_none_is_left_out() -> None:
    who = {"api_key_alias": "prod", "hashed_api_key": "88dc", "team": "t-1", "team_alias": "support", "user": "None"}
    _, batch = read(page(), page(line(SPEND, 0.5, **who, user_email="a@example.com", end_user="acme")), every=60)
    (said,) = batch.statements
    assert said.dimensions == {"key": "prod", "team": "support", "user": "a@example.com", "customer": "acme"}


def test_where_the_deprecated_counter_of_requests_is_gone_the_answers_are_counted_and_never_both() -> None:
    answered = line("litellm_request_total_latency_metric_count", 4)
    assert totals(read(page(), page(answered))[1]) == {"requests": 4}
    assert totals(read(page(), page(answered, line(REQUESTS, 3)))[1]) == {"requests": 3}


def test_a_failure_is_the_models_where_its_name_was_served_and_tells_who_was_at_fault() -> None:
    failed = "litellm_proxy_failed_requests_metric_total"
    lines = [
        line(failed, 2, model="", exception_status="429"),
        line(failed, 3, model="", exception_status="503"),
        line(failed, 1, model="", exception_status="None"),
        line(failed, 9, model="", exception_status="401", requested_model=""),  # a look at this page without a key
    ]
    # On the page failures stand before what was served under the same name.
    _, batch = read(page(), page(*lines, line(REQUESTS, 1)))
    said = {s.label("reason"): (s.label("model"), v) for s, v in zip(batch.series, batch.values, strict=True)}
    assert {reason: said[reason] for reason in ("4xx", "5xx", "other")} == {
        "4xx": ("gpt-4o", 2),
        "5xx": ("gpt-4o", 3),
        "other": ("gpt-4o", 1),
    }
    assert totals(batch)["requests_failed"] == 6


def test_less_than_a_billionth_of_a_dollar_waits_until_it_is_one() -> None:
    pages = [page(line(SPEND, f"{count * 0.6e-9:.12f}")) for count in range(4)]
    assert [sum(told(each).values()) for each in read(*pages, every=60)] == [0, 0, 1, 0]


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=40), st.sampled_from([7.0, 15.0, 60.0, 61.0, 300.0]))
def test_spend_adds_up_to_the_proxys_own_sum_whatever_the_steps(steps: list[int], every: float) -> None:
    sums = list(itertools.accumulate(steps))
    batches = read(page(line(SPEND, 0)), *(page(line(SPEND, repr(nano * 1e-9))) for nano in sums), every=every)
    assert spent(batches) == sums[-1]


def test_the_difference_of_two_spends_is_what_was_spent_to_the_billionth() -> None:
    _, batch = read(page(line(SPEND, "0.0002")), page(line(SPEND, "0.0003")), every=60)
    assert told(batch) == {("openai", "gpt-4o"): 100_000}


def test_beyond_so_many_spenders_the_smallest_are_told_together_and_none_is_lost() -> None:
    spenders = [line(SPEND, 1 + number, user=f"u{number}") for number in range(MAX_STATEMENTS + 50)]
    _, batch = read(page(), page(*spenders))
    assert len(batch.statements) == MAX_STATEMENTS + 1
    assert sum(each.usd_nano for each in batch.statements) == sum(range(1, MAX_STATEMENTS + 51)) * 10**9
    (rest,) = (each for each in batch.statements if not each.dimensions)
    assert rest.usd_nano == sum(range(1, 51)) * 10**9


def test_where_very_many_spend_it_is_told_by_ten_minutes_and_by_one_again_where_few_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_litellm_books, "_MANY", 2)
    many = [page(*(line(SPEND, at, user=f"u{number}") for number in range(3))) for at in range(25)]
    one = [page(*(line(SPEND, 24 + at * (who == 0), user=f"u{who}") for who in range(3))) for at in range(1, 37)]
    batches = read(*many, *one, every=30.0)  # at 820 s the last of many, at 1900 s the last
    assert sorted({s.start for s in standing(batches)}) == [120.0, 180.0, 600.0, 1200.0, 1800.0, 1860.0]
    assert spent(batches) == (3 * 24 + 36) * 10**9


def test_endless_names_of_models_are_one() -> None:
    _, batch = read(page(), page(*(line(TOKENS, 1, model=f"m{i}") for i in range(MAX_MODELS + 100))))
    assert totals(batch) == {"output_tokens": MAX_MODELS + 100}
    assert len(batch.series) == MAX_MODELS + 1

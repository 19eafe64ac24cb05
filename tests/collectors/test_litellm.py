"""LiteLLM's page: increases by model, spend by who it was, lines that come and go, pages of tens of megabytes."""

from __future__ import annotations

import gzip
import itertools
import operator
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import _litellm_books, _litellm_lines, _litellm_workers
from collectors._litellm_books import MAX_STATEMENTS
from collectors._litellm_labels import MAX_MODELS
from infertop.engine.collector import State, Unavailable
from tests.collectors.reading import grown, labels, payload, recorded, source, totals

PAGE = payload("litellm/1.100.0.txt")
QUIET = b"\n".join(line for line in PAGE.split(b"\n") if line.startswith((b"#", b"process_"))) + b"\n"
SPEND, TOKENS, REQUESTS, PROMPT, CACHED, WRITTEN, REASONING = (
    f"litellm_{each}_metric_total"
    for each in (
        *("spend", "output_tokens", "requests", "input_tokens"),
        *("input_cached_tokens", "input_cache_creation_tokens", "output_reasoning_tokens"),
    )
)


def line(name: str, value: object, **labels: str) -> str:
    labels = {"model": "gpt-4o", "requested_model": "chat", "api_provider": "openai"} | labels
    pairs = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{pairs}}} {value}\n"


def page(*lines: str, started: float | None = 1.7e9) -> bytes:
    start = "" if started is None else f"process_start_time_seconds {started}\n"
    return ("# TYPE litellm_spend_metric_total counter\n" + start + "".join(lines)).encode()


def read(*pages: bytes, every: float = 15.0):
    """Read pages one after the other; return the batches."""
    collector = source("litellm")
    return [collector.parse(each, 100.0 + at * every) for at, each in enumerate(pages)]


def told(batch):
    """Who spent how many 1e-9 USD."""
    return {(s.provider, s.model, *sorted(s.dimensions.values())): s.usd_nano for s in batch.statements}


def standing(batches):
    """What stands of all that was said: a page replaces what it covers."""
    stands = {}
    for batch in batches:
        if batch.statements:
            start, end = min(s.start for s in batch.statements), max(s.end for s in batch.statements)
            stands = {key: s for key, s in stands.items() if not (start <= s.start and s.end <= end)}
            stands |= {s.key: s for s in batch.statements}
    return list(stands.values())


def spent(batches) -> int:
    return sum(each.usd_nano or 0 for each in standing(batches))


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


@pytest.mark.parametrize("value", ["1e300", "1e15", "+Inf", "NaN", "-1", "1e-400", "0x10", "1_0"])
def test_what_is_no_count_counts_for_nothing_and_harms_nothing(value: str) -> None:
    said = [line(name, value, user="odd") for name in (SPEND, TOKENS, PROMPT, CACHED, REQUESTS)]
    batches = read(page(line(SPEND, 1)), page(line(SPEND, 1.5), *said), page(line(SPEND, 2), *said), every=7)
    assert spent(batches) == 10**9
    assert {each.dimensions.get("user") for each in standing(batches)} == {None}


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


def test_endless_names_of_models_are_one() -> None:
    _, batch = read(page(), page(*(line(TOKENS, 1, model=f"m{i}") for i in range(MAX_MODELS + 100))))
    assert totals(batch) == {"output_tokens": MAX_MODELS + 100}
    assert len(batch.series) == MAX_MODELS + 1


class Proxy:
    """A proxy whose page is at `at`, the other spelling redirecting to it; several `workers` know no filter."""

    def __init__(self, at: str = "/metrics/", body: bytes = PAGE, workers: bool = False) -> None:
        self.at, self.body, self.workers = at, body, workers
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        names = request.url.params.get_list("name[]")
        self.asked.append(f"{request.url.path}{'?' if names else ''}")
        if request.url.path != self.at:
            return httpx.Response(307, headers={"location": self.at})
        if not names:
            return httpx.Response(200, content=self.body)
        wanted = tuple(f"{name}{end}".encode() for name in names for end in ("{", " "))
        kept = [] if self.workers else [each + b"\n" for each in self.body.split(b"\n") if each.startswith(wanted)]
        return httpx.Response(200, content=b"".join(kept))


@pytest.mark.parametrize(("at", "asked"), [("/metrics/", 1), ("/metrics", 2)])
async def test_the_page_is_found_under_either_name_and_asked_for_what_is_needed(at: str, asked: int) -> None:
    proxy = Proxy(at)
    collector = source("litellm", answer=proxy)
    await collector.collect(1.0)
    assert len(proxy.asked) == asked
    proxy.asked.clear()
    batch = await collector.collect(2.0)
    assert proxy.asked == [f"{at}?"]
    assert "output_tokens" in totals(batch)


async def test_where_the_filter_hides_everything_the_whole_page_is_read_from_then_on() -> None:
    proxy = Proxy(workers=True)
    collector = source("litellm", answer=proxy)
    first, again = await collector.collect(1.0), await collector.collect(2.0)
    assert proxy.asked == ["/metrics/?", "/metrics/", "/metrics/"]
    assert totals(first).keys() == totals(again).keys() > {"output_tokens"}


async def test_a_proxy_that_nobody_asked_yet_is_up_and_says_nothing() -> None:
    batch = await source("litellm", answer=Proxy(body=QUIET)).collect(1.0)
    assert batch.series == ()


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (404, b"", 'there is no 127.0.0.1:9/metrics/ (HTTP 404): LiteLLM serves it with callbacks: ["prometheus"]'),
        (200, b"", "serves no litellm metrics"),
        (200, payload("vllm/0.33.0.txt"), "serves no litellm metrics"),
        (200, b"<html>litellm_</html>", "a web page"),
        (200, b'{"detail": "litellm_"}', "JSON"),
    ],
)
async def test_another_page_is_unavailable_with_a_sentence(status: int, body: bytes, sentence: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await source("litellm", answer=lambda _request: httpx.Response(status, content=body)).collect(1.0)
    assert sentence in caught.value.sentence


async def test_a_proxy_that_wants_a_key_says_so() -> None:
    with pytest.raises(Unavailable) as caught:
        await source("litellm", answer=lambda _request: httpx.Response(401)).collect(1.0)
    assert caught.value.state is State.AUTH


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_a_page_of_tens_of_megabytes_is_read_in_bounded_memory(packed: bool) -> None:
    agent = "x" * 3000
    both = ((TOKENS, {}), ("litellm_other_metric", {"agent": agent}))
    body = page(*(line(name, 1, user=f"u{i}", **more) for i in range(10_000) for name, more in both))
    assert len(body) > 30_000_000
    sent, encoding = (gzip.compress(body, 1), "gzip") if packed else (body, "identity")

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(sent), 2**16):
            yield sent[at : at + 2**16]

    headers = {"content-encoding": encoding}
    collector = source("litellm", answer=lambda _request: httpx.Response(200, headers=headers, content=pieces()))
    await collector.collect(1.0)
    tracemalloc.start()
    batch = await collector.collect(2.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert totals(batch) == {"output_tokens": 0}
    assert peak < 8_000_000


def test_lines_beyond_the_limit_are_counted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_litellm_lines, "MAX_LINES", 1000)
    _, batch = read(page(), page(*(line(TOKENS, 1, user=f"u{i}") for i in range(1010))))
    assert totals(batch) == {"output_tokens": 1000}
    assert batch.rejected == 10
    assert "10 series are beyond what a page may have" in batch.notes[0]

"""LiteLLM's page: increases by model, spend by who it was, lines that come and go, pages of tens of megabytes."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest

from collectors._litellm_books import MAX_STATEMENTS
from collectors._litellm_labels import MAX_MODELS
from collectors._litellm_lines import MAX_LINES
from infertop.engine.collector import State, Unavailable
from tests.collectors.reading import grown, labels, payload, recorded, source, totals

PAGE = payload("litellm/1.100.0.txt")
QUIET = b"\n".join(line for line in PAGE.split(b"\n") if line.startswith((b"#", b"process_"))) + b"\n"
SPEND, TOKENS, REQUESTS = (f"litellm_{each}_metric_total" for each in ("spend", "output_tokens", "requests"))


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
    assert labels(batch, "requests") == {(("model", "tiny-llama"),)}
    assert labels(batch, "requests_failed") == {(("reason", "4xx"),)}  # of a model that nobody serves


def test_what_was_spent_is_told_once_a_minute_with_who_spent_it() -> None:
    batches = read(QUIET, PAGE, PAGE, PAGE, PAGE, PAGE)
    assert [len(each.statements) for each in batches] == [0, 0, 0, 0, 1, 0]
    (said,) = batches[4].statements
    assert (said.source, said.provider, said.model, said.start, said.end) == (
        "litellm",
        "hosted_vllm",
        "tiny-llama",
        100.0,
        160.0,
    )
    assert said.dimensions == {"key": "litellm_proxy_master_key", "user": "default_user_id"}
    assert (said.usd_nano, said.quantities, said.requests) == (198_000, {}, None)


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
    assert told(second) == {("openai", "gpt-4o"): 250_000_000}
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


def test_the_difference_of_two_spends_is_what_was_spent_to_the_billionth() -> None:
    _, batch = read(page(line(SPEND, "0.0002")), page(line(SPEND, "0.0003")), every=60)
    assert told(batch) == {("openai", "gpt-4o"): 100_000}


def test_the_smallest_of_too_many_spenders_wait_and_none_is_lost() -> None:
    spenders = [line(SPEND, 1 + number, user=f"u{number}") for number in range(MAX_STATEMENTS + 50)]
    batches = read(page(), page(*spenders), page(*spenders), every=60)
    assert [len(each.statements) for each in batches] == [0, MAX_STATEMENTS, 50]
    whole = sum(each.usd_nano for batch in batches for each in batch.statements)
    assert whole == sum(range(1, MAX_STATEMENTS + 51)) * 10**9


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
    agent = "x" * 400
    both = ((TOKENS, {}), ("litellm_other_metric", {"agent": agent}))
    body = page(*(line(name, 1, user=f"u{i}", **more) for i in range(60_000) for name, more in both))
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


def test_lines_beyond_the_limit_are_counted_and_said() -> None:
    _, batch = read(page(), page(*(line(TOKENS, 1, user=f"u{i}") for i in range(MAX_LINES + 10))))
    assert totals(batch) == {"output_tokens": MAX_LINES}
    assert batch.rejected == 10
    assert "10 series are beyond what a page may have" in batch.notes[0]

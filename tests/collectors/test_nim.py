"""NIM's page: names without a prefix, at /v1/metrics or /metrics; newer ones with an engine's own names."""

import httpx
import pytest

from infertop.engine.collector import Unavailable
from tests.collectors.reading import answering, payload, source, totals
from tests.collectors.test_vllm import NEWER, QUANTITIES

PAGE = payload("nim/1.x_synthetic.txt")


def test_the_pages_quantities():
    batch = source("nim").parse(PAGE, 1.0)
    assert totals(batch) == {
        "requests": 48,  # and not 96: the counter by finish reason counts the same ones
        "answers": 48,
        "requests_failed": 3,
        "prompt_tokens": 26_000,
        "output_tokens": 8_400,
        "running": 4,
        "waiting": 2,
        "kv_cache_usage": 0.125,
        "ttft_seconds": 50,
        "inter_token_seconds": 8_350,
        "request_seconds": 48,
        "prompt_tokens_per_request": 48,
        "output_tokens_per_request": 48,
    }
    assert {series.label("model") for series in batch.series} == {"meta/llama-3.1-8b-instruct"}
    assert batch.started == 1_795_319_604.9


def test_cached_tokens_are_unknown_and_not_zero():
    assert "cached_tokens" not in totals(source("nim").parse(PAGE, 1.0))


def test_the_finish_reasons_count_requests_where_nothing_else_does():
    page = b"\n".join(line for line in PAGE.split(b"\n") if b"request_success_total" not in line)
    assert totals(source("nim").parse(page, 1.0))["requests"] == 48


@pytest.mark.parametrize("page", ["vllm/0.20.0.txt", "vllm/0.33.0.txt"])
def test_a_release_that_passes_on_vllms_names_is_read_by_vllms_table(page):
    assert totals(source("nim").parse(payload(page), 1.0)) == QUANTITIES | NEWER


def test_a_release_that_passes_on_tensorrt_llms_names_is_read_by_its_table():
    assert totals(source("nim").parse(payload("trtllm/main_synthetic.txt"), 1.0))["output_tokens"] == 200_000


@pytest.mark.parametrize(
    ("end", "asked"),
    [
        ("", ["/v1/metrics"]),
        ("/v1", ["/v1/metrics"]),
        ("/v1/metrics", ["/v1/metrics"]),
        ("/metrics", ["/metrics"]),
    ],
)
async def test_the_url_may_be_the_base_the_api_or_the_page(end, asked):
    seen = []

    def answer(request):
        seen.append(request.url.path)
        return httpx.Response(200, content=PAGE)

    await source("nim", "http://127.0.0.1:9" + end, answer=answer).collect(1.0)
    assert seen == asked


async def test_the_page_of_an_old_release_is_found_once():
    seen = []

    def answer(request):
        seen.append(request.url.path)
        return httpx.Response(200 if request.url.path == "/metrics" else 404, content=PAGE)

    collector = source("nim", answer=answer)
    await collector.collect(1.0)
    await collector.collect(2.0)
    assert seen == ["/v1/metrics", "/metrics", "/metrics"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "none of NIM's metrics of language models"),
        (payload("triton/2.51.0_last.txt"), "none of NIM's metrics of language models"),
        (b"<html></html>", "a web page"),
        (PAGE[:3_000], "ends in the middle of a line"),
    ],
    ids=["empty", "another engine", "HTML", "cut off"],
)
async def test_another_page_is_unavailable_with_a_sentence(body, sentence):
    with pytest.raises(Unavailable, match=sentence):
        await source("nim", answer=answering(body=body)).collect(1.0)


def test_a_nim_without_a_request_yet_is_up_and_says_nothing():
    fresh = b"\n".join(line for line in PAGE.split(b"\n") if line.startswith(b"#")) + b"\n"
    assert source("nim").parse(fresh, 1.0).series == ()

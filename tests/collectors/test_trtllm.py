"""trtllm-serve's page with and without the prefix, and its JSON page, which nobody must read."""

import httpx
import pytest

from infertop.engine.collector import Unavailable
from infertop.readings.model import Series
from tests.collectors.reading import answering, labels, payload, source, totals

PAGE = payload("trtllm/main_synthetic.txt")
OLD = payload("trtllm/1.1_synthetic.txt")


class Server:
    """A trtllm-serve that remembers what was asked; its JSON page is emptied by reading it."""

    def __init__(self, page: bytes = PAGE, status: int = 200, model: str = "Qwen3-8B") -> None:
        self.page, self.status, self.model = page, status, model
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": self.model}]})
        assert request.url.path == "/prometheus/metrics", "the JSON page must not be read"
        return httpx.Response(self.status, content=self.page)


def test_the_pages_quantities():
    batch = source("trtllm").parse(PAGE, 1.0)
    assert totals(batch) == {
        "requests": 900,
        "answers": 900,
        "requests_failed": 3,
        "prompt_tokens": 500_000,
        "cached_tokens": 110_000,
        "output_tokens": 200_000,
        "running": 7,
        "waiting": 1,
        "kv_cache_usage": 0.38,
        "prefix_cache_hit_rate": 0.22,
        "ttft_seconds": 900,
        "inter_token_seconds": 900,
        "request_seconds": 900,
        "queue_seconds": 900,
    }
    assert {series.label("model") for series in batch.series} == {"Qwen3-8B"}
    assert labels(batch, "requests_failed") == {(("model", "Qwen3-8B"), ("rank", "trtllm/400"), ("reason", "4xx"))}
    assert (batch.started, batch.notes, batch.rejected) == (None, (), 0)


@pytest.mark.parametrize("prefix", [b"", b"trtllm:"], ids=["none", "a colon"])
def test_the_names_of_other_versions_and_relays_say_the_same(prefix):
    assert totals(source("trtllm").parse(PAGE.replace(b"trtllm_", prefix), 1.0)) == totals(
        source("trtllm").parse(PAGE, 1.0)
    )


def test_up_to_1_2_tokens_are_unknown_and_not_zero():
    assert totals(source("trtllm", model="m").parse(OLD, 1.0)) == {
        "requests": 9,
        "answers": 9,
        "kv_cache_usage": 0.25,
        "prefix_cache_hit_rate": 0.22,
        "ttft_seconds": 9,
        "inter_token_seconds": 9,
        "request_seconds": 9,
        "queue_seconds": 9,
    }


async def test_a_page_that_knows_no_model_has_the_name_that_the_api_says():
    server = Server(OLD)
    collector = source("trtllm", answer=server)
    first, again = await collector.collect(1.0), await collector.collect(2.0)
    assert {series.label("model") for series in first.series} == {"Qwen3-8B"}
    assert first.series is again.series
    assert server.asked == ["/prometheus/metrics", "/v1/models", "/prometheus/metrics"]


async def test_the_name_is_asked_again_after_a_failure():
    server = Server(OLD)
    collector = source("trtllm", answer=server)
    await collector.collect(1.0)
    server.status = 500
    with pytest.raises(Unavailable):
        await collector.collect(2.0)
    server.status, server.model = 200, "other"
    assert {series.label("model") for series in (await collector.collect(3.0)).series} == {"other"}


def test_a_request_that_was_given_up_is_no_success():
    page = PAGE + (
        b'trtllm_request_success_total{engine_type="trtllm",finished_reason="cancelled",model_name="Qwen3-8B"} 40\n'
    )
    said = totals(source("trtllm").parse(page, 1.0))
    assert (said["requests"], said["requests_aborted"]) == (900, 40)


def test_drafted_and_accepted_tokens_are_those_of_all_positions():
    rows = [("drafted", 0, 100), ("drafted", 1, 80), ("accepted", 0, 70), ("accepted", 1, 40)]
    page = "".join(
        f'trtllm_spec_decode_{what}_tokens_total{{model_name="m",token_position="{at}"}} {n}\n' for what, at, n in rows
    )
    said = totals(source("trtllm").parse(page.encode(), 1.0))
    assert said == {"spec_drafted_tokens": 180, "spec_accepted_tokens": 110}


def test_a_server_without_a_request_yet_is_up_and_says_nothing():
    fresh = b"\n".join(line for line in PAGE.split(b"\n") if line.startswith(b"#")) + b"\n"
    assert source("trtllm").parse(fresh, 1.0).series == ()
    older = fresh.replace(b"trtllm_", b"")
    assert source("trtllm").parse(older, 1.0).series == ()


def test_engines_on_one_page_are_ranks():
    page = PAGE + PAGE.replace(b'engine_type="trtllm"', b'engine_type="other"')
    batch = source("trtllm").parse(page, 1.0)
    assert totals(batch)["output_tokens"] == 400_000
    assert Series.of("running", model="Qwen3-8B", rank="other") in batch.series


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/metrics", "/prometheus/metrics", "/prometheus/metrics/"])
async def test_whatever_url_was_given_the_page_that_is_emptied_by_reading_is_not_read(end):
    server = Server()
    await source("trtllm", "http://127.0.0.1:9" + end, answer=server).collect(1.0)
    assert server.asked == ["/prometheus/metrics"]


async def test_where_only_the_json_page_is_there_it_is_said_what_to_switch_on():
    server = Server(status=404)
    with pytest.raises(Unavailable, match=r"9/prometheus/metrics \(HTTP 404\): start trtllm-serve with return_perf_m"):
        await source("trtllm", answer=server).collect(1.0)
    assert server.asked == ["/prometheus/metrics"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "none of TensorRT-LLM's metrics"),
        (b'[{"iter": 1}]\n', "answers with JSON"),
        (payload("vllm/0.33.0.txt"), "none of TensorRT-LLM's metrics"),
        (PAGE[:5_001], "ends in the middle of a line"),
    ],
    ids=["empty", "the JSON page", "another engine", "cut off"],
)
async def test_another_page_is_unavailable_with_a_sentence(body, sentence):
    with pytest.raises(Unavailable, match=sentence):
        await source("trtllm", answer=answering(body=body)).collect(1.0)


def test_an_option_that_is_no_name_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="trtllm: model must be a name in quotes"):
        source("trtllm", model=5)

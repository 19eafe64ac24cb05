"""llama-server's page, whose model is named elsewhere and whose process by a header."""

import httpx
import pytest

from infertop.engine.collector import Unavailable
from infertop.readings.model import Series
from tests.collectors.reading import answering, grown, payload, recorded, source, totals
from tests.recordings import pages

PAGE = payload("llamacpp/xllamacpp_last.txt")


class Server:
    """A llama-server: `model` as /v1/models says, `started` as its header says, both to be changed by the test."""

    def __init__(self, model: object = "tiny-gguf", started: str | None = "2055550726", status: int = 200) -> None:
        self.model, self.started, self.status = model, started, status
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.raw_path.decode())
        if request.url.path.endswith("/v1/models"):
            return httpx.Response(200, json={"object": "list", "data": [{"id": self.model}]})
        headers = {"Process-Start-Time-Unix": self.started} if self.started else {}
        return httpx.Response(self.status, content=PAGE, headers=headers)


def model_of(batch):
    return {series.label("model") for series in batch.series}


async def test_the_real_pages_quantities():
    batch = await source("llamacpp", answer=Server()).collect(1.0)
    assert totals(batch) == {
        "input_tokens": 34_918,  # without the cached ones
        "cached_tokens": 26_707,
        "output_tokens": 13_536,
        "running": 0,
        "waiting": 0,
        "prefill_seconds_total": 11.3122,
        "decode_seconds_total": 89.6828,
        "batches": 6_553,
        "spec_drafted_tokens": 0,
        "spec_accepted_tokens": 0,
    }
    assert model_of(batch) == {"tiny-gguf"}
    assert batch.started == 2055.550726


def test_requests_are_unknown_and_not_zero():
    assert "requests" not in totals(source("llamacpp", model="m").parse(PAGE, 1.0))


def test_a_server_without_a_counter_of_cached_tokens_has_none():
    said = totals(source("llamacpp", model="m").parse(payload("llamacpp/synthetic.txt"), 1.0))
    assert said["input_tokens"] == 143_000
    assert "cached_tokens" not in said


def test_the_kv_cache_is_read_where_an_old_server_shows_it():
    page = b"llamacpp:kv_cache_usage_ratio 0.25\n"
    assert totals(source("llamacpp", model="m").parse(page, 1.0)) == {"kv_cache_usage": 0.25}


def test_the_recorded_run_counts_what_the_client_got():
    run = recorded(source("llamacpp", model="m"), pages("llamacpp/xllamacpp.jsonl.gz"))
    grew = grown(advance for _, advance in run)
    prompt = grew["input_tokens", "m"] + grew["cached_tokens", "m"]
    # The client counted prompts of 59,794 tokens and 12,402 of output in the answers that it took to their end; the
    # server's counters also have the streams that were aborted. The first page was read after 4 prompt tokens; the
    # client's last answers ended after the last page.
    assert prompt == 34_914 + 26_707
    assert grew["output_tokens", "m"] == 11_700
    peak = Series.of("running", model="m")
    assert max(dict(zip(batch.series, batch.values, strict=True))[peak] for batch, _ in run) == 4


async def test_the_model_is_asked_once_and_again_after_a_restart():
    server = Server()
    collector = source("llamacpp", answer=server)
    first, again = await collector.collect(1.0), await collector.collect(2.0)
    assert server.asked == ["/metrics", "/v1/models", "/metrics"]
    assert first.series is again.series
    server.model, server.started = "other", "3055550726"
    batch = await collector.collect(3.0)
    assert model_of(batch) == {"other"}
    assert batch.started != first.started


async def test_the_model_is_asked_again_after_a_failure_where_no_header_tells_processes_apart():
    server = Server(started=None)
    collector = source("llamacpp", answer=server)
    assert (await collector.collect(1.0)).started is None
    server.status = 500
    with pytest.raises(Unavailable):
        await collector.collect(2.0)
    server.status, server.model = 200, "other"
    assert model_of(await collector.collect(3.0)) == {"other"}


async def test_a_model_that_was_set_is_not_asked_for_and_selects_it_in_router_mode():
    server = Server()
    batch = await source("llamacpp", answer=server, model="my model").collect(1.0)
    assert server.asked == ["/metrics?model=my+model"]
    assert model_of(batch) == {"my model"}


@pytest.mark.parametrize("model", ["", None, 7, {"id": "m"}])
async def test_a_server_that_names_no_model_says_what_to_set(model):
    with pytest.raises(Unavailable, match=r'/v1/models names no model: set model = "NAME"'):
        await source("llamacpp", answer=Server(model)).collect(1.0)


@pytest.mark.parametrize("started", ["", "soon", "-5", "1e9", "9" * 19, "٣"])
async def test_a_start_that_is_no_number_is_unknown(started):
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=PAGE, headers=[(b"process-start-time-unix", started.encode())])

    assert (await source("llamacpp", answer=answer, model="m").collect(1.0)).started is None


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (501, r"no metrics at 127.0.0.1:9/metrics \(HTTP 501\): start llama-server with --metrics"),
        (404, "start llama-server with --metrics"),
        (400, r'needs to know which model \(HTTP 400\): set model = "NAME"'),
    ],
)
async def test_what_is_missing_is_said(status, sentence):
    with pytest.raises(Unavailable, match=sentence):
        await source("llamacpp", answer=Server(status=status)).collect(1.0)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "serves no llamacpp metrics"),
        (b"<html></html>", "a web page"),
        (payload("triton/2.51.0_last.txt"), "serves no llamacpp metrics"),
        (PAGE[:500], "ends in the middle of a line"),
    ],
    ids=["empty", "HTML", "another engine", "cut off"],
)
async def test_another_page_is_unavailable_with_a_sentence(body, sentence):
    with pytest.raises(Unavailable, match=sentence):
        await source("llamacpp", answer=answering(body=body), model="m").collect(1.0)

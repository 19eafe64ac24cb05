"""TEI's page: requests of many inputs, a page that is empty at first, and what it shares with TGI's and does not."""

import httpx
import pytest

from collectors import KINDS
from infertop.engine.collector import Unavailable
from infertop.readings.model import Series
from tests.collectors.reading import answering, payload, source, totals
from tests.recordings import PAYLOADS

PAGE = payload("tei/synthetic.txt")
INFO = {"model_id": "BAAI/bge-large-en-v1.5", "model_type": {"embedding": {}}, "tokenization_workers": 8}
SERVER = KINDS["tei"].server


def router(page: bytes):
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=INFO) if request.url.path == "/info" else httpx.Response(200, content=page)

    return answer


async def test_the_pages_quantities_and_the_model_of_info():
    batch = await source("tei", answer=router(PAGE)).collect(1.0)
    # 310 successes are counted and 50 are not: single predictions and gRPC, which the newer releases leave out.
    assert totals(batch) == {
        "requests": 360,
        "requests_failed": 10,
        "requests_aborted": 3,
        "input_tokens": 812_600,
        "waiting": 5,
        "request_seconds": 360,
        "queue_seconds": 360,
    }
    assert {series.label("model") for series in batch.series} == {"BAAI/bge-large-en-v1.5"}


def test_failures_are_told_apart_by_reason():
    batch = source("tei", model="m").parse(PAGE, 1.0)
    said = dict(zip(batch.series, batch.values, strict=True))
    assert said[Series.of("requests_failed", model="m", reason="overloaded")] == 4
    assert said[Series.of("requests_failed", model="m", reason="batch_size")] == 6


async def test_a_router_that_was_asked_nothing_yet_is_up_and_empty():
    assert (await source("tei", answer=router(b"")).collect(1.0)).series == ()


@pytest.mark.parametrize("body", [b"", payload("tgi/synthetic.txt")], ids=["empty and nobody asked", "TGI"])
async def test_what_is_not_its_page_is_unavailable_with_a_sentence(body):
    with pytest.raises(Unavailable, match="serves no te_ metrics: is it text-embeddings-inference"):
        await source("tei", answer=answering(body=body), model="m").collect(1.0)


def test_it_is_confirmed_by_its_page_or_its_info_and_not_by_tgis():
    assert SERVER.confirm(200, {}, b'{"model_id":"m","tokenization_workers":8}')
    assert not SERVER.confirm(200, {}, b'{"model_id":"m","max_total_tokens":4096,"validation_workers":2}')


def test_its_command_is_recognised_with_port_and_model():
    argv = ["text-embeddings-router", "--model-id", "org/m", "-p", "8081"]
    assert SERVER.matches(argv)
    assert (SERVER.port(argv), SERVER.model(argv)) == (8081, "org/m")


def test_an_engine_that_is_a_table_is_one_file_of_at_most_90_lines():
    for kind in ("tei", "tgi", "sglang", "lmdeploy", "ray", "kserve"):
        lines = (PAYLOADS.parent.parent / f"collectors/{kind}.py").read_text().count("\n")
        assert lines <= 90, kind

"""TGI's page, whose model is named elsewhere and whose bucket tables are long."""

import httpx
import pytest

from collectors import KINDS
from collectors.tgi import TABLE
from infertop.engine.collector import Unavailable
from infertop.readings.exposition import Exposition
from infertop.readings.model import Series
from tests.collectors.reading import answering, payload, source, totals

PAGE = payload("tgi/synthetic.txt")


class Router:
    """A TGI router: `info` as /info says, to be changed by the test; None where the port is not that of the API."""

    def __init__(self, info: object = None, page: bytes = PAGE) -> None:
        self.info, self.page, self.status = info, page, 200
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path != "/info":
            return httpx.Response(self.status, content=self.page)
        return httpx.Response(200, json=self.info) if self.info is not None else httpx.Response(404)


def models(batch):
    return {series.label("model") for series in batch.series}


async def test_the_pages_quantities_and_the_model_of_info():
    router = Router({"model_id": "HuggingFaceH4/zephyr-7b-beta", "version": "3.3.5"})
    collector = source("tgi", "http://127.0.0.1:3000/v1", answer=router)
    batch = await collector.collect(1.0)
    assert totals(batch) == {
        "requests": 400,
        "requests_failed": 8,
        "prompt_tokens": 392_210,
        "output_tokens": 83_694,
        "running": 6,
        "waiting": 1,
        "batches": 40_300,
        "inter_token_seconds": 400,
        "request_seconds": 400,
        "queue_seconds": 400,
        "prefill_gpu_seconds_total": pytest.approx(43.438, abs=1e-3),
        "decode_gpu_seconds_total": pytest.approx(76.697, abs=1e-3),
    }
    assert models(batch) == {"HuggingFaceH4/zephyr-7b-beta"}
    await collector.collect(2.0)
    assert router.asked == ["/metrics", "/info", "/metrics"]


async def test_the_name_is_asked_again_once_the_server_was_away():
    router = Router({"model_id": "one"})
    collector = source("tgi", answer=router)
    assert models(await collector.collect(1.0)) == {"one"}
    router.status, router.info = 503, {"model_id": "two"}
    with pytest.raises(Unavailable):
        await collector.collect(2.0)
    router.status = 200
    assert models(await collector.collect(3.0)) == {"two"}


async def test_a_name_that_was_given_stands_and_info_is_not_asked():
    router = Router()
    batch = await source("tgi", answer=router, model="mine").collect(1.0)
    assert (models(batch), router.asked) == ({"mine"}, ["/metrics"])


@pytest.mark.parametrize("info", [None, {}, [], {"model_id": ""}, {"model_id": 7}], ids=str)
async def test_a_port_that_names_no_model_says_what_to_do(info):
    with pytest.raises(Unavailable, match=r'9/info names no model: give the url of the API, or set model = "NAME"'):
        await source("tgi", answer=Router(info)).collect(1.0)


def test_clients_that_left_are_aborted_and_others_failed_by_reason():
    page = PAGE + b'tgi_request_failure{err="dropped"} 5\n'
    batch = source("tgi", model="m").parse(page, 1.0)
    said = dict(zip(batch.series, batch.values, strict=True))
    assert said[Series.of("requests_aborted", model="m")] == 5
    assert said[Series.of("requests_failed", model="m", reason="validation")] == 6
    assert said[Series.of("requests_failed", model="m", reason="overloaded")] == 2
    assert sum("failed" in series.metric for series in said) == 2


def family(name, buckets, count, total, labels=""):
    lines = [f'{name}_bucket{{{labels}le="{n + 1}"}} {count}' for n in range(buckets)]
    named = f"{{{labels.rstrip(',')}}}" if labels else ""
    lines += [
        f'{name}_bucket{{{labels}le="+Inf"}} {count}',
        f"{name}_sum{named} {total}",
        f"{name}_count{named} {count}",
    ]
    return "\n".join([f"# TYPE {name} histogram", *lines, ""]).encode()


def timed(name, prefill, decode):
    return family(name, 36, 9, prefill, 'method="prefill",') + family(name, 36, 9, decode, 'method="decode",')


def test_the_time_of_the_forward_pass_is_gpu_time_and_the_rest_of_a_batch_is_not():
    page = timed("tgi_batch_inference_duration", 50.0, 90.0) + timed("tgi_batch_forward_duration", 40.0, 70.0)
    page += timed("tgi_batch_decode_duration", 5.0, 10.0) + timed("tgi_batch_filter_duration", 5.0, 10.0)
    said = totals(source("tgi", model="m").parse(page, 1.0))
    assert said == {"prefill_gpu_seconds_total": 40.0, "decode_gpu_seconds_total": 70.0}


def test_long_bucket_tables_are_passed_over():
    page = PAGE + family("tgi_batch_next_size", 1_024, 300, 900)
    for name in ("tgi_request_max_new_tokens", "tgi_request_raw_input_length"):
        page += family(name, 100, 400, 5_000)
    assert page.count(b"_bucket") > 1_600
    kept = Exposition(TABLE.wanted()).parse(page).layout.series
    assert len(kept) < 140
    assert not any(b in raw.name for raw in kept for b in ("input_length_bucket", "tokens_bucket", "next_size"))
    assert source("tgi", model="m").parse(page, 1.0).series == source("tgi", model="m").parse(PAGE, 1.0).series


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "serves no tgi_ metrics: is it text-generation-inference"),
        (payload("sglang/0.5.4.txt"), "serves no tgi_ metrics"),
        (b"<html></html>", "a web page"),
        (PAGE[:5_000], "ends in the middle of a line"),
    ],
    ids=["empty", "another engine", "HTML", "cut off"],
)
async def test_what_is_not_tgis_page_is_unavailable_with_a_sentence(body, sentence):
    with pytest.raises(Unavailable, match=sentence):
        await source("tgi", answer=answering(body=body), model="m").collect(1.0)


def test_a_router_before_its_first_request_is_up_and_empty():
    assert source("tgi", model="m").parse(b"# TYPE tgi_request_count counter\n", 1.0).series == ()


def test_an_option_that_is_no_name_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="tgi: model must be a name in quotes"):
        source("tgi", model=5)


def test_the_launcher_is_the_server_and_what_it_starts_belongs_to_it():
    server = KINDS["tgi"].server
    argv = ["text-generation-launcher", "--model-id", "org/m", "--port", "8080", "--num-shard", "2"]
    assert server.matches(argv)
    assert (server.port(argv), server.model(argv)) == (8080, "org/m")
    assert not server.matches(["text-generation-router", "--tokenizer-name", "org/m", "--port", "8080"])
    assert not server.matches(["/opt/conda/bin/python3", "/opt/conda/bin/text-generation-server", "serve", "org/m"])

"""Triton's ensembles and batches, which its metrics page counts more than once, and the API that tells them apart.

The page and the API's answers are of one real server: 80 requests went to the ensemble `pipe`, of which `pre` and
`post` are the steps, 10 to `pre` itself.
"""

import json

import httpx
import pytest

from collectors import KINDS
from collectors._triton_api import api_url
from collectors.triton import Triton
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.engine.http import Http
from infertop.readings.model import Series
from tests.collectors.reading import answering, grown, payload, recorded, totals
from tests.fakes import FakeClock

PAGE = payload("triton/2.51.0_ensemble.txt")
STATS = json.loads(payload("triton/2.51.0_ensemble_stats.json"))
CONFIG = json.loads(payload("triton/2.51.0_ensemble_config.json"))
URL = "http://127.0.0.1:8002"
# Of each batch once: 2.39 + 23.78 ms and 2.98 + 0.13 + 0.27 + 21.76 ms.
EXACT = {"post": 0.026167193, "pre": 0.025141082}


class Api:
    """Triton's HTTP API; `status` is that of every answer, `config` what a model's configuration is."""

    def __init__(self, stats: object = STATS, status: int = 200, **config: object) -> None:
        self.stats, self.status, self.config = stats, status, {"pipe": CONFIG} | config
        self.asked: list[str] = []
        self.failure: Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.failure:
            raise self.failure
        if request.url.path == "/v2/models/stats":
            return httpx.Response(self.status, json=self.stats)
        name = request.url.path.split("/")[3]
        return httpx.Response(self.status, json=self.config.get(name, {"name": name, "instance_group": []}))


def triton(api: Api, page: bytes = PAGE, url: str = URL, **options: object) -> Triton:
    http, inside = (Http(url, transport=httpx.MockTransport(each)) for each in (answering(body=page), api))
    return Triton(SourceConfig("triton", "triton", url, options=options), http, inside)


def by_model(batch, metric):
    return {s.label("model"): v for s, v in zip(batch.series, batch.values, strict=True) if s.metric == metric}


async def test_a_request_to_an_ensemble_counts_once():
    batch = await triton(Api()).collect(1.0)
    assert by_model(batch, "requests") == {"pipe": 80}
    assert totals(batch)["requests"] == 80


async def test_batches_and_their_time_are_those_of_the_models_that_run_and_each_counts_once():
    batch = await triton(Api()).collect(1.0)
    assert by_model(batch, "compute_seconds_total") == pytest.approx(EXACT)
    assert by_model(batch, "batches") == {"pre": 26, "post": 24}


async def test_without_the_api_everything_is_as_the_page_says():
    api = Api()
    api.failure = httpx.ConnectError("refused")
    collector = triton(api)
    batch = await collector.collect(1.0)
    assert by_model(batch, "requests") == {"pipe": 80, "pre": 90, "post": 80}
    assert by_model(batch, "compute_seconds_total")["post"] == 0.192567
    assert (await collector.collect(2.0)).series is batch.series
    assert api.asked == ["/v2/models/stats"]


@pytest.mark.parametrize(
    "api",
    [Api(status=404), Api(stats=[]), Api(stats={"model_stats": None}), Api(stats="x")],
    ids=["no such path", "a list", "no list", "text"],
)
async def test_what_is_not_tritons_api_is_none(api):
    assert totals(await triton(api).collect(1.0))["requests"] == 250


async def test_an_api_that_does_not_answer_at_first_holds_the_page_up_three_times_at_most():
    api = Api()
    api.failure = TimeoutError()
    collector = triton(api)
    for ts in (1.0, 2.0):
        with pytest.raises(Unavailable, match="did not answer /v2/models/stats"):
            await collector.collect(ts)
    assert totals(await collector.collect(3.0))["requests"] == 250


async def test_a_far_api_that_is_closed_off_holds_nothing_up():
    api = Api()
    api.failure = TimeoutError()
    assert totals(await triton(api, url="http://10.0.0.5:8002").collect(1.0))["requests"] == 250


async def test_an_api_that_fails_later_changes_nothing_of_what_counts():
    api = Api()
    collector = triton(api)
    first = await collector.collect(1.0)
    api.status = 500
    again = await collector.collect(2.0)
    assert again.series is first.series
    assert again.values == first.values


async def test_an_api_that_was_not_there_is_asked_again_when_the_server_begins_anew_and_not_before():
    api = Api(status=404)
    before = PAGE.replace(
        b'nv_inference_request_success{model="pipe",version="1"} 80',
        b'nv_inference_request_success{model="pipe",version="1"} 8000',
    )
    assert before != PAGE
    pages = iter([before, before, PAGE, PAGE])
    reader = triton(api)
    reader._http = Http(URL, transport=httpx.MockTransport(lambda _: httpx.Response(200, content=next(pages))))
    assert by_model(await reader.collect(1.0), "requests")["pre"] == 90
    api.status = 200
    assert by_model(await reader.collect(2.0), "requests")["pre"] == 90
    assert len(api.asked) == 1
    assert by_model(await reader.collect(3.0), "requests") == {"pipe": 80}
    assert by_model(await reader.collect(4.0), "requests") == {"pipe": 80}


async def test_the_configuration_of_a_model_is_asked_once_and_of_a_new_one_when_it_comes():
    api = Api()
    collector = triton(api)
    await collector.collect(1.0)
    await collector.collect(2.0)
    assert sorted(api.asked) == [
        *("/v2/models/pipe/config", "/v2/models/post/config", "/v2/models/pre/config"),
        *("/v2/models/stats", "/v2/models/stats"),
    ]
    api.stats = {"model_stats": [*STATS["model_stats"], {"name": "a/b", "version": "1", "batch_stats": []}]}
    await collector.collect(3.0)
    assert api.asked[-1] == "/v2/models/a/b/config"


async def test_after_a_failure_the_models_may_be_others():
    api = Api()
    collector = triton(api)
    await collector.collect(1.0)
    api.status = 500
    await collector.collect(2.0)
    api.status, api.config = 200, {}
    assert by_model(await collector.collect(3.0), "requests") == {"pipe": 80, "pre": 90, "post": 80}


async def test_the_time_of_a_model_on_several_gpus_is_divided_equally():
    where = b'nv_inference_compute_infer_duration_us{model="post",version="1"'
    page = PAGE.replace(where, where + b',gpu_uuid="GPU-a"')
    page += b'nv_inference_compute_infer_duration_us{model="post",version="1",gpu_uuid="GPU-b"} 7\n'
    batch = await triton(Api(), page).collect(1.0)
    said = dict(zip(batch.series, batch.values, strict=True))
    for gpu in ("GPU-a", "GPU-b"):
        series = Series.of("compute_seconds_total", model="post", gpu=gpu, rank="1/batches/2")
        assert said[series] == pytest.approx(EXACT["post"] / 2)


async def test_where_the_page_leaves_the_gpu_out_and_there_is_one_it_is_that_of_models_that_run_on_gpus():
    page = PAGE + b'nv_gpu_memory_total_bytes{gpu_uuid="GPU-a"} 1000\n'
    config = {"instance_group": [{"kind": "KIND_GPU", "gpus": [0]}]}
    batch = await triton(Api(post=config), page).collect(1.0)
    gpus = {s.label("model"): s.label("gpu") for s in batch.series if s.metric == "compute_seconds_total"}
    assert gpus == {"post": "GPU-a", "pre": None}
    two = page + b'nv_gpu_memory_total_bytes{gpu_uuid="GPU-b"} 1000\n'
    batch = await triton(Api(post=config), two).collect(1.0)
    assert not any(s.label("gpu") for s in batch.series)


async def test_a_model_that_was_unloaded_has_no_time_until_it_is_back():
    api = Api({"model_stats": [each for each in STATS["model_stats"] if each["name"] != "post"]})
    collector = triton(api)
    batch = await collector.collect(1.0)
    assert "post" in by_model(batch, "batches")
    api.stats = STATS
    assert "post" in by_model(await collector.collect(2.0), "compute_seconds_total")
    api.stats = {"model_stats": [each for each in STATS["model_stats"] if each["name"] != "post"]}
    assert "post" not in by_model(await collector.collect(3.0), "compute_seconds_total")


def test_the_recorded_server_counts_as_before_where_its_api_is_not_asked():
    run = recorded(triton(Api()), [(0.0, 200, PAGE.decode()), (1.0, 200, PAGE.decode())])
    assert grown(advance for _, advance in run) == {}


@pytest.mark.parametrize(
    "stats",
    [
        {"model_stats": [7, None, {"name": 5, "version": "1"}, {"name": "pre"}]},
        {"model_stats": [{"name": "pre", "version": "1", "batch_stats": [None, {"compute_infer": {"ns": "x"}}]}]},
        {"model_stats": [{"name": "pre", "version": "1", "batch_stats": [{"compute_infer": {"ns": 1e400}}, 5]}]},
        {"model_stats": [{"name": "pre", "version": "1", "batch_stats": {"compute_infer": {"ns": -5}}}]},
    ],
)
async def test_rubbish_from_the_api_is_passed_over(stats):
    api = Api()
    api.stats = stats
    api.config = {"pre": {"ensemble_scheduling": [], "instance_group": "x"}}
    body = json.dumps(stats).replace("Infinity", "1e400").encode()
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, content=body) if request.url.path.endswith("stats") else api(request)
    )
    http = Http(URL, transport=httpx.MockTransport(answering(body=PAGE)))
    batch = await Triton(SourceConfig("triton", "triton", URL), http, Http(URL, transport=transport)).collect(1.0)
    assert totals(batch)["requests"] == 250
    assert by_model(batch, "compute_seconds_total").get("pre", 0.0) in (0.0, 0.17917)


@pytest.mark.parametrize(
    ("url", "port", "api"),
    [
        ("http://127.0.0.1:8002", None, "http://127.0.0.1:8000"),
        ("http://[::1]:9002/metrics", None, "http://[::1]:9000"),
        ("https://host:8002", 9000, "https://host:9000"),
        ("http://host", None, None),
        ("http://host:1", None, None),
    ],
)
def test_the_api_is_two_ports_below_the_metrics_unless_its_port_is_set(url, port, api):
    assert api_url(url, port) == api


@pytest.mark.parametrize("port", ["8000", 0, 65_536, True, 8000.0])
def test_a_port_that_is_none_is_refused_with_a_sentence(port):
    with pytest.raises(ValueError, match="triton: http_port must be a number from 1 to 65535"):
        KINDS["triton"].make(SourceConfig("triton", "triton", URL, options={"http_port": port}), Http(URL), FakeClock())


async def test_where_its_port_was_set_the_api_has_to_be_there():
    with pytest.raises(Unavailable, match="no Triton API at its http_port"):
        await triton(Api(status=404), http_port=8000).collect(1.0)


BLS = payload("triton/2.51.0_bls.txt")  # 20 requests to `caller`, which asks `echo` for each, and 5 to `echo`
STATS_OF_BLS = {"model_stats": [{"name": name, "version": "1", "batch_stats": []} for name in ("caller", "echo")]}


async def test_a_request_that_a_model_makes_of_another_counts_for_both_as_nothing_tells_it():
    assert by_model(await triton(Api(STATS_OF_BLS), BLS).collect(1.0), "requests") == {"caller": 20, "echo": 25}


@pytest.mark.parametrize("called", ["echo", " echo ,gone,"])
async def test_of_models_that_somebody_said_others_call_the_requests_are_left_out(called):
    collector = triton(Api(STATS_OF_BLS), BLS, called=called)
    batch = await collector.collect(1.0)
    assert by_model(batch, "requests") == {"caller": 20}
    assert by_model(batch, "compute_seconds_total").keys() == {"caller", "echo"}
    assert (await collector.collect(2.0)).series is batch.series


async def test_called_models_are_left_out_without_the_api_too():
    api = Api()
    api.failure = httpx.ConnectError("refused")
    collector = triton(api, BLS, called="echo")
    batch = await collector.collect(1.0)
    assert by_model(batch, "requests") == {"caller": 20}
    assert by_model(batch, "queue_seconds_total").keys() == {"caller", "echo"}
    assert (await collector.collect(2.0)).series is batch.series


def test_called_models_are_named_in_text():
    with pytest.raises(ValueError, match="called must be a name in quotes"):
        triton(Api(), called=["echo"])

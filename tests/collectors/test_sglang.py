"""SGLang's pages of six releases: its ranks, its labels that come and go, and what it does not show."""

import httpx
import pytest

from collectors import KINDS
from infertop.engine.collector import Unavailable
from infertop.readings.increase import Continuity
from infertop.readings.model import Series
from tests.collectors.reading import answering, grown, labels, payload, source, totals

MODEL = "meta-llama/Llama-3.1-8B-Instruct"
# The pages were rendered from one made-up load: 100 requests of 400 + 48 tokens, 160 of the prompt cached.
QUANTITIES = {
    "requests": 100,
    "prompt_tokens": 40_000,
    "cached_tokens": 16_000,
    "output_tokens": 4_800,
    "running": 14,
    "waiting": 2,
    "kv_cache_usage": 0.47,
    "prefix_cache_hit_rate": 0.4,
    "ttft_seconds": 100,
    "inter_token_seconds": 4_700,
    "request_seconds": 100,
}
SINCE_0_5 = QUANTITIES | {
    "spec_acceptance": 0,  # also where it does not speculate
    "requests_aborted": 2,
    "queue_seconds": 100,
    "prompt_tokens_per_request": 100,
    "output_tokens_per_request": 100,
}
TIMED = SINCE_0_5 | {"preemptions": 1, "prefill_gpu_seconds_total": 21, "decode_gpu_seconds_total": 145}
RATES = {"prefix_cache_hit_rate": 2 * 0.4}
LOOKED_UP = {"prefix_cache_queries": 40_000, "prefix_cache_hits": 16_000}


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("sglang/0.4.6.txt", QUANTITIES),
        ("sglang/0.5.4.txt", SINCE_0_5),
        ("sglang/0.5.9.txt", TIMED),
        ("sglang/0.5.16.txt", TIMED),
        ("sglang/0.5.23.txt", TIMED | LOOKED_UP),
        # Two groups of two ranks each: their own preemption each, and the mean of two KV caches is told by rank.
        ("sglang/0.5.23_two_groups.txt", TIMED | LOOKED_UP | {"preemptions": 2, "kv_cache_usage": 2 * 0.47, **RATES}),
    ],
)
def test_every_release_says_the_same_quantities(page, expected):
    batch = source("sglang").parse(payload(page), 1.0)
    assert totals(batch) == pytest.approx(expected)
    assert {series.label("model") for series in batch.series} == {MODEL}
    assert (batch.source, batch.ts, batch.started, batch.notes, batch.rejected) == ("sglang", 1.0, None, (), 0)


def test_the_first_rank_of_each_data_parallel_group_counts_and_the_groups_are_ranks():
    batch = source("sglang").parse(payload("sglang/0.5.23_two_groups.txt"), 1.0)
    assert labels(batch, "running") == {(("model", MODEL), ("rank", rank)) for rank in ("0", "1")}
    forward = labels(batch, "decode_gpu_seconds_total")
    assert {dict(pairs)["rank"].split("/")[0] for pairs in forward} == {"0", "1"}
    # Each group's second rank did the same work once more.
    assert payload("sglang/0.5.23_two_groups.txt").count(b'forward_execution_seconds_total{category="extend"') == 4


def ranked(name, value, **ranks):
    said = "".join(f',{key}="{value}"' for key, value in ranks.items())
    return f'sglang:{name}{{model_name="m"{said}}} {value}\n'


def test_ranks_that_show_the_same_work_are_counted_once():
    page = "".join(
        ranked("num_running_reqs", 7, tp_rank=tp, pp_rank=pp)
        + ranked("token_usage", 0.5, tp_rank=tp, pp_rank=pp)
        + ranked("realtime_tokens_total", 100, tp_rank=tp, pp_rank=pp, mode="decode")
        for tp in range(2)
        for pp in range(2)
    )
    assert totals(source("sglang").parse(page.encode(), 1.0)) == {
        "running": 7,
        "kv_cache_usage": 0.5,
        "output_tokens": 100,
    }


def test_replicas_with_ranks_of_their_own_are_all_counted():
    page = "".join(
        ranked("num_running_reqs", 7, tp_rank=tp, dp_rank=dp)
        + ranked("realtime_tokens_total", 100, tp_rank=tp, dp_rank=dp, mode="decode")
        for tp in range(2)
        for dp in range(3)
    )
    assert totals(source("sglang").parse(page.encode(), 1.0)) == {"running": 21, "output_tokens": 300}


def test_of_gauges_by_priority_the_total_is_read():
    page = (
        ranked("num_running_reqs", 5, tp_rank=0, priority="")
        + ranked("num_running_reqs", 3, tp_rank=0, priority="0")
        + ranked("num_running_reqs", 2, tp_rank=0, priority="1")
        + ranked("prompt_tokens_total", 10, priority="0")
        + ranked("prompt_tokens_total", 20, priority="1")
    )
    assert totals(source("sglang").parse(page.encode(), 1.0)) == {"running": 5, "prompt_tokens": 30}


@pytest.mark.parametrize("prefix", ["", "forward_"])
def test_gpu_time_is_divided_by_what_a_batch_did(prefix):
    seconds = {
        "extend": 1,
        "split_prefill": 2,
        "mixed": 4,
        "decode": 10,
        "target_verify": 20,
        "draft_extend_v2": 40,
        "idle": 1_000,
        "prebuilt": 1_000,
    }
    name = "gpu_execution_seconds_total" if prefix else "forward_execution_seconds_total"
    page = "".join(ranked(name, value, tp_rank=0, category=prefix + key) for key, value in seconds.items())
    assert totals(source("sglang").parse(page.encode(), 1.0)) == {
        "prefill_gpu_seconds_total": 7,
        "decode_gpu_seconds_total": 70,
    }


def test_without_the_device_timer_gpu_time_is_unknown_and_not_zero():
    said = totals(source("sglang").parse(payload("sglang/0.5.4.txt"), 1.0))
    assert not {"prefill_gpu_seconds_total", "decode_gpu_seconds_total"} & set(said)


def test_live_counters_stand_before_those_that_move_when_a_request_is_done():
    page = payload("sglang/0.5.23_synthetic.txt")
    said = totals(source("sglang").parse(page, 1.0))
    assert (said["prompt_tokens"], said["cached_tokens"], said["output_tokens"]) == (860_000, 250_000, 410_000)
    older = b"\n".join(line for line in page.split(b"\n") if b"realtime_tokens" not in line)
    said = totals(source("sglang").parse(older, 1.0))
    assert (said["prompt_tokens"], said["cached_tokens"], said["output_tokens"]) == (860_000, 250_000, 405_000)


def test_a_token_is_not_counted_again_by_the_live_counter_that_appears_after_the_other():
    before = (
        ranked("realtime_tokens_total", 10, tp_rank=0, mode="prefill_compute")
        + ranked("generation_tokens_total", 1)
        + ranked("prompt_tokens_total", 10)
    )
    after = (
        ranked("realtime_tokens_total", 30, tp_rank=0, mode="prefill_compute")
        + ranked("realtime_tokens_total", 25, tp_rank=0, mode="decode")
        + ranked("generation_tokens_total", 27)
        + ranked("prompt_tokens_total", 30)
    )
    collector, continuity = source("sglang"), Continuity(gap_seconds=15.0)
    advances = [continuity.advance(collector.parse(page.encode(), ts)) for ts, page in ((1.0, before), (2.0, after))]
    assert grown(advances) == {("prompt_tokens", "m"): 20, ("output_tokens", "m"): 25}


def test_failures_are_those_of_the_api_and_told_apart_by_whose_fault_they_were():
    def answered(endpoint, status, count):
        labels = f'endpoint="{endpoint}",method="POST",status_code="{status}"'
        return f"sglang:http_responses_total{{{labels}}} {count}\n"

    page = (
        ranked("num_requests_total", 9)
        + answered("/v1/chat/completions", 200, 100)
        + answered("/v1/chat/completions", 400, 2)
        + answered("/generate", 503, 3)
        + answered("/favicon.ico", 404, 50)
    )
    batch = source("sglang").parse(page.encode(), 1.0)
    failed = {s.label("reason"): v for s, v in zip(batch.series, batch.values, strict=True) if "failed" in s.metric}
    assert failed == {"4xx": 2, "5xx": 3}
    assert {series.label("model") for series in batch.series} == {"m"}


def test_rays_spelling_and_its_replicas_are_read():
    page = "".join(
        f'ray_sglang_num_running_reqs{{model_name="m",tp_rank="0",WorkerId="{worker}",ReplicaId="r"}} 4\n'
        for worker in "ab"
    )
    batch = source("sglang").parse(page.encode(), 1.0)
    assert batch.series == tuple(Series.of("running", model="m", rank=worker) for worker in "ab")


def test_a_server_without_its_first_request_is_up_and_empty():
    page = (
        b"# TYPE sglang:max_total_num_tokens gauge\n"
        + ranked("max_total_num_tokens", 171_234, tp_rank=0).encode()
        + b'sglang:http_responses_total{endpoint="/v1/models",status_code="401"} 3\n'
    )
    assert source("sglang").parse(page, 1.0).series == ()


def test_ranks_without_end_or_sense_are_borne():
    page = "".join(ranked("num_running_reqs", 1, tp_rank=dp, dp_rank=dp) for dp in range(3_000))
    page += ranked("num_running_reqs", 1, tp_rank="-1", dp_rank='x\\",tp_rank=\\"7')
    assert 0 < totals(source("sglang").parse(page.encode(), 1.0))["running"] <= 3_001


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (
            404,
            b'{"detail":"Not Found"}',
            r"no metrics at .*9/metrics \(HTTP 404\): start it with --enable-metrics",
        ),
        (200, b"", "serves no metrics of SGLang: is it the right server"),
        (200, payload("vllm/0.33.0.txt"), "serves no metrics of SGLang"),
        (200, b"<html></html>", "a web page"),
        (200, payload("sglang/0.5.4.txt")[:5_000], "ends in the middle of a line"),
    ],
    ids=["not switched on", "empty", "another engine", "HTML", "cut off"],
)
async def test_what_is_not_sglangs_page_is_unavailable_with_a_sentence(status, body, sentence):
    with pytest.raises(Unavailable, match=sentence):
        await source("sglang", answer=answering(status, body)).collect(1.0)


async def test_the_page_is_asked_for_at_the_servers_base():
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, content=payload("sglang/0.5.23.txt"))

    collector = source("sglang", "http://127.0.0.1:30000/v1", answer=answer)
    assert totals(await collector.collect(1.0))["requests"] == 100
    await collector.close()
    assert asked == ["/metrics"]


SERVER = KINDS["sglang"].server


@pytest.mark.parametrize(
    ("argv", "port", "model"),
    [
        (["python3", "-m", "sglang.launch_server", "--model-path", "org/m", "--port", "30001"], 30001, "org/m"),
        (["/usr/bin/sglang", "serve", "--model-path=org/m", "--served-model-name", "name"], None, "name"),
        (["sglang", "serve", "org/m"], None, "org/m"),
    ],
)
def test_its_command_is_recognised_with_port_and_model(argv, port, model):
    assert SERVER.matches(argv)
    assert (SERVER.port(argv), SERVER.model(argv)) == (port, model)


@pytest.mark.parametrize("argv", [["sglang::scheduler_DP0_TP1"], ["sglang::detokenizer"], ["sglang", "generate"]])
def test_its_workers_and_other_commands_are_no_servers(argv):
    assert not SERVER.matches(argv)


def test_without_metrics_it_is_confirmed_by_its_models_and_dynamos_workers_are_not_it():
    assert SERVER.confirm(200, {}, b'{"object":"list","data":[{"id":"m","owned_by":"sglang"}]}')
    assert not SERVER.confirm(404, {}, b'{"detail":"Not Found"}')
    beside = b"# TYPE dynamo_component_requests_total counter\n# TYPE sglang:num_running_reqs gauge\n"
    assert not SERVER.confirm(200, {}, beside)

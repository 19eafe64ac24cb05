"""Triton's page: real ones with a Python backend, and the series that the LLM backends put beside it."""

import pytest

from infertop.engine.collector import Unavailable
from infertop.readings.model import Buckets, Series
from tests.collectors.reading import answering, grown, labels, payload, recorded, source, totals
from tests.recordings import pages

TINY = {
    "prompt_tokens": "tiny_prompt_tokens_total",
    "output_tokens": "tiny_generation_tokens_total",
    "running": "tiny_requests_running",
}


def by_series(batch):
    return dict(zip(batch.series, batch.values, strict=True))


def test_the_real_pages_quantities():
    batch = source("triton", **TINY).parse(payload("triton/2.51.0_last.txt"), 1.0)
    said = by_series(batch)
    assert said[Series.of("requests", model="echo", rank="1")] == 3_130  # 2,149 of them from the response cache
    assert said[Series.of("batches", model="echo", rank="1")] == 909
    assert said[Series.of("prompt_tokens", model="tiny_llm", rank="1")] == 41_268
    assert said[Series.of("output_tokens", model="tiny_llm", rank="1")] == 8_542
    assert said[Series.of("running", model="tiny_llm")] == 0
    assert said[Series.of("request_seconds_total", model="flaky", rank="1")] == 132.755437
    assert said[Series.of("queue_seconds_total", model="flaky", rank="1")] == 98.36059
    assert said[Series.of("compute_seconds_total", model="tiny_llm", rank="1")] == 63.355266
    assert said[Series.of("request_seconds_quantile", model="tiny_llm", quantile="0.99")] == 0.629259
    assert said[Series.of("queue_seconds_quantile", model="echo", quantile="0.5")] == 0.000006
    assert (batch.started, batch.notes, batch.rejected) == (None, (), 0)


def test_without_options_there_are_no_tokens_and_not_zero_of_them():
    batch = source("triton").parse(payload("triton/2.51.0_last.txt"), 1.0)
    assert not {"prompt_tokens", "output_tokens", "input_tokens", "running"} & set(totals(batch))


def test_a_model_with_a_response_cache_has_no_request_quantiles():
    batch = source("triton").parse(payload("triton/2.51.0_last.txt"), 1.0)
    assert {dict(pairs)["model"] for pairs in labels(batch, "request_seconds_quantile")} == {"tiny_llm", "flaky"}
    assert {dict(pairs)["model"] for pairs in labels(batch, "queue_seconds_quantile")} == {"echo", "tiny_llm", "flaky"}


def test_quantiles_of_an_idle_model_are_absent():
    page = payload("triton/2.51.0_last.txt")
    idle = b"\n".join(
        line.rpartition(b" ")[0] + b" Nan" if b"quantile=" in line else line for line in page.split(b"\n")
    )
    batch = source("triton").parse(idle, 1.0)
    assert "queue_seconds_quantile" not in totals(batch)
    assert totals(batch)["requests"] == 3_130 + 511 + 688


def test_a_fresh_page_and_one_without_summaries_are_read():
    assert totals(source("triton").parse(payload("triton/2.51.0_plain_one_model.txt"), 1.0)) == {
        "requests": 0,
        "requests_failed": 0,
        "requests_aborted": 0,
        "batches": 0,
        "waiting": 0,
        "request_seconds_total": 0,
        "queue_seconds_total": 0,
        "compute_seconds_total": 0,
    }


def test_the_recorded_run_counts_what_the_client_sent():
    run = recorded(source("triton", **TINY), pages("triton/2.51.0.jsonl.gz"))
    grew = grown(advance for _, advance in run)
    # The client counted 3,130 answers of echo, 688 of flaky (171 of them HTTP 500, which Triton counts as success: the
    # error is the Python model's own) and 511 of tiny_llm (26 of them aborted, which Triton does not notice).
    assert {model: amount for (metric, model), amount in grew.items() if metric == "requests"} == {
        "echo": 3_130,
        "flaky": 688,
        "tiny_llm": 511,
    }
    assert not any(metric in ("requests_failed", "requests_aborted") for metric, _ in grew)
    # The client saw 8,060 tokens; the model went on with the aborted ones.
    assert grew["output_tokens", "tiny_llm"] == 8_542
    waiting = Series.of("waiting", model="tiny_llm")
    assert max(by_series(batch).get(waiting, 0) for batch, _ in run) == 5
    assert not any(advance.restarted for _, advance in run)


BACKENDS = """\
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="m",version="1"} 3
nv_inference_request_success{model="m",version="2",gpu_uuid="GPU-a"} 4
nv_inference_request_failure{model="m",reason="CANCELED",version="1"} 2
nv_inference_request_failure{model="m",reason="BACKEND",version="1"} 1
nv_inference_compute_infer_duration_us{model="m",version="1",gpu_uuid="GPU-a"} 1000000
nv_inference_compute_infer_duration_us{model="m",version="2",gpu_uuid="GPU-a"} 2000000
nv_inference_compute_infer_duration_us{model="m",version="1",gpu_uuid="GPU-b"} 5000000
nv_inference_compute_infer_duration_us{model="m",version="1"} 7000000
nv_inference_pending_request_count{model="m",version="1"} 2
nv_trt_llm_request_metrics{model="m",request_type="waiting",version="1"} 3
nv_trt_llm_request_metrics{model="m",request_type="scheduled",version="1"} 4
nv_trt_llm_request_metrics{model="m",request_type="max",version="1"} 512
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="m",version="1"} 0.5
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="m",version="1"} 6239
nv_inference_queue_summary_us{model="m",version="1",quantile="0.5"} Nan
nv_inference_queue_summary_us{model="m",version="2",quantile="0.5"} 2000
nv_inference_queue_summary_us{model="m",version="3",quantile="0.5"} 1000
nv_gpu_utilization{gpu_uuid="GPU-a"} 0.9
nv_energy_consumption{gpu_uuid="GPU-a"} 12345
"""


def test_versions_and_instances_of_a_model_are_counted_apart_and_gpu_time_is_by_gpu():
    said = by_series(source("triton").parse(BACKENDS.encode(), 1.0))
    assert said == {
        Series.of("requests", model="m", rank="1"): 3,
        Series.of("requests", model="m", rank="GPU-a/2"): 4,
        Series.of("requests_failed", model="m", reason="BACKEND", rank="1"): 1,
        Series.of("requests_aborted", model="m", rank="1"): 2,
        Series.of("running", model="m"): 4,
        Series.of("waiting", model="m"): 5,
        Series.of("kv_cache_usage", model="m"): 0.5,
        Series.of("compute_seconds_total", model="m", gpu="GPU-a", rank="1"): 1,
        Series.of("compute_seconds_total", model="m", gpu="GPU-a", rank="2"): 2,
        Series.of("compute_seconds_total", model="m", gpu="GPU-b", rank="1"): 5,
        Series.of("compute_seconds_total", model="m", rank="1"): 7,
        Series.of("queue_seconds_quantile", model="m", quantile="0.5"): 0.002,
    }


def test_the_vllm_backends_tokens_and_latencies_are_read():
    page = """\
vllm:prompt_tokens_total{model="vllm_model",version="1"} 10
vllm:generation_tokens_total{model="vllm_model",version="1"} 16
vllm:time_to_first_token_seconds_bucket{model="vllm_model",version="1",le="0.1"} 1
vllm:time_to_first_token_seconds_bucket{model="vllm_model",version="1",le="+Inf"} 1
vllm:time_to_first_token_seconds_sum{model="vllm_model",version="1"} 0.03
"""
    said = by_series(source("triton").parse(page.encode(), 1.0))
    assert said[Series.of("prompt_tokens", model="vllm_model", rank="1")] == 10
    assert said[Series.of("output_tokens", model="vllm_model", rank="1")] == 16
    assert said[Series.of("ttft_seconds", model="vllm_model", rank="1")] == Buckets(
        (0.1, float("inf")), (1.0, 1.0), 0.03
    )


def test_tensorrt_llms_tokens_are_the_sums_of_its_length_histograms():
    rows = [("input", 1_200), ("output", 345)]
    page = "".join(
        f'nv_llm_{side}_token_len_sum{{model="t",response_metric_type="total_{side}_tokens",version="1"}} {tokens}\n'
        for side, tokens in rows
    )
    assert totals(source("triton").parse(page.encode(), 1.0)) == {"prompt_tokens": 1_200, "output_tokens": 345}


def test_an_option_comes_before_the_usual_name_but_only_for_the_models_that_have_it():
    page = 'vllm:generation_tokens_total{model="a"} 1\nvllm:generation_tokens_total{model="b"} 2\nmine{model="a"} 7\n'
    said = by_series(source("triton", output_tokens="mine").parse(page.encode(), 1.0))
    assert said == {Series.of("output_tokens", model="a"): 7, Series.of("output_tokens", model="b"): 2}


@pytest.mark.parametrize("status", [400, 404])
async def test_the_port_of_the_api_is_told_from_that_of_the_metrics(status):
    collector = source("triton", "http://127.0.0.1:8000", answer=answering(status))
    with pytest.raises(Unavailable, match=r"8000/metrics \(HTTP 4.*8002 unless --metrics-port"):
        await collector.collect(1.0)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "none of Triton's nv_ metrics"),
        (payload("llamacpp/xllamacpp_last.txt"), "none of Triton's nv_ metrics"),
        (b"<html></html>", "a web page"),
        (payload("triton/2.51.0_last.txt")[:5_000], "ends in the middle of a line"),
    ],
    ids=["empty", "another engine", "HTML", "cut off"],
)
async def test_another_page_is_unavailable_with_a_sentence(body, sentence):
    with pytest.raises(Unavailable, match=sentence):
        await source("triton", answer=answering(body=body)).collect(1.0)


def test_a_triton_that_has_loaded_no_model_is_up_and_empty():
    page = b"# TYPE nv_inference_request_success counter\n# TYPE nv_cpu_utilization gauge\nnv_cpu_utilization 1\n"
    assert source("triton").parse(page, 1.0).series == ()


def test_an_option_that_is_no_name_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="triton: output_tokens must be a name in quotes"):
        source("triton", output_tokens=5)

"""What each quantity is derived from, engine by engine and form by form: one table. None is unknown, never 0."""

import pytest

from tests.collectors.reading import payload, source, totals

VLLM_BACKEND = b"""\
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="vllm_model",version="1"} 12
nv_inference_request_failure{model="vllm_model",reason="BACKEND",version="1"} 2
nv_inference_request_failure{model="vllm_model",reason="CANCELED",version="1"} 1
nv_inference_pending_request_count{model="vllm_model",version="1"} 3
vllm:prompt_tokens_total{model="vllm_model",version="1"} 1000
vllm:generation_tokens_total{model="vllm_model",version="1"} 160
vllm:time_to_first_token_seconds_bucket{model="vllm_model",version="1",le="0.1"} 9
vllm:time_to_first_token_seconds_bucket{model="vllm_model",version="1",le="+Inf"} 10
vllm:time_to_first_token_seconds_sum{model="vllm_model",version="1"} 0.5
vllm:time_per_output_token_seconds_bucket{model="vllm_model",version="1",le="+Inf"} 150
vllm:time_per_output_token_seconds_sum{model="vllm_model",version="1"} 4.5
vllm:e2e_request_latency_seconds_bucket{model="vllm_model",version="1",le="+Inf"} 10
vllm:e2e_request_latency_seconds_sum{model="vllm_model",version="1"} 9
vllm:request_prompt_tokens_bucket{model="vllm_model",version="1",le="+Inf"} 10
vllm:request_prompt_tokens_sum{model="vllm_model",version="1"} 1000
vllm:request_params_n_bucket{model="vllm_model",version="1",le="+Inf"} 10
vllm:request_params_n_count{model="vllm_model",version="1"} 10
vllm:request_params_n_sum{model="vllm_model",version="1"} 10
"""
TRT_LLM_BACKEND = b"""\
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="tensorrt_llm",version="1"} 20
nv_inference_pending_request_count{model="tensorrt_llm",version="1"} 0
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 4
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="context",version="1"} 1
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="scheduled",version="1"} 8
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="max",version="1"} 512
nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="active",version="1"} 12
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="tensorrt_llm",version="1"} 0.4875
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="tensorrt_llm",version="1"} 6239
nv_trt_llm_inflight_batcher_metrics{inflight_batcher_specific_metric="total_context_tokens",model="tensorrt_llm"} 77
nv_llm_input_token_len_bucket{model="tensorrt_llm",response_metric_type="total_input_tokens",version="1",le="+Inf"} 20
nv_llm_input_token_len_sum{model="tensorrt_llm",response_metric_type="total_input_tokens",version="1"} 3000
nv_llm_output_token_len_bucket{model="tensorrt_llm",response_metric_type="total_output_tokens",version="1",le="+Inf"} 20
nv_llm_output_token_len_sum{model="tensorrt_llm",response_metric_type="total_output_tokens",version="1"} 400
nv_inference_first_response_histogram_ms_bucket{model="tensorrt_llm",version="1",le="100"} 15
nv_inference_first_response_histogram_ms_bucket{model="tensorrt_llm",version="1",le="+Inf"} 20
nv_inference_first_response_histogram_ms_sum{model="tensorrt_llm",version="1"} 1500
"""
PAGES = {
    "trtllm main": ("trtllm", payload("trtllm/main_synthetic.txt")),
    "trtllm 1.1": ("trtllm", payload("trtllm/1.1_synthetic.txt")),
    "triton core": ("triton", payload("triton/2.51.0_last.txt")),
    "triton vllm": ("triton", VLLM_BACKEND),
    "triton trtllm": ("triton", TRT_LLM_BACKEND),
    "nim": ("nim", payload("nim/1.x_synthetic.txt")),
    "dynamo worker": ("dynamo", payload("dynamo/worker_synthetic.txt")),
    "dynamo front": ("dynamo-frontend", payload("dynamo-frontend/synthetic.txt")),
    "kserve": ("kserve", payload("kserve/classic_synthetic.txt")),
}
# fmt: off
ROWS = {
    #                            trtllm main, 1.1,  core, vllm, trtllm, nim,   worker, front, kserve
    "requests":                  (900,     9,    4_329, 12,   20,     48,     105,    100,    60),
    "requests_failed":           (3,       None, 0,     2,    None,   3,      2,      4,      None),
    "requests_aborted":          (None,    None, 0,     1,    None,   None,   None,   5,      None),
    "prompt_tokens":             (500_000, None, None,  1000, 3000,   26_000, None,   41_000, None),
    "cached_tokens":             (110_000, None, None,  None, None,   None,   None,   16_000, None),
    "output_tokens":             (200_000, None, None,  160,  400,    8_400,  None,   4_790,  None),
    "running":                   (7,       None, None,  None, 8,      4,      14,     15,     None),
    "waiting":                   (1,       None, 0,     3,    4,      2,      None,   None,   None),
    "kv_cache_usage":            (0.38,    0.25, None,  None, 0.4875, 0.125,  0.43,   None,   None),
    "ttft_seconds":              (900,     9,    None,  10,   20,     50,     None,   104,    None),
    "inter_token_seconds":       (900,     9,    None,  150,  None,   8_350,  None,   4_686,  None),
    "request_seconds":           (900,     9,    None,  10,   None,   48,     105,    104,    60),
    "queue_seconds":             (900,     9,    None,  None, None,   None,   None,   None,   None),
    "prompt_tokens_per_request": (None,    None, None,  10,   20,     48,     None,   104,    None),
    "prefill_gpu_seconds_total": (None,    None, None,  None, None,   None,   None,   None,   None),
    "decode_gpu_seconds_total":  (None,    None, None,  None, None,   None,   None,   None,   None),
}
# fmt: on


@pytest.mark.parametrize("quantity", ROWS)
@pytest.mark.parametrize("form", PAGES)
def test_a_quantity_is_derived_as_the_engine_means_it(form, quantity):
    kind, page = PAGES[form]
    assert totals(source(kind).parse(page, 1.0)).get(quantity) == ROWS[quantity][list(PAGES).index(form)]


def test_tritons_quantiles_and_means_stand_in_where_it_has_no_histogram():
    said = totals(source("triton").parse(payload("triton/2.51.0_last.txt"), 1.0))
    assert {"request_seconds_quantile", "queue_seconds_quantile"} <= set(said)
    assert said["request_seconds_total"] > said["compute_seconds_total"] > 0


def test_milliseconds_to_the_first_response_are_seconds():
    batch = source("triton").parse(TRT_LLM_BACKEND, 1.0)
    ttft = next(v for s, v in zip(batch.series, batch.values, strict=True) if s.metric == "ttft_seconds")
    assert ttft.bounds[0] == 0.1
    assert ttft.total == 1.5

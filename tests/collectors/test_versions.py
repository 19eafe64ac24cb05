"""Pages of versions and ways of running that nobody recorded, written from their names and labels: what they add up to.

Values are small and all different, so that a line read twice, or one that is not to be read, shows in a sum.
"""

from __future__ import annotations

import pytest

from tests.collectors.reading import source, totals


def lines(prefix: str, labels: str, *samples: str) -> str:
    """Make sample lines of `name[{more labels}] value`; a histogram is `name=observations/sum`."""
    made = []
    for sample in samples:
        name, _, value = sample.rpartition(" ")
        name, _, more = name.partition("{")
        inside = ",".join(part for part in (labels, more.rstrip("}")) if part)
        if "/" in value:
            count, total = value.split("/")
            more_labels = f"{inside}," if inside else ""
            made.append(f'{prefix}{name}_bucket{{{more_labels}le="+Inf"}} {count}')
            made += [f"{prefix}{name}_sum{{{inside}}} {total}", f"{prefix}{name}_count{{{inside}}} {count}"]
        else:
            made.append(f"{prefix}{name}{{{inside}}} {value}" if inside else f"{prefix}{name} {value}")
    return "\n".join(made) + "\n"


M, E0, E1 = 'model_name="m"', 'model_name="m",engine="0"', 'model_name="m",engine="1"'
V0 = lines(
    "vllm:", M, "num_requests_running 2", "num_requests_waiting 1", "num_requests_swapped 1",
    "gpu_cache_usage_perc 0.25", "cpu_cache_usage_perc 0.9", "cpu_prefix_cache_hit_rate 0.8",
    "gpu_prefix_cache_hit_rate 0.5", "num_preemptions_total 3", "prompt_tokens_total 500",
    "generation_tokens_total 70", "tokens_total 570", "avg_prompt_throughput_toks_per_s 99",
    'request_success_total{finished_reason="stop"} 4', 'request_success_total{finished_reason="abort"} 2',
    "request_params_n 5/6", "iteration_tokens_total 30/570", "time_to_first_token_seconds 6/1",
    "time_per_output_token_seconds 64/2", "e2e_request_latency_seconds 5/9", "time_in_queue_requests 5/1",
    "request_prompt_tokens 5/450", "request_generation_tokens 5/60",
)  # fmt: skip
V0_SAYS = {
    "running": 2, "waiting": 2, "kv_cache_usage": 0.25, "prefix_cache_hit_rate": 0.5, "preemptions": 3,
    "prompt_tokens": 500, "output_tokens": 70, "requests": 5, "answers": 4, "ttft_seconds": 6,
    "inter_token_seconds": 64, "request_seconds": 5, "queue_seconds": 5, "prompt_tokens_per_request": 5,
    "output_tokens_per_request": 5,
}  # fmt: skip
# 0.9.2 to 0.10.2 have the old names of the cache beside the new ones.
BOTH = lines(
    "vllm:", E0, "kv_cache_usage_perc 0.5", "gpu_cache_usage_perc 0.5", "prefix_cache_queries_total 100",
    "prefix_cache_hits_total 40", "gpu_prefix_cache_queries_total 100", "gpu_prefix_cache_hits_total 40",
    "prompt_tokens_total 100", "time_per_output_token_seconds 7/1", "request_success_total 3",
)  # fmt: skip
BOTH_SAYS = {
    "kv_cache_usage": 0.5, "prefix_cache_queries": 100, "prefix_cache_hits": 40, "cached_tokens": 40,
    "prompt_tokens": 100, "inter_token_seconds": 7, "requests": 3,
}  # fmt: skip
HIDDEN = lines(  # 0.11.0 to 0.11.2: no old names, a connector's cache
    "vllm:", E0, "kv_cache_usage_perc 0.5", "prefix_cache_hits_total 40", "external_prefix_cache_hits_total 9",
    "external_prefix_cache_queries_total 60", "inter_token_latency_seconds 7/1", "prompt_tokens_total 100",
)  # fmt: skip
HIDDEN_SAYS = {
    "kv_cache_usage": 0.5, "prefix_cache_hits": 40, "cached_tokens": 49, "inter_token_seconds": 7, "prompt_tokens": 100,
}  # fmt: skip
SINCE_0_16 = HIDDEN + lines(
    "vllm:", E0, "prompt_tokens_cached_total 49", 'prompt_tokens_by_source_total{source="local_compute"} 51',
    'prompt_tokens_by_source_total{source="local_cache_hit"} 40', "prompt_tokens_recomputed_total 5",
    'prompt_tokens_cached_by_source_total{source="device"} 40', "request_time_per_output_token_seconds 3/1",
)  # fmt: skip
RANKS = "".join(
    lines(
        "vllm:", engine, f"num_requests_running {n}", f"kv_cache_usage_perc 0.{n}", f"generation_tokens_total 10{n}",
        f'engine_sleep_state{{sleep_state="awake"}} {2 - n}',
        f'engine_sleep_state{{sleep_state="discard_all"}} {n - 1}',
    )
    for n, engine in ((1, E0), (2, E1))
) + "".join(
    f'vllm:lora_requests_info{{max_lora="4",running_lora_adapters="a{n}",waiting_lora_adapters=""}} 1.79e9\n'
    for n in range(200)
)  # fmt: skip
REJECTING = lines(
    "", "", 'http_requests_total{handler="/v1/completions",method="POST",status="5xx"} 6',
    'http_requests_total{handler="/v1/completions",method="POST",status="4xx"} 2',
    'http_requests_total{handler="/v1/completions",method="POST",status="2xx"} 50',
    'http_requests_total{handler="/health",method="GET",status="5xx"} 90',
    'http_requests_total{handler="none",method="GET",status="4xx"} 80',
) + lines(
    "vllm:", M, 'admission_rejections_total{reason="max_num_queued_reqs"} 5', "num_requests_running 1",
)  # fmt: skip
DRAFTING = lines(
    "vllm:", E0, "spec_decode_num_drafts_total 10", "spec_decode_num_draft_tokens_total 30",
    "spec_decode_num_accepted_tokens_total 18", 'spec_decode_num_accepted_tokens_per_pos_total{position="0"} 10',
)  # fmt: skip
VLLM = {
    "V0": (V0, V0_SAYS),
    "both names": (BOTH, BOTH_SAYS),
    "hidden names": (HIDDEN, HIDDEN_SAYS),
    "since 0.16": (SINCE_0_16, HIDDEN_SAYS),
    "ranks, sleep, LoRA": (RANKS, {"running": 3, "kv_cache_usage": 0.3, "output_tokens": 203, "asleep": 1}),
    "rejections": (REJECTING, {"requests_failed": 13, "running": 1}),
    "drafts": (DRAFTING, {"spec_drafted_tokens": 30, "spec_accepted_tokens": 18}),
}
RELAYS = {"ray": "ray_vllm_", "kserve": "kserve_vllm:", "vllm": "vllm_"}


@pytest.mark.parametrize("form", VLLM)
def test_vllms_versions(form: str) -> None:
    page, expected = VLLM[form]
    assert totals(source("vllm").parse(page.encode(), 1.0)) == pytest.approx(expected)


@pytest.mark.parametrize("form", VLLM)
@pytest.mark.parametrize("relay", RELAYS)
def test_relays_pass_all_of_them_on(relay: str, form: str) -> None:
    page, expected = VLLM[form]
    said = totals(source(relay).parse(page.replace("vllm:", RELAYS[relay]).encode(), 1.0))
    assert said == pytest.approx(expected)


OLD_TRT = lines(
    "", 'model_name="undefined",engine_type="undefined"', 'request_success_total{finish_reason="stop"} 7',
    'request_success_total{finish_reason="length"} 2', 'request_success_total{finish_reason="cancelled"} 3',
    "e2e_request_latency_seconds 12/30", "time_to_first_token_seconds 12/4", "kv_cache_utilization 0.25",
    "kv_cache_hit_rate 0.4",
)  # fmt: skip
OLD_TRT_SAYS = {
    "requests": 9, "answers": 9, "requests_aborted": 3, "request_seconds": 12, "ttft_seconds": 12,
    "kv_cache_usage": 0.25, "prefix_cache_hit_rate": 0.4,
}  # fmt: skip
NEW_TRT = lines(
    "trtllm_", 'model_name="m",engine_type="decode"', 'request_success_total{finished_reason="stop"} 9',
    'request_success_total{finished_reason="cancelled"} 3', 'request_error_total{http_code="429"} 4',
    'request_error_total{http_code="503"} 5', "prompt_tokens_total 800", "generation_tokens_total 90",
    "prompt_cached_tokens_total 300", 'prompt_cache_hit_tokens_total{cache_level="block",cache_tier="gpu"} 300',
    "num_requests_completed_total 12", "total_context_tokens 77",
    'spec_decode_drafted_tokens_total{token_position="0"} 20',
    'spec_decode_drafted_tokens_total{token_position="1"} 20',
    'spec_decode_accepted_tokens_total{token_position="0"} 15',
)  # fmt: skip
NEW_TRT_SAYS = {
    "requests": 9, "answers": 9, "requests_aborted": 3, "requests_failed": 9, "prompt_tokens": 800, "output_tokens": 90,
    "cached_tokens": 300, "spec_drafted_tokens": 40, "spec_accepted_tokens": 15,
}  # fmt: skip


@pytest.mark.parametrize("spelling", ["trtllm_", "trtllm:", ""])
def test_tensorrt_llms_names_with_and_without_what_stands_before_them(spelling: str) -> None:
    page = NEW_TRT.replace("trtllm_", spelling)
    assert totals(source("trtllm").parse(page.encode(), 1.0)) == NEW_TRT_SAYS


@pytest.mark.parametrize("spelling", ["trtllm_", "trtllm:"])
def test_a_dynamo_worker_passes_tensorrt_llms_names_on(spelling: str) -> None:
    page = NEW_TRT.replace("trtllm_", spelling) + 'dynamo_component_requests_total{model="m"} 99\n'
    assert totals(source("dynamo").parse(page.encode(), 1.0)) == NEW_TRT_SAYS


def test_tensorrt_llms_older_label_of_a_finish_reason() -> None:
    assert totals(source("trtllm", model="m").parse(OLD_TRT.encode(), 1.0)) == OLD_TRT_SAYS


SGLANG = {
    "0.4.1": (
        lines("sglang:", M, "num_running_reqs 3", "num_queue_reqs 1", "token_usage 0.4", "cache_hit_rate 0.2",
              "prompt_tokens_total 100", "generation_tokens_total 20", "time_per_output_token_seconds 9/1"),
        {"running": 3, "waiting": 1, "kv_cache_usage": 0.4, "prefix_cache_hit_rate": 0.2, "prompt_tokens": 100,
         "output_tokens": 20, "inter_token_seconds": 9},
    ),
    # A request tells where its cached tokens were, or only their total: never both.
    "0.5.9": (
        lines("sglang:", M, 'cached_tokens_total{cache_source="device"} 40',
              'cached_tokens_total{cache_source="total"} 5', 'cached_tokens_total{cache_source="storage_hf3fs"} 2'),
        {"cached_tokens": 47},
    ),
    "is_streaming": (
        lines("sglang:", M, 'prompt_tokens_total{engine_type="unified",is_streaming="true"} 100',
              'prompt_tokens_total{engine_type="unified",is_streaming="false"} 11',
              'num_requests_total{is_streaming="true"} 4', 'num_requests_total{is_streaming="false"} 5',
              "num_aborted_requests_total 2"),
        {"prompt_tokens": 111, "requests": 9, "requests_aborted": 2},
    ),
    "all schedulers": (
        "".join(lines("sglang:", f'{M},tp_rank="{tp}",pp_rank="0",moe_ep_rank="{tp}"', "num_running_reqs 3",
                      "token_usage 0.4", 'realtime_tokens_total{mode="decode"} 30', "spec_accept_rate 0.6",
                      'forward_execution_seconds_total{category="decode"} 7',
                      'forward_execution_seconds_total{category="extend"} 2') for tp in range(8)),
        {"running": 3, "kv_cache_usage": 0.4, "output_tokens": 30, "spec_acceptance": 0.6,
         "decode_gpu_seconds_total": 7, "prefill_gpu_seconds_total": 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", SGLANG)
@pytest.mark.parametrize("relay", ["sglang", "ray"])
def test_sglangs_versions(relay: str, form: str) -> None:
    page, expected = SGLANG[form]
    passed_on = page.replace("sglang:", "ray_sglang_") if relay == "ray" else page
    assert totals(source(relay).parse(passed_on.encode(), 1.0)) == pytest.approx(expected)


def test_tritons_instances_with_and_without_a_gpu_are_one_model() -> None:
    page = lines(
        "nv_inference_", 'model="m",version="1"', "request_success 5", 'request_success{gpu_uuid="GPU-a"} 7',
        'request_success{gpu_uuid="GPU-b"} 11', 'request_failure{gpu_uuid="GPU-a",reason="BACKEND"} 2',
        'request_failure{reason="CANCELED"} 3', 'compute_infer_duration_us{gpu_uuid="GPU-a"} 4000000',
        "pending_request_count 1", 'compute_infer_duration_us{gpu_uuid="GPU-b"} 2000000', "exec_count 9",
    )  # fmt: skip
    assert totals(source("triton").parse(page.encode(), 1.0)) == {
        "requests": 23, "requests_failed": 2, "requests_aborted": 3, "compute_seconds_total": 6, "waiting": 1,
        "batches": 9,
    }  # fmt: skip


def test_nims_bare_names_and_the_engines_own_are_not_added() -> None:
    own = lines(
        "", M, "gpu_cache_usage_perc 0.3", "num_requests_running 4", "num_request_max 256", "prompt_tokens_total 500",
        "generation_tokens_total 60", "request_success_total 8", "request_failure_total 2",
        'request_finish_total{finished_reason="stop"} 8', "time_per_output_token_seconds 52/2",
    )  # fmt: skip
    said = {
        "kv_cache_usage": 0.3, "running": 4, "prompt_tokens": 500, "output_tokens": 60, "requests": 8,
        "answers": 8, "requests_failed": 2, "inter_token_seconds": 52,
    }  # fmt: skip
    assert totals(source("nim").parse(own.encode(), 1.0)) == said
    assert totals(source("nim").parse((own + HIDDEN).encode(), 1.0)) == said
    assert totals(source("nim").parse(HIDDEN.encode(), 1.0)) == HIDDEN_SAYS


def test_a_dynamo_page_with_front_end_and_engine_counts_the_engine_alone() -> None:
    front = lines(
        "dynamo_frontend_", 'model="m"', 'requests_total{endpoint="chat",request_type="stream",status="success"} 7',
        "output_tokens_total 99", "inflight_requests 5", "input_sequence_tokens 7/900",
    )  # fmt: skip
    assert totals(source("dynamo").parse((HIDDEN + front).encode(), 1.0)) == HIDDEN_SAYS
    assert totals(source("dynamo").parse(front.encode(), 1.0)) == {
        "requests": 7, "output_tokens": 99, "running": 5, "prompt_tokens": 900, "prompt_tokens_per_request": 7,
    }  # fmt: skip


def test_lmdeploys_data_parallel_engines() -> None:
    page = "".join(
        lines("lmdeploy:", f'model_name="m",engine="{n}"', f'request_success_total{{finished_reason="stop"}} 1{n}',
              f"num_requests_running {n}", "gpu_cache_usage_perc 0.25", f"iter_token_latency 3{n}/1",
              f"time_per_output_token_seconds 4{n}/1", "prefix_cache_hit_rate 0.5")
        for n in (1, 2)
    )  # fmt: skip
    assert totals(source("lmdeploy").parse(page.encode(), 1.0)) == {
        "requests": 23, "running": 3, "kv_cache_usage": 0.5, "inter_token_seconds": 63, "prefix_cache_hit_rate": 1.0,
    }  # fmt: skip

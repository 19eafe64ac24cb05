"""What Ray Serve and KServe make of vLLM's page."""

from infertop.readings.model import Series
from tests.collectors.reading import labels, payload, source, totals
from tests.collectors.test_vllm import NEWER, QUANTITIES

RAY = payload("ray/2.48_synthetic.txt")
MODEL = "Qwen/Qwen2.5-7B-Instruct"


def test_the_replicas_on_a_rays_node_are_ranks_of_one_model():
    batch = source("ray").parse(RAY, 1.0)
    alone = {metric: value for metric, value in (QUANTITIES | NEWER).items() if metric != "asleep"}
    assert totals(batch) == {metric: 2 * value for metric, value in alone.items()}
    assert Series.of("running", model=MODEL, rank="0/LLMServer#x1/a1") in batch.series
    assert len(labels(batch, "output_tokens")) == 2


def test_the_gauges_that_repeat_rays_counters_are_not_counted():
    once = b"\n".join(line for line in RAY.split(b"\n") if b"tokens{" not in line) + b"\n"
    assert once.count(b"\n") < RAY.count(b"\n")
    assert totals(source("ray").parse(once, 1.0)) == totals(source("ray").parse(RAY, 1.0))


def test_a_node_may_run_both_of_rays_engines():
    sglang = b'ray_sglang_generation_tokens_total{model_name="other",tp_rank="0",WorkerId="c"} 7\n'
    said = totals(source("ray").parse(RAY + sglang, 1.0))
    assert said["output_tokens"] == 2 * QUANTITIES["output_tokens"] + 7


def test_a_node_on_which_no_model_is_served_yet_is_up_and_says_nothing():
    page = b'# TYPE ray_node_cpu_count gauge\nray_node_cpu_count{ip="10.0.0.5"} 8\n'
    assert source("ray").parse(page, 1.0).series == ()


def test_kserves_vllm_is_read_with_and_without_its_prefix():
    page = payload("kserve/vllm_synthetic.txt")
    assert totals(source("kserve").parse(page, 1.0)) == QUANTITIES | NEWER
    assert totals(source("kserve").parse(page.replace(b"vllm:", b"kserve_vllm:"), 1.0)) == QUANTITIES | NEWER


def test_a_kserve_server_without_vllm_has_requests_and_their_time_but_no_tokens():
    batch = source("kserve").parse(payload("kserve/classic_synthetic.txt"), 1.0)
    assert totals(batch) == {"requests": 60, "request_seconds": 60}
    assert {series.label("model") for series in batch.series} == {"llama3"}

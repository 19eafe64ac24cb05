"""LMDeploy's page: vLLM's names under its own prefix, and where they mean something else."""

import pytest

from collectors import KINDS
from infertop.engine.collector import Unavailable
from tests.collectors.reading import answering, labels, payload, source, totals

PAGE = payload("lmdeploy/0.18.0.txt")


def test_the_quantities_of_a_release():
    # Rendered from 100 requests of 400 + 48 tokens, 160 of the prompt cached, 2 of them cancelled; 1 failed besides.
    batch = source("lmdeploy").parse(PAGE, 1.0)
    assert totals(batch) == {
        "requests": 98,
        "requests_aborted": 2,
        "requests_failed": 3,
        "prompt_tokens": 40_000,
        "cached_tokens": 16_000,
        "output_tokens": 4_800,
        "spec_drafted_tokens": 3_000,
        "spec_accepted_tokens": 1_800,
        "running": 12,
        "waiting": 3,
        "kv_cache_usage": 0.42,
        "prefix_cache_hit_rate": 0.4,
        "ttft_seconds": 100,
        "inter_token_seconds": 4_700,
        "request_seconds": 100,
        "queue_seconds": 100,
        "prompt_tokens_per_request": 100,
        "output_tokens_per_request": 100,
    }
    assert {series.label("model") for series in batch.series} == {"internlm/internlm2_5-7b-chat"}
    assert batch.started == pytest.approx(1_795_346_021, abs=1)
    assert (batch.notes, batch.rejected) == ((), 0)


def test_what_an_older_release_does_not_count_is_unknown():
    older = b"".join(
        line
        for line in PAGE.splitlines(keepends=True)
        if not any(name in line for name in (b"cached_tokens", b"spec_decode", b"iter_token_latency", b"_failed"))
    )
    said = totals(source("lmdeploy").parse(older, 1.0))
    assert not {"cached_tokens", "spec_drafted_tokens", "spec_accepted_tokens", "requests_failed"} & set(said)
    assert said["inter_token_seconds"] == 4_700  # by time_per_output_token_seconds


def test_data_parallel_engines_are_ranks():
    other = PAGE.replace(b'engine="0"', b'engine="1"')
    second = b"".join(line for line in other.splitlines(keepends=True) if b'engine="1"' in line)
    both = source("lmdeploy").parse(PAGE + second, 1.0)
    assert {dict(pairs)["rank"] for pairs in labels(both, "running")} == {"0", "1"}
    assert totals(both)["prompt_tokens"] == 80_000


def test_times_of_requests_that_overlap_are_no_gpu_time():
    assert not any("gpu_seconds" in metric for metric in totals(source("lmdeploy").parse(PAGE, 1.0)))


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (404, b'{"detail":"Not Found"}', "HTTP 404.: start it without --disable-metrics"),
        (200, b"", "serves no metrics of LMDeploy"),
        (200, payload("vllm/0.33.0.txt"), "serves no metrics of LMDeploy"),
        (200, b"[]", "JSON"),
        (200, PAGE[:5_000], "ends in the middle of a line"),
    ],
    ids=["switched off", "empty", "another engine", "JSON", "cut off"],
)
async def test_what_is_not_lmdeploys_page_is_unavailable_with_a_sentence(status, body, sentence):
    with pytest.raises(Unavailable, match=sentence):
        await source("lmdeploy", answer=answering(status, body)).collect(1.0)


def test_its_command_is_recognised_with_port_and_model():
    server = KINDS["lmdeploy"].server
    argv = ["/usr/bin/python3", "/usr/bin/lmdeploy", "serve", "api_server", "org/m", "--server-port", "23334"]
    assert server.matches(argv)
    assert (server.port(argv), server.model(argv)) == (23334, "org/m")
    assert server.model([*argv, "--model-name", "name"]) == "name"
    assert not server.matches(["lmdeploy", "serve", "proxy"])
    assert server.confirm(200, {}, b'{"object":"list","data":[{"id":"m","owned_by":"lmdeploy"}]}')


@pytest.mark.parametrize(
    ("reason", "metric"),
    [
        *(("SUCCESS", "requests"), ("FINISH", "requests"), ("CANCEL", "requests_aborted")),
        *((bad, None) for bad in ("INPUT_LENGTH_ERROR", "SESSION_NOT_EXIST", "NO_QUEUE", "OUT_OF_MEMORY")),
    ],
)
def test_a_way_to_end_is_a_request_one_given_up_or_a_failure_that_is_counted_elsewhere(reason, metric):
    line = f'lmdeploy:request_success_total{{engine="0",finished_reason="ResponseType.{reason}",model_name="m"}} 5\n'
    page = line + 'lmdeploy:num_requests_running{engine="0",model_name="m"} 1\n'
    assert totals(source("lmdeploy").parse(page.encode(), 1.0)) == {"running": 1} | ({metric: 5} if metric else {})

"""Dynamo's pages: a worker with its engine's series, one without, a front end, and a page that has both."""

import pytest

from collectors import KINDS
from infertop.engine.collector import Unavailable
from tests.collectors.reading import answering, grown, labels, payload, recorded, source, totals
from tests.collectors.test_vllm import NEWER, QUANTITIES

FRONT_END = payload("dynamo-frontend/synthetic.txt")
WORKER = payload("dynamo/worker_vllm_synthetic.txt")
BOTH = payload("dynamo/both_synthetic.txt")
ENGINE = QUANTITIES | NEWER | {"requests_failed": 0}
MODEL = "Qwen/Qwen2.5-7B-Instruct"


def test_a_workers_engine_is_read_and_not_what_the_worker_counts_of_the_same_requests():
    batch = source("dynamo").parse(WORKER, 1.0)
    assert totals(batch) == ENGINE
    assert {series.label("model") for series in batch.series} == {MODEL}


def test_a_front_ends_quantities():
    batch = source("dynamo").parse(FRONT_END, 1.0)
    assert totals(batch) == {
        "requests": 100,
        "requests_aborted": 5,
        "requests_failed": 4,
        "prompt_tokens": 41_000,
        "cached_tokens": 16_000,
        "output_tokens": 4_790,
        "running": 15,  # those that wait for their first token are among them
        "ttft_seconds": 104,
        "inter_token_seconds": 4_686,
        "request_seconds": 104,
        "prompt_tokens_per_request": 104,
        "output_tokens_per_request": 104,
    }
    assert {dict(pairs)["reason"] for pairs in labels(batch, "requests_failed")} == {"validation", "overload"}
    assert {series.label("model") for series in batch.series} == {MODEL}


def test_the_prefix_that_nim_sets_says_the_same():
    page = FRONT_END.replace(b"dynamo_frontend_", b"nv_llm_http_service_")
    assert totals(source("dynamo").parse(page, 1.0)) == totals(source("dynamo").parse(FRONT_END, 1.0))


def test_of_a_page_with_front_end_and_engine_the_engine_counts_alone():
    assert totals(source("dynamo").parse(BOTH, 1.0)) == ENGINE


@pytest.mark.parametrize(
    ("page", "output"),
    [("sglang/0.5.23_synthetic.txt", "output_tokens"), ("trtllm/main_synthetic.txt", "output_tokens")],
)
def test_other_engines_behind_a_front_end_are_read_as_by_themselves(page, output):
    kind = page.partition("/")[0]
    alone = totals(source(kind).parse(payload(page), 1.0))
    assert alone[output] > 0
    assert totals(source("dynamo").parse(FRONT_END + payload(page), 1.0)) == alone


def test_a_worker_without_its_engines_series_says_requests_and_no_tokens():
    batch = source("dynamo").parse(payload("dynamo/worker_synthetic.txt"), 1.0)
    assert totals(batch) == {
        "requests": 105,  # and not those of its endpoint for administration
        "requests_failed": 2,
        "running": 14,
        "kv_cache_usage": 0.43,
        "request_seconds": 105,
    }


def test_a_router_of_its_own_is_no_worker():
    page = payload("dynamo/worker_synthetic.txt").replace(b'dynamo_component="backend"', b'dynamo_component="router"')
    assert "requests" not in totals(source("dynamo").parse(page, 1.0))


def test_a_line_that_cannot_be_read_never_brings_in_the_front_end():
    collector = source("dynamo")
    collector.parse(BOTH, 1.0)
    broken = BOTH.replace(b"vllm:generation_tokens_total{", b"vllm:generation_tokens_total<")
    assert totals(collector.parse(broken, 2.0)) == {k: v for k, v in ENGINE.items() if k != "output_tokens"}


def test_what_was_read_first_stays_so_that_no_request_counts_twice():
    later = FRONT_END.replace(b"} 4790", b"} 4800")
    both = later + b"\n".join(line for line in WORKER.split(b"\n") if b"vllm:" in line) + b"\n"
    run = recorded(source("dynamo"), [(0, 200, FRONT_END.decode()), (1, 200, both.decode())])
    assert grown(advance for _, advance in run) == {("output_tokens", MODEL): 10}


def test_a_process_without_a_request_yet_is_up_and_says_nothing():
    fresh = b"\n".join(line for line in FRONT_END.split(b"\n") if line.startswith(b"#")) + b"\n"
    assert source("dynamo").parse(fresh, 1.0).series == ()


def test_a_front_end_found_beside_its_workers_is_shown_and_not_added():
    assert KINDS["dynamo-frontend"].gateway
    assert not KINDS["dynamo"].gateway


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "none of Dynamo's metrics"),
        (payload("llamacpp/xllamacpp_last.txt"), "none of Dynamo's metrics"),
        (b"<html></html>", "a web page"),
        (FRONT_END[:3_000], "ends in the middle of a line"),
    ],
    ids=["empty", "another engine", "HTML", "cut off"],
)
async def test_another_page_is_unavailable_with_a_sentence(body, sentence):
    with pytest.raises(Unavailable, match=sentence):
        await source("dynamo", answer=answering(body=body)).collect(1.0)

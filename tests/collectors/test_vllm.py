"""vLLM's pages of five releases, what relays make of them, and pages that are broken or not vLLM's."""

import pytest

from infertop.engine.collector import Unavailable
from infertop.readings.model import Series
from tests.collectors.reading import answering, labels, payload, source, totals

# Pages of 0.8.5 to 0.33.0 were rendered from one made-up load; that of 0.32.0 is of a real server.
QUANTITIES = {
    "requests": 100,
    "answers": 98,  # and 2 given up
    "prompt_tokens": 40_000,
    "cached_tokens": 16_000,
    "output_tokens": 4_800,
    "running": 12,
    "waiting": 3,
    "kv_cache_usage": 0.42,
    "prefix_cache_queries": 40_000,
    "prefix_cache_hits": 16_000,
    "preemptions": 0,
    "ttft_seconds": 400,
    "inter_token_seconds": 4_400,
    "request_seconds": 100,
    "queue_seconds": 100,
    "prompt_tokens_per_request": 100,
    "output_tokens_per_request": 100,
}
# Up to 0.8.5 the prefix cache counted blocks, here of 16 tokens.
BLOCKS = {"cached_tokens": 256_000, "prefix_cache_queries": 640_000, "prefix_cache_hits": 256_000}
NEWER = {"asleep": 0, "requests_failed": 0}
REAL = {
    "requests": 2_799,
    "answers": 3_048,
    "requests_failed": 376,
    "prompt_tokens": 539_721,
    "cached_tokens": 21_376,
    "output_tokens": 148_739,
    "running": 0,
    "waiting": 0,
    "kv_cache_usage": 0,
    "prefix_cache_queries": 540_124,
    "prefix_cache_hits": 21_376,
    "preemptions": 57,
    "ttft_seconds": 3_871,
    "inter_token_seconds": 144_868,
    "request_seconds": 3_048,
    "queue_seconds": 3_048,
    "prompt_tokens_per_request": 3_048,
    "output_tokens_per_request": 3_048,
    "asleep": 0,
}


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("vllm/0.8.5.txt", QUANTITIES | BLOCKS),
        ("vllm/0.10.2.txt", QUANTITIES),
        ("vllm/0.20.0.txt", QUANTITIES | NEWER),
        ("vllm/0.32.0_before_restart.txt", REAL),
        ("vllm/0.33.0.txt", QUANTITIES | NEWER),
    ],
)
def test_every_release_says_the_same_quantities(page, expected):
    batch = source("vllm").parse(payload(page), 1.0)
    assert totals(batch) == expected
    assert batch.started == pytest.approx(1_795_319_600, abs=100)
    assert (batch.source, batch.ts, batch.notes, batch.rejected) == ("vllm", 1.0, (), 0)


V0 = """\
vllm:num_requests_running{model_name="m"} 2.0
vllm:num_requests_waiting{model_name="m"} 1.0
vllm:gpu_cache_usage_perc{model_name="m"} 0.25
vllm:num_preemptions_total{model_name="m"} 3.0
vllm:prompt_tokens_total{model_name="m"} 500.0
vllm:generation_tokens_total{model_name="m"} 70.0
vllm:gpu_prefix_cache_hit_rate{model_name="m"} 0.9
vllm:request_success_total{finished_reason="stop",model_name="m"} 4.0
vllm:request_success_total{finished_reason="length",model_name="m"} 5.0
vllm:time_per_output_token_seconds_bucket{le="0.1",model_name="m"} 8.0
vllm:time_per_output_token_seconds_bucket{le="+Inf",model_name="m"} 9.0
vllm:time_per_output_token_seconds_sum{model_name="m"} 1.5
"""


def test_the_names_of_engine_v0_are_read_and_what_it_does_not_count_is_absent():
    batch = source("vllm").parse(V0.encode(), 1.0)
    assert totals(batch) == {
        "running": 2,
        "waiting": 1,
        "kv_cache_usage": 0.25,
        "preemptions": 3,
        "prefix_cache_hit_rate": 0.9,
        "prompt_tokens": 500,
        "output_tokens": 70,
        "requests": 9,
        "answers": 9,
        "inter_token_seconds": 9,
    }
    assert labels(batch, "prompt_tokens") == {(("model", "m"),)}
    assert batch.started is None


def test_requests_are_counted_and_not_the_choices_of_a_request():
    page = payload("vllm/0.32.0_before_restart.txt")
    choices = [line for line in page.decode().split("\n") if line.startswith("vllm:request_success_total{")]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in choices) == 3_048
    assert totals(source("vllm").parse(page, 1.0))["requests"] == 2_799


def test_failures_are_told_apart_by_whether_the_client_or_the_server_was_at_fault():
    page = payload("vllm/0.33.0.txt") + payload("vllm/http.txt")
    batch = source("vllm").parse(page, 1.0)
    failed = {
        s.label("reason"): v for s, v in zip(batch.series, batch.values, strict=True) if s.metric[-6:] == "failed"
    }
    # A 404 of a path that the API does not have is no request of the model's.
    turned_away = dict.fromkeys(("max_num_queued_reqs", "max_num_queued_tokens"), 0.0)
    assert failed == {"4xx": 1.0, "5xx": 1.0, "error": 0.0} | turned_away
    assert all(s.label("model") == "Qwen/Qwen2.5-7B-Instruct" for s in batch.series)


def test_blocks_become_tokens_by_the_pages_own_block_size_and_are_left_out_without_it():
    page = payload("vllm/0.8.5.txt")
    cut = b"\n".join(line for line in page.split(b"\n") if b"cache_config_info" not in line)
    assert totals(source("vllm").parse(page.replace(b'block_size="16"', b'block_size="32"'), 1.0))["cached_tokens"] == (
        512_000
    )
    assert "cached_tokens" not in totals(source("vllm").parse(cut, 1.0))
    in_tokens = page.replace(b"number of cached blocks", b"number of cached tokens")
    assert totals(source("vllm").parse(in_tokens, 1.0))["cached_tokens"] == 16_000


def test_tokens_from_another_machines_cache_are_cached_tokens_too():
    page = payload("vllm/0.10.2.txt")
    external = b'vllm:external_prefix_cache_hits_total{engine="0",model_name="Qwen/Qwen2.5-7B-Instruct"} 500.0\n'
    assert totals(source("vllm").parse(page + external, 1.0))["cached_tokens"] == 16_500


def test_the_gauge_of_loras_is_a_time_and_counts_for_nothing():
    batch = source("vllm").parse(payload("vllm/0.32.0_lora_server.txt"), 1.0)
    assert max(value for value in batch.values if isinstance(value, float)) < 1e6
    assert {series.label("model") for series in batch.series} == {"second-model"}


def test_no_created_stamp_is_among_the_values():
    batch = source("vllm").parse(payload("vllm/0.32.0_first.txt"), 1.0)
    assert all(value < 1e9 for value in totals(batch).values())


@pytest.mark.parametrize(("state", "asleep"), [("awake", 0), ("weights_offloaded", 1), ("discard_all", 1)])
def test_an_engine_whose_weights_are_off_the_gpu_is_asleep(state, asleep):
    names = ("awake", "weights_offloaded", "discard_all")
    lines = [
        f'vllm:engine_sleep_state{{engine="0",model_name="m",sleep_state="{n}"}} {float(n == state)}' for n in names
    ]
    assert totals(source("vllm").parse("\n".join([*lines, ""]).encode(), 1.0)) == {"asleep": asleep}


def with_second_engine(page: bytes) -> bytes:
    lines = page.decode().split("\n")
    second = [line.replace('engine="0"', 'engine="1"') for line in lines if 'engine="0"' in line]
    return "\n".join([*lines[:-1], *second, ""]).encode()


def test_data_parallel_engines_are_ranks_of_one_model():
    one = source("vllm").parse(payload("vllm/0.33.0.txt"), 1.0)
    two = source("vllm").parse(with_second_engine(payload("vllm/0.33.0.txt")), 1.0)
    assert {dict(pairs)["rank"] for pairs in labels(two, "output_tokens")} == {"0", "1"}
    assert totals(two) == {metric: 2 * value for metric, value in totals(one).items()}
    assert set(one.series) < set(two.series)


@pytest.mark.parametrize("prefix", [b"ray_vllm_", b"kserve_vllm:", b"vllm_"])
def test_a_relays_spelling_of_the_names_reads_the_same(prefix):
    page = payload("vllm/0.33.0.txt")
    assert totals(source("vllm").parse(page.replace(b"vllm:", prefix), 1.0)) == totals(source("vllm").parse(page, 1.0))


def test_replicas_behind_a_relay_stay_apart_so_that_one_that_goes_does_not_look_like_a_restart():
    page = b"".join(
        b'ray_vllm_generation_tokens_total{engine="0",model_name="m",WorkerId="%b"} 5\n' % worker
        for worker in (b"a", b"b")
    )
    assert labels(source("vllm").parse(page, 1.0), "output_tokens") == {
        (("model", "m"), ("rank", "0/a")),
        (("model", "m"), ("rank", "0/b")),
    }


def test_series_are_the_same_object_from_poll_to_poll():
    collector = source("vllm")
    first, again = (collector.parse(payload("vllm/0.33.0.txt"), ts) for ts in (1.0, 2.0))
    assert first.series is again.series


HTML = b"<!DOCTYPE html>\n<html><body>Hello</body></html>\n"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "serves no vllm series: is it vLLM, and was it started with --disable-log-stats?"),
        (payload("vllm/http.txt"), "was it started with --disable-log-stats?"),
        (payload("vllm/0.33.0.txt").replace(b"vllm:", b"vllm:new_"), "no vllm series that infertop knows"),
        (HTML, "answers with a web page, not with metrics"),
        (b'[{"iter": 1}]\n', "answers with JSON, not with metrics"),
        (payload("vllm/0.33.0.txt")[:20_000], "ends in the middle of a line"),
    ],
    ids=["empty", "stats off", "renamed", "HTML", "JSON", "cut off"],
)
async def test_a_page_without_an_engine_is_unavailable_with_a_sentence(body, sentence):
    collector = source("vllm", "http://127.0.0.1:8000", answer=answering(body=body))
    with pytest.raises(Unavailable) as caught:
        await collector.collect(1.0)
    assert sentence in caught.value.sentence
    assert "127.0.0.1:8000/metrics" in caught.value.sentence


@pytest.mark.parametrize(("body", "state"), [(b"", "absent"), (payload("vllm/http.txt"), "absent"), (b"x 1\n", "down")])
def test_a_server_that_keeps_no_statistics_says_nothing_and_is_not_down(body, state):
    with pytest.raises(Unavailable) as caught:
        source("vllm").parse(body, 1.0)
    assert caught.value.state.value == state


def test_a_half_broken_page_gives_what_is_left_of_it_and_a_note():
    broken = payload("vllm/0.33.0.txt").replace(b"vllm:generation_tokens_total{", b"vllm:generation_tokens_total<")
    collector = source("vllm")
    first, batch = (collector.parse(broken, ts) for ts in (1.0, 2.0))
    left = {k: v for k, v in (QUANTITIES | NEWER).items() if k != "output_tokens"}
    # What is missing on the first page would look new on a later one: the page says that it may hide something.
    assert totals(first) == totals(batch) == left | {"unreadable_lines": 1}
    assert batch.series is first.series
    assert batch.rejected == 1
    assert "1 line could not be read" in batch.notes[0]


def test_escape_codes_of_a_broken_line_do_not_reach_the_screen():
    batch = source("vllm").parse(payload("vllm/0.33.0.txt") + b"vllm:prompt_tokens_total\x1b]52;c;aGk=\x07 5\n", 1.0)
    assert "\x1b" not in batch.notes[0]


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/metrics"])
async def test_the_url_may_be_the_base_the_api_or_the_page(end):
    asked = []

    def answer(request):
        asked.append(request.url.path)
        return answering(body=payload("vllm/0.33.0.txt"))(request)

    batch = await source("vllm", "http://127.0.0.1:8000" + end, answer=answer).collect(5.0)
    assert asked == ["/metrics"]
    assert Series.of("running", model="Qwen/Qwen2.5-7B-Instruct", rank="0") in batch.series

"""vLLM by release: the names that each of them has, how it is run, and what its counters add up to."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from infertop.readings.registry import METRICS, Kind
from tests.collectors.reading import labels, payload, source, totals
from tests.recordings import PAYLOADS

# `name first..last` for every name of the engine's own, taken from the sources of 32 releases.
NAMES = [line.split() for line in (PAYLOADS / "vllm/timeline.txt").read_text().splitlines() if line.strip()]
GAUGES = re.compile(r"num_requests|_perc$|_rate$|_info$|_state$|_per_s$|_efficiency$|in_flight$")
HISTOGRAMS = re.compile(
    r"_seconds$|_milliseconds$|^vllm:request_(?!success)|iteration_tokens_total|time_in_queue_requests|^vllm:tokens_total"
)
# What every release says, engine V0 and V1.
ALWAYS = {
    *("requests", "prompt_tokens", "output_tokens", "running", "waiting", "kv_cache_usage", "preemptions"),
    *("ttft_seconds", "inter_token_seconds", "request_seconds", "queue_seconds"),
    *("prompt_tokens_per_request", "output_tokens_per_request"),
}
RATE = "prefix_cache_hit_rate"
PREFIX = {"cached_tokens", "prefix_cache_queries", "prefix_cache_hits"}
SPECULATION = {"spec_drafted_tokens", "spec_accepted_tokens"}


def order(release: str) -> tuple[int, ...]:
    return (99,) if release == "HEAD" else tuple(int(part) for part in release.split(".post")[0].split("."))


RELEASES = sorted({each for _, span in NAMES for each in span.split("..")}, key=order)


def page(release: str, engine: str = 'engine="0",') -> bytes:
    """A page with every name of a release once, its value 1 (a histogram has one observation)."""
    own = f'{{{engine}model_name="m"}}' if engine else '{model_name="m"}'
    lines = {}
    for name, span in NAMES:
        first, last = (order(each) for each in span.split(".."))
        if not first <= order(release) <= last:
            continue
        if HISTOGRAMS.search(name):
            inside = own[:-1]
            lines[name] = f'{name}_bucket{inside},le="+Inf"}} 1\n{name}_sum{own} 1\n{name}_count{own} 1\n'
        elif GAUGES.search(name):
            lines[name] = f"{name}{own} 1\n"
        else:
            lines[name.removesuffix("_total")] = f"{name.removesuffix('_total')}_total{own} 1\n"
    return "".join(lines.values()).encode()


@pytest.mark.parametrize("release", RELEASES)
def test_every_release_says_what_an_engine_has_to_say(release: str) -> None:
    said = totals(source("vllm").parse(page(release), 1.0))
    at = order(release)
    wanted = ALWAYS | (PREFIX if at >= (0, 7, 3) else {RATE}) | ({"asleep"} if at >= (0, 11, 1) else set())
    wanted |= {RATE} if at <= (0, 9, 0) else {"requests_failed"} if at >= (0, 32, 0) else set()
    assert said.keys() - SPECULATION - {"asleep"} == wanted - {"asleep"}
    # None of a release's two names for one quantity is added to the other.
    twice = {"cached_tokens": 2 if (0, 11, 1) <= at < (0, 16) else 1, "waiting": 2 if at <= (0, 9, 0) else 1}
    assert {name: said[name] for name in wanted - {"asleep"}} == {
        name: twice.get(name, 1) for name in wanted - {"asleep"}
    }


@pytest.mark.parametrize("release", [each for each in RELEASES if order(each) <= (0, 8, 0)])
def test_releases_without_a_rank_have_none(release: str) -> None:
    batch = source("vllm").parse(page(release, engine=""), 1.0)
    assert labels(batch, "output_tokens") == {(("model", "m"),)}


def counted(text: bytes, *names: str) -> dict[str, float]:
    """Add up a page's samples by name, without any of infertop's reading."""
    sums: Counter[str] = Counter()
    for name, value in re.findall(r"^([a-z0-9:_]+)\{[^}]*\} ([0-9.e+-]+)$", text.decode(), re.MULTILINE):
        sums[name] += float(value)
    return {name: sums[name] for name in names}


def whole_pages() -> list[str]:
    pages = (path.name for path in (PAYLOADS / "vllm").glob("*.txt"))
    return sorted(name for name in pages if name not in ("http.txt", "timeline.txt"))


@pytest.mark.parametrize("name", whole_pages())
def test_what_is_read_of_a_page_is_the_sum_of_its_lines(name: str) -> None:
    text = payload(f"vllm/{name}")
    said = totals(source("vllm").parse(text, 1.0))
    one_to_one = {
        "prompt_tokens": "vllm:prompt_tokens_total",
        "output_tokens": "vllm:generation_tokens_total",
        "requests": "vllm:request_params_n_count",
        "preemptions": "vllm:num_preemptions_total",
        "ttft_seconds": "vllm:time_to_first_token_seconds_count",
        "request_seconds": "vllm:e2e_request_latency_seconds_count",
        "queue_seconds": "vllm:request_queue_time_seconds_count",
        "running": "vllm:num_requests_running",
    }
    truth = counted(text, *one_to_one.values())
    assert {ours: said[ours] for ours in one_to_one} == {ours: truth[theirs] for ours, theirs in one_to_one.items()}


def test_several_api_servers_say_the_same_without_saying_when_they_began() -> None:
    """Their page is made of files: no process_*, no python_*, no *_created."""
    text = payload("vllm/0.33.0.txt")
    lines = [line for line in text.split(b"\n") if not re.match(rb"(# \w+ )?(process_|python_|\S+_created)", line)]
    assert len(lines) < len(text.split(b"\n"))
    one, several = (source("vllm").parse(each, 1.0) for each in (text, b"\n".join(lines)))
    assert totals(several) == totals(one)
    assert (several.series, several.started) == (one.series, None)


SPECULATING = """\
vllm:spec_decode_num_drafts_total{engine="0",model_name="m"} 100.0
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="m"} 300.0
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="m"} 180.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="m",position="0"} 90.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",model_name="m",position="1"} 90.0
"""


def test_accepted_tokens_are_counted_once_and_not_again_by_position() -> None:
    said = totals(source("vllm").parse(SPECULATING.encode(), 1.0))
    assert said == {"spec_drafted_tokens": 300, "spec_accepted_tokens": 180}


def test_tokens_of_another_machines_cache_are_in_the_counter_of_cached_ones_since_it_is_there() -> None:
    text = payload("vllm/0.33.0.txt")
    more = text.replace(b"vllm:external_prefix_cache_hits_total{", b'vllm:external_prefix_cache_hits_total{a="b",')
    more = re.sub(rb"(vllm:external_prefix_cache_hits_total\{[^}]*\}) \S+", rb"\1 500.0", more)
    assert more != text
    assert totals(source("vllm").parse(more, 1.0))["cached_tokens"] == 16_000


def test_loras_come_and_go_without_any_series_of_their_own() -> None:
    text = payload("vllm/0.32.0_lora_server.txt")
    without = b"\n".join(line for line in text.split(b"\n") if b"lora_requests_info" not in line)
    batches = [source("vllm").parse(each, 1.0) for each in (text, without)]
    assert batches[0].series == batches[1].series
    assert batches[0].values == batches[1].values


def test_ranks_of_one_engine_sum_in_counters_and_stay_apart_in_the_use_of_their_caches() -> None:
    text = payload("vllm/0.33.0.txt").decode()
    second = [line.replace('engine="0"', 'engine="1"') for line in text.split("\n") if 'engine="0"' in line]
    batch = source("vllm").parse((text + "\n".join(second) + "\n").encode(), 1.0)
    one = totals(source("vllm").parse(text.encode(), 1.0))
    said = totals(batch)
    counters = {name for name in one if METRICS[name].kind is Kind.COUNTER and name != "requests_failed"}
    assert {name: said[name] for name in counters} == {name: 2 * one[name] for name in counters}
    assert labels(batch, "kv_cache_usage") == {
        (("model", "Qwen/Qwen2.5-7B-Instruct"), ("rank", rank)) for rank in ("0", "1")
    }

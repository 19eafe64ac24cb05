"""The targets of a Prometheus over time: real scrape times, restarts, what is on its way, and what they are called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infertop.readings.increase import Continuity
from infertop.readings.model import Member
from tests.collectors.prometheus_api import Backend, answer, result, source
from tests.collectors.reading import totals
from tests.fakes import START

PLACE = {"job": "vllm", "instance": "10.0.0.5:8000"}


def page(tokens: float, started: float = 1000.0 + START, more: str = "") -> bytes:
    lines = (
        'vllm:prompt_tokens_total{engine="0",model_name="m"} 0',
        f'vllm:generation_tokens_total{{engine="0",model_name="m"}} {tokens}',
        f"process_start_time_seconds {started}",
        more,
    )
    return "\n".join(filter(None, lines)).encode() + b"\n"


async def read(*says: bytes, every: float = 15.0, interval: float = 15.0, first: float = START) -> list[list[Member]]:
    reader = source(Backend(*says), interval=interval)
    return [list((await reader.collect(first + every * at)).members) for at in range(len(says))]


async def test_a_target_that_was_not_scraped_again_says_nothing_new() -> None:
    same = answer(result(PLACE, {START - 5: page(10)}))
    first, second = await read(same, same)
    assert [batch.ts for batch in first[0].batches] == [START - 5]
    assert second[0].batches == ()


async def test_readings_have_the_time_of_their_scrape_and_all_that_came_since_are_told() -> None:
    old = {START - 40: page(10), START - 25: page(20), START - 10: page(35)}
    new = {START - 25: page(20), START - 10: page(35), START + 5: page(50)}
    first, second = await read(answer(result(PLACE, old)), answer(result(PLACE, new)))
    assert [batch.ts for batch in first[0].batches] == [START - 40, START - 25, START - 10]
    assert [batch.ts for batch in second[0].batches] == [START + 5]
    assert second[0].interval_seconds == 15


async def test_scrapes_closer_than_needed_are_thinned_and_nothing_is_lost() -> None:
    scrapes = {START - 30 + at: page(at) for at in range(30)}
    ((member,),) = await read(answer(result(PLACE, scrapes)))
    continuity = Continuity(15.0)
    grown = sum(each.amount for batch in member.batches for each in continuity.advance(batch).increases)
    assert len(member.batches) == 7
    assert grown == 29


async def test_a_slow_scrape_makes_the_target_wait_for_longer_before_it_is_stale() -> None:
    scrapes = {START - 130 + 60 * at: page(at) for at in range(3)}
    ((member,),) = await read(answer(result(PLACE, scrapes)))
    assert member.interval_seconds == 60


async def test_what_left_the_page_of_a_restarted_process_is_not_read_from_the_one_before() -> None:
    old = page(100, more='vllm:num_preemptions_total{engine="0",model_name="m"} 7')
    scrapes = {START - 60: old, START - 45: page(5, started=START - 50)}
    ((member,),) = await read(answer(result(PLACE, scrapes)))
    assert "preemptions" not in totals(member.batches[1])
    continuity = Continuity(75.0)
    advances = [continuity.advance(batch) for batch in member.batches]
    assert advances[1].restarted
    assert [each.amount for each in advances[1].increases] == [5]


async def test_a_page_that_is_still_on_its_way_to_the_storage_waits_until_it_is_whole() -> None:
    whole = {START - 16: page(10), START - 1: page(20)}
    on_its_way = result(PLACE, whole)
    for series in on_its_way:
        if series["metric"]["__name__"] == "vllm:generation_tokens_total":
            series["values"] = series["values"][:1]
    first, second = await read(answer(on_its_way), answer(result(PLACE, whole)))
    assert [batch.ts for batch in first[0].batches] == [START - 16]
    assert [(batch.ts, totals(batch)["output_tokens"]) for batch in second[0].batches] == [(START - 1, 20)]


async def test_series_that_are_gone_hold_nothing_up_for_long() -> None:
    whole = result(PLACE, {START - 16: page(10), START - 1: page(20)})
    for series in whole:
        if series["metric"]["__name__"] == "vllm:prompt_tokens_total":
            series["values"] = series["values"][:1]
    said = answer(whole)
    polls = await read(said, said, said)
    assert [[batch.ts for member in poll for batch in member.batches] for poll in polls] == [
        [START - 16],
        [],
        [START - 1],
    ]


async def test_what_a_clock_ahead_of_ours_scraped_is_told_when_it_is_time() -> None:
    said = answer(result(PLACE, {START - 5: page(10), START + 10: page(20)}))
    first, second = await read(said, said)
    assert [batch.ts for batch in first[0].batches] == [START - 5]
    assert [batch.ts for batch in second[0].batches] == [START + 10]


@pytest.mark.parametrize("label", ["cluster", "namespace", "region"])
async def test_targets_of_one_address_are_told_apart_by_where_they_are(label: str) -> None:
    here, there = (result(PLACE | {label: where}, {START: page(at)}) for at, where in enumerate(("a", "b")))
    (members,) = await read(answer(here + there))
    assert [member.name for member in members] == ["vllm@10.0.0.5:8000", "vllm@10.0.0.5:8000/b"]
    assert [totals(member.batches[0])["output_tokens"] for member in members] == [0, 1]


async def test_a_target_keeps_its_name_over_a_restart_while_the_other_of_its_address_is_gone() -> None:
    prod, eu = ({**PLACE, "cluster": name} for name in ("prod", "eu"))
    both = answer(result(prod, {START - 5: page(10)}) + result(eu, {START - 5: page(20)}))
    first = await source(Backend(both)).collect(START)
    again = source(Backend(answer(result(eu, {START + 10: page(30)}))))
    again.resume({**first.bookmarks, "not JSON": "x", "[1]": "y", "{}": "z"})
    alone = await again.collect(START + 15)
    assert len({each.name for each in first.members}) == 2
    assert [each.name for each in alone.members] == [first.members[1].name]
    assert not alone.bookmarks


async def test_two_that_scrape_the_same_target_count_once_and_stand_in_for_each_other() -> None:
    def said(a: dict[float, bytes], b: dict[float, bytes]) -> bytes:
        return answer(
            [series for name, each in (("a", a), ("b", b)) for series in result(PLACE | {"replica": name}, each)]
        )

    both = said({START - 10: page(10)}, {START - 8: page(11)})
    alone = said({}, {START + 200 - 8: page(30)})
    reader = source(Backend(both, alone))
    first = (await reader.collect(START)).members
    reader.fleet._clock.jump(200)  # type: ignore[attr-defined]
    second = (await reader.collect(START + 200)).members
    assert [(member.name, totals(member.batches[0])["output_tokens"]) for member in first] == [
        ("vllm@10.0.0.5:8000", 10)
    ]
    assert [(member.name, totals(member.batches[0])["output_tokens"]) for member in second] == [
        ("vllm@10.0.0.5:8000", 30)
    ]


async def test_labels_of_the_page_that_gave_way_to_the_scrapers_are_the_pages_again() -> None:
    text = b'sglang:http_responses_total{endpoint="/v1/chat/completions",model_name="m",status_code="500"} 3\n'
    text += b'sglang:generation_tokens_total{model_name="m"} 5\n'
    place = {"job": "sglang", "instance": "a:1", "endpoint": "metrics"}
    for target in (place, {"job": "sglang", "instance": "a:1"}):
        ((member,),) = await read(answer(result(target, {START: text})))
        assert totals(member.batches[0]) == {"output_tokens": 5, "requests_failed": 3}


async def test_what_a_gpu_was_given_to_is_not_the_pod_of_its_exporter() -> None:
    gpu = b'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1",gpu="0",modelName="NVIDIA H100",Hostname="n1"%s} 50\n'
    exporter = {"job": "dcgm", "instance": "10.0.0.9:9400", "namespace": "gpu", "pod": "dcgm-exporter-1"}
    workload = b',namespace="ml",pod="llama-0",container="main"'
    cases = {
        "the scraper's own over it": (exporter, workload, {"namespace": "ml", "pod": "llama-0"}),
        "nothing was given": (exporter, b"", {}),
        "the page's own": (
            {"job": "dcgm", "instance": "10.0.0.9:9400"},
            workload,
            {"namespace": "ml", "pod": "llama-0"},
        ),
    }
    for case, (place, more, expected) in cases.items():
        ((member,),) = await read(answer(result(place, {START: gpu % more})))
        (info,) = (dict(each.labels) for each in member.batches[0].series if each.metric == "gpu_info")
        assert {name: info[name] for name in ("namespace", "pod") if name in info} == expected, case


async def test_an_engine_whose_page_names_no_model_is_called_by_the_scrapers_label_or_its_job() -> None:
    text = b"llamacpp:tokens_predicted_total 5\n"
    place = {"job": "chat", "instance": "10.0.0.7:8080"}
    for target, name in ((place, "chat"), (place | {"model": "qwen"}, "qwen")):
        ((member,),) = await read(answer(result(target, {START: text})))
        assert {series.label("model") for series in member.batches[0].series} == {name}


async def test_a_loopback_address_is_that_of_the_prometheus() -> None:
    said = answer(result({"job": "vllm", "instance": "localhost:8000"}, {START: page(1)}))
    near = await source(Backend(said), "http://127.0.0.1:9090").collect(START)
    far = await source(Backend(said), "https://prom.example:9090").collect(START)
    assert [near.members[0].name, far.members[0].name] == ["vllm@127.0.0.1:8000", "vllm@prom.example:8000"]
    assert far.members[0].url == "http://prom.example:8000"


@pytest.mark.parametrize("instance", ["", "gpu node\n7", "x" * 5000, "[::1", "a:b:c", "node1"])
async def test_an_address_that_is_none_is_a_name_all_the_same(instance: str) -> None:
    ((member,),) = await read(answer(result({"job": "vllm", "instance": instance}, {START: page(1)})))
    assert member.url == ""
    assert 5 < len(member.name) <= 300
    assert totals(member.batches[0])["output_tokens"] == 1


async def test_what_is_no_engine_is_left_alone_until_it_turns_out_to_be_one() -> None:
    before = b'http_requests_total{handler="/v1/x",status="5xx"} 3\nprocess_start_time_seconds 1790000000\n'
    other, engine = (answer(result(PLACE, {START + at: text})) for at, text in ((-5, before), (10, before + page(7))))
    polls = await read(other, engine, answer(result(PLACE, {START + 25: before + page(9)})))
    assert polls[0] == []
    assert [totals(poll[0].batches[-1])["output_tokens"] for poll in polls[1:]] == [7, 9]


async def test_a_front_end_counts_nothing_anew_beside_its_workers() -> None:
    text = b'dynamo_frontend_output_tokens_total{model="m"} 5\n'
    ((member,),) = await read(answer(result({"job": "dynamo", "instance": "a:8000"}, {START: text})))
    assert (member.kind, member.counts) == ("dynamo-frontend", False)


async def test_own_metrics_of_tritons_backends_are_read_where_they_are_named() -> None:
    backend = Backend(
        answer(
            [
                {"metric": {"__name__": name, "model": "m", "version": "1", **PLACE}, "values": [[START, value]]}
                for name, value in (("nv_inference_request_success", "3"), ("tiny_out_total", "8"))
            ]
        )
    )
    batch = await source(backend, output_tokens="tiny_out_total").collect(START)
    assert totals(batch.members[0].batches[0]) == {"requests": 3, "output_tokens": 8}
    assert "tiny_out" in backend.asked[-1][1]["query"]


def sglang(tokens: float) -> bytes:
    return "".join(
        f'sglang:{name}{{model_name="m",tp_rank="0"}} {value}\n'
        for name, value in (("generation_tokens_total", tokens), ("prompt_tokens_total", 0), ("num_running_reqs", 1))
    ).encode()


@pytest.mark.parametrize("said", [page, sglang])
@pytest.mark.parametrize("more", [{"team": "blue"}, {"cluster": "prod"}])
async def test_counters_go_on_when_the_scraper_labels_a_target_otherwise(
    said: Callable[[float], bytes], more: dict[str, str]
) -> None:
    before, after = result(PLACE, {START - 20: said(1000)}), {START - 5: said(1007), START + 10: said(1030)}
    answers = [answer(before), *[answer([*before, *result(PLACE | more, after)])] * 4]
    continuity = Continuity(60.0)
    members = [member for each in await read(*answers) for member in each]
    grown = [each.amount for m in members for b in m.batches for each in continuity.advance(b).increases]
    assert sum(grown) == 30
    assert {member.name.partition("@")[2] for member in members} == {"10.0.0.5:8000"}


async def test_a_label_that_only_new_series_have_is_the_pages_own() -> None:
    aborted = [
        f'sglang:num_aborted_requests_total{{model_name="m",tp_rank="0",priority="{at}"}} {at + 1}\n'.encode()
        for at in range(2)
    ]
    first = result(PLACE, {START - 20: sglang(1), START - 5: sglang(1)})
    later = result(PLACE, {START + 10: sglang(1) + b"".join(aborted)})
    _, second = await read(answer(first), answer(later))
    assert [totals(batch)["requests_aborted"] for batch in second[0].batches] == [3]

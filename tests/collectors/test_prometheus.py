"""A Prometheus: its answers become the readings that a direct poll of each target would give."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from collectors import KINDS
from collectors._prometheus_systems import SYSTEMS, pattern, telling, wanted
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.http import Http
from infertop.readings.model import Batch, Member
from tests.collectors.prometheus_api import Backend, answer, jobs, recorded, result, source
from tests.collectors.reading import totals
from tests.fakes import START, FakeClock
from tests.recordings import PAYLOADS

TARGET = {"job": "engines", "instance": "10.0.0.5:8000"}
PAGES = sorted(
    path
    for system in SYSTEMS
    for path in (PAYLOADS / system.kind.name).glob("*.txt")
    if path.read_bytes().startswith(b"# ") and path.name not in ("http.txt", "timeline.txt")
)


def shown(page: str, ts: float = START) -> bytes:
    return answer(result(TARGET, {ts: (PAYLOADS / page).read_bytes()}))


def by_name(batch: Batch) -> dict[str, Member]:
    return {member.name: member for member in batch.members}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.name}")
async def test_a_page_read_through_prometheus_says_what_it_says_read_directly(path: Path) -> None:
    page, kind = path.read_bytes(), path.parent.name
    batch = await source(Backend(answer(result(TARGET, {START: page})))).collect(START)
    (member,) = batch.members
    options = {"model": "engines"} if any(each.kind.name == kind and each.nameless for each in SYSTEMS) else {}
    config = SourceConfig(kind, member.name, "http://10.0.0.5:8000", options=options)
    direct = KINDS[kind].make(config, Http(config.url), FakeClock()).parse(page, START)  # type: ignore[attr-defined]
    if path.name == "0.8.5.txt":  # in blocks or in tokens: only the page's help told
        lost = ("cached_tokens", "prefix_cache_queries", "prefix_cache_hits")
        known = [(each, value) for each, value in _rows(direct) if each.metric not in lost]
        assert _rows(member.batches[0]) == known
        return
    shown_as = "vllm" if path.parent.name == "kserve" and b"vllm:" in page else kind  # of KServe it has nothing
    assert (member.kind, member.url, member.name) == (shown_as, config.url, f"{shown_as}@10.0.0.5:8000")
    assert _rows(member.batches[0]) == _rows(direct)
    assert member.batches[0].started == direct.started
    assert member.batches[0].ts == START


def _rows(batch: Batch) -> list[object]:
    return sorted(zip(batch.series, batch.values, strict=True), key=repr)


async def test_a_real_prometheus_is_read_whole() -> None:
    batch = await source(Backend(recorded("targets"), found=recorded("jobs"))).collect(1795354444.837)
    members = by_name(batch)
    assert {name: len(member.batches) for name, member in members.items()} == {
        "vllm@127.0.0.1:19101": 2,
        "vllm@127.0.0.1:19106": 2,
        "sglang@127.0.0.1:19102": 2,
        "dcgm@127.0.0.1:19103": 2,
        "dynamo@127.0.0.1:19105": 2,
    }
    assert totals(members["vllm@127.0.0.1:19101"].batches[0])["requests"] == 191
    assert {s.label("gpu") for s in members["dcgm@127.0.0.1:19103"].batches[0].series if s.metric == "gpu_info"} >= {
        "GPU-11111111-2222-3333-4444-555555555555"
    }
    assert members["vllm@127.0.0.1:19101"].labels["pod"] == "llama-0"
    assert batch.notes == ("5 targets: 1 dcgm, 1 dynamo, 1 sglang, 2 vllm.",)
    assert batch.rejected == 0


async def test_the_past_comes_a_step_apart_with_the_counters_alone() -> None:
    backend = Backend(recorded("past"), found=jobs("llamacpp", "triton"))
    end = 1795353660.0
    members = {each.name: each for each in await source(backend).recall(end - 1200, end, 60)}
    batches = members["llamacpp@127.0.0.1:18200"].batches
    assert {round(later.ts - earlier.ts) for earlier, later in pairwise(batches)} == {60}
    assert {series.metric for series in batches[0].series} == {"input_tokens", "cached_tokens", "output_tokens"}
    asked = backend.asked[-1][1]
    assert (asked["start"], asked["end"], asked["step"]) == (f"{end - 1200:.3f}", f"{end:.3f}", "60")
    assert "bucket" not in asked["query"]


async def test_one_question_reads_everything_and_where_engines_are_is_asked_ever_more_rarely() -> None:
    backend = Backend(shown("vllm/0.20.0.txt"), found=jobs("engines", 'a"b.c'))
    reader = source(backend, match='{cluster="prod"}', tenant="ml")
    for poll in range(22):
        await reader.collect(START + 15 * poll)
    asked = [said["query"] for _, said in backend.asked]
    looked = [float(said["time"]) - START for _, said in backend.asked if said["query"].startswith("count by (job) (")]
    assert looked == [0, 15, 45, 105, 225]
    assert len(asked) == 22 + len(looked)
    main = asked[1]
    assert main.startswith('{__name__=~"')
    assert r'job=~"a\"b\\.c|engines"' in main
    assert 'cluster="prod"}[150s]' in main
    assert {request.method for request, _ in backend.asked} == {"POST"}
    assert {request.headers["x-scope-orgid"] for request, _ in backend.asked} == {"ml"}
    assert backend.asked[1][0].url.path == "/api/v1/query"
    assert backend.asked[1][1]["time"] == f"{START:.3f}"


async def test_an_engine_scraped_after_the_first_poll_is_read_from_the_next_one_on() -> None:
    backend = Backend(shown("vllm/0.20.0.txt"), found=jobs("early"))
    reader = source(backend)
    await reader.collect(START)
    backend.found = jobs("early", "late")
    await reader.collect(START + 15)
    assert 'job=~"early|late"' in backend.asked[-1][1]["query"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://mimir:8443/prometheus", "/prometheus/api/v1/query"),
        ("https://vm:8481/select/0/prometheus/", "/select/0/prometheus/api/v1/query"),
        ("http://127.0.0.1:9090/api/v1", "/api/v1/query"),
    ],
)
async def test_a_path_before_the_api_is_kept(url: str, path: str) -> None:
    backend = Backend(shown("vllm/0.20.0.txt"))
    await source(backend, url).collect(START)
    assert {request.url.path for request, _ in backend.asked} == {path}


async def test_where_only_get_is_allowed_it_is_a_get_from_then_on() -> None:
    backend = Backend(shown("vllm/0.20.0.txt"))

    def guarded(request: httpx.Request) -> httpx.Response:
        said = backend(request)
        return httpx.Response(403) if request.method == "POST" else said

    reader = source(guarded)
    await reader.collect(START)
    batch = await reader.collect(START + 15)
    assert [request.method for request, _ in backend.asked] == ["POST", *["GET"] * 4]
    assert len(batch.members) == 1


async def test_the_next_question_reaches_back_to_the_last_answer() -> None:
    page = (PAYLOADS / "vllm/0.20.0.txt").read_bytes()
    scrapes = {START - 40 + 10 * at: page for at in range(5)}
    backend = Backend(answer(result(TARGET, scrapes)))
    reader = source(backend)
    for ts in (START, START + 15, START + 200, START + 5000):
        await reader.collect(ts)
    spans = [said["query"].rpartition("[")[2] for _, said in backend.asked if "[" in said["query"][-8:]]
    assert spans == ["150s]", "35s]", "205s]", "600s]"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"status":"error","errorType":"execution","error":"query timed out"}', "(execution): query timed out"),
        (b"<html>login</html>", "does not answer as Prometheus does"),
        (b"[]", "does not answer as Prometheus does"),
        (b"", "does not answer as Prometheus does"),
        (b'{"status":"success"}', "does not answer as Prometheus does"),
        (b'{"status":"success","data":{"resultType":"matrix","result":7}}', "does not answer as Prometheus does"),
        (shown("vllm/0.20.0.txt")[:5000], "was cut off on the way"),
        (shown("vllm/0.20.0.txt")[:-2], "was cut off on the way"),
        (b'{"status":"success","data":{"resultType":"matr', "was cut off on the way"),
        (b"{" * 100_000, "was cut off on the way"),
        (shown("vllm/0.20.0.txt").replace(b'"matrix"', b'"vector"', 1), "with something else"),
    ],
)
async def test_what_is_no_answer_is_one_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(Unavailable) as caught:
        await source(Backend(body)).collect(START)
    assert sentence in caught.value.sentence
    assert "\n" not in caught.value.sentence


async def test_a_refused_query_and_a_wrong_key_say_so() -> None:
    error = {"status": "error", "errorType": "bad_data", "error": "too many samples"}
    with pytest.raises(Unavailable, match=r"HTTP 422.*too many samples"):
        await source(Backend(httpx.Response(422, json=error))).collect(START)
    with pytest.raises(Unavailable) as caught:
        await source(Backend(httpx.Response(401))).collect(START)
    assert caught.value.state is State.AUTH


async def test_warnings_and_partial_answers_are_told() -> None:
    result_of = result(TARGET, {START: (PAYLOADS / "vllm/0.20.0.txt").read_bytes()})
    warned = answer(result_of, warnings=["store \x1b[31m10.0.0.9 unreachable", "b", "c", "d"], isPartial=True)
    batch = await source(Backend(warned)).collect(START)
    said = " ".join(batch.notes)
    assert "answers in part" in said
    assert "10.0.0.9 unreachable; b; c (and 1 more)" in said
    assert "\x1b" not in said
    assert len(batch.members) == 1


async def test_an_answer_with_blanks_is_read_all_the_same() -> None:
    spaced = json.dumps(json.loads(shown("vllm/0.20.0.txt")), indent=2).encode()
    direct, odd = [await source(Backend(body)).collect(START) for body in (shown("vllm/0.20.0.txt"), spaced)]
    assert odd.members[0].batches[0] == direct.members[0].batches[0]


async def test_series_that_cannot_be_read_are_counted_and_the_rest_is_read() -> None:
    whole = json.loads(shown("vllm/0.20.0.txt"))
    odd = [
        {"metric": {"__name__": "vllm:x", "job": 7}, "values": [[START, "1"]]},
        {"metric": {"__name__": "vllm:y"}, "histograms": [[START, {"count": "1"}]]},
        {"metric": {f"l{n}": "x" for n in range(70)} | {"__name__": "vllm:z"}, "values": [[START, "1"]]},
        {"metric": {"__name__": "vllm:w", 'a"},"value': "}"} | TARGET, "values": [["soon", "1"], [START, "no"]]},
    ]
    batch = await source(Backend(answer([*whole["data"]["result"], *odd]))).collect(START)
    assert batch.rejected == 3
    assert "3 series could not be read" in batch.notes
    assert totals(batch.members[0].batches[0])["requests"] == 100


async def test_an_answer_without_engines_says_what_to_look_at() -> None:
    batch = await source(Backend(answer([]), found=jobs())).collect(START)
    assert "has no engine's or GPU's metrics" in batch.notes[0]
    assert batch.members == ()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"match": 'cluster="a"} or up{x="'}, "must be a label selector"),
        ({"match": "cluster"}, "must be a label selector"),
        ({"match": 3}, "must be a name in quotes"),
        ({"tenant": "a b"}, "without blanks"),
    ],
)
def test_a_wrong_option_is_one_sentence(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        source(Backend(b""), **options)


def test_every_name_of_every_table_is_asked_for_with_either_spelling() -> None:
    whole = re.compile(pattern(wanted()))
    assert all(whole.fullmatch(name) and whole.fullmatch(name.replace(":", "_")) for name in wanted())
    assert whole.fullmatch("vllm_kv_cache_usage_perc_ratio")
    assert whole.fullmatch("vllm_num_preemptions_ratio_total")
    assert not whole.fullmatch("node_cpu_seconds_total")
    assert "http_requests_total" in wanted()
    assert "http_requests_total" not in telling()

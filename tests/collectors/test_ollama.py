"""Ollama's list of loaded models, and answers that are broken or somebody else's."""

import json
from datetime import datetime

import httpx
import pytest

from collectors import KINDS
from infertop.engine.collector import Unavailable
from infertop.engine.pattern import server_of
from infertop.engine.processes import Process
from infertop.readings.model import Series
from tests.collectors.reading import payload, source

PAGE = payload("ollama/synthetic.page.json")
NOW = datetime.fromisoformat("2026-11-22T11:00:30Z").timestamp()


def read(page: bytes, ts: float = NOW):
    batch = source("ollama").parse(page, ts)
    return dict(zip(batch.series, batch.values, strict=True))


def of(model: object) -> dict[str, float]:
    return {series.metric: value for series, value in read(json.dumps({"models": [model]}).encode()).items()}


def test_what_is_loaded_with_its_memory_and_until_when() -> None:
    rows = read(PAGE)
    for_ever = rows.pop(Series.of("model_expires_seconds", model="qwen3:30b"))
    assert for_ever > 200 * 365 * 86_400
    assert rows == pytest.approx(
        {
            Series.of("model_memory_bytes", model="llama3.1:8b"): 6_654_289_920,
            Series.of("model_gpu_memory_bytes", model="llama3.1:8b"): 6_654_289_920,
            Series.of("model_expires_seconds", model="llama3.1:8b"): 300.123456,
            Series.of("model_memory_bytes", model="qwen3:30b"): 21_474_836_480,
            Series.of("model_gpu_memory_bytes", model="qwen3:30b"): 10_737_418_240,
        }
    )


@pytest.mark.parametrize("page", [b'{"models":[]}', b'{"models":null}', b' {"models": []}\n'])
def test_with_nothing_loaded_it_is_up_and_says_nothing(page: bytes) -> None:
    assert read(page) == {}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"name": "m", "size": 5}, {"model_memory_bytes": 5}),
        ({"model": "m", "size": 5, "size_vram": 0}, {"model_memory_bytes": 5, "model_gpu_memory_bytes": 0}),
        ({"name": "m", "size": True, "size_vram": -1}, {}),
        ({"name": "m", "size": "5", "size_vram": 1e99}, {}),
        ({"name": "m", "size": 2**80}, {}),
        ({"name": "m", "expires_at": "0001-01-01T00:00:00Z"}, {}),
        ({"name": "m", "expires_at": "soon"}, {}),
        ({"name": "m", "expires_at": "2026-11-22T11:00:31"}, {}),
        ({"name": "m", "expires_at": "2026-11-22T11:00:00Z"}, {"model_expires_seconds": 0}),
        ({"name": ""}, {}),
        ("m", {}),
    ],
    ids=str,
)
def test_what_it_does_not_say_or_cannot_mean_is_unknown(model: object, said: dict[str, float]) -> None:
    assert of(model) == said


def test_models_that_cannot_be_read_are_counted() -> None:
    batch = source("ollama").parse(b'{"models":[7,{"name":"m","size":5},{}]}', NOW)
    assert (batch.rejected, len(batch.series)) == (2, 1)
    assert "2 models could not be read" in batch.notes[0]


def test_endless_models_are_bounded() -> None:
    page = json.dumps({"models": [{"name": f"m{i}", "size": 1, "size_vram": 1} for i in range(10_000)]}).encode()
    assert len(read(page)) <= 602


def test_series_are_the_same_object_from_poll_to_poll() -> None:
    collector = source("ollama")
    assert collector.parse(PAGE, NOW).series is collector.parse(PAGE, NOW + 1).series


OTHERS = [b"", b"Ollama is running", b"[1", b'{"error":"x"}', b'"x"', b"<html></html>", b"[" * 9999]


@pytest.mark.parametrize("body", OTHERS, ids=range(len(OTHERS)))
async def test_another_answer_is_unavailable_with_a_sentence(body: bytes) -> None:
    with pytest.raises(Unavailable, match=r"127.0.0.1:9/api/ps does not say which models are loaded: is it Ollama\?"):
        await source("ollama", answer=lambda _request: httpx.Response(200, content=body)).collect(NOW)


@pytest.mark.parametrize("end", ["", "/", "/v1", "/api", "/api/ps"])
async def test_the_url_may_be_the_base_or_either_api(end: str) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, content=PAGE)

    await source("ollama", "http://127.0.0.1:11434" + end, answer=answer).collect(NOW)
    assert asked == ["/api/ps"]


PATTERNS = [kind.server for kind in KINDS.values() if kind.server]
OLLAMA = Process(7, argv=("/usr/local/bin/ollama", "serve"))
CHILD = Process(8, parent=7, argv=("/usr/lib/ollama/llama-server", "--model", "/blobs/sha256-1", "--port", "39001"))


def test_the_server_that_it_starts_for_a_model_is_its_own_and_no_other() -> None:
    for patterns in (PATTERNS, PATTERNS[::-1]):
        process, pattern = server_of((CHILD, OLLAMA, Process(1, argv=("/sbin/init",))), patterns)
        assert (process.pid, pattern.kind) == (7, "ollama")


def test_a_llama_server_that_somebody_else_started_is_one() -> None:
    process, pattern = server_of((CHILD, Process(2, argv=("bash",))), PATTERNS)
    assert (process.pid, pattern.kind) == (8, "llamacpp")

"""A real Triton: requests, the response cache and a backend's own token counters beside what the client counted."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.program import Program
from tests.real import servers

PRICING = """\
[[source]]
kind = "triton"
name = "triton"
url = "{url}"
input_tokens = "demo_prompt_tokens_total"
output_tokens = "demo_generation_tokens_total"
"""


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.triton(tmp_path_factory.mktemp("triton")) as server:
        yield server


def post(url: str, body: dict[str, Any]) -> bytes:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        answer: bytes = reply.read()
        return answer


def generate(server: servers.Server, words: int, tokens: int) -> None:
    text = " ".join(["word"] * words)
    answer = post(f"{server.url}/v2/models/tiny_llm/generate_stream", {"text_input": text, "max_tokens": tokens})
    assert answer.count(b"data:") == tokens


def echo(server: servers.Server, text: str) -> None:
    tensor = {"name": "TEXT", "datatype": "BYTES", "shape": [1, 1], "data": [text]}
    post(f"{server.url}/v2/models/echo/infer", {"inputs": [tensor]})


def test_requests_and_tokens_are_what_the_client_counted(triton: servers.Server, tmp_path: Path) -> None:
    """Answers out of the response cache are requests too: `echo` is asked five times and runs twice."""
    (tmp_path / "triton.toml").write_text(PRICING.format(url=triton.metrics_url))
    infertop = Program(tmp_path, read=("--no-discovery", "--pricing", "triton.toml"))
    infertop.once()
    for words, tokens in ((3, 5), (40, 20), (7, 1)):
        generate(triton, words, tokens)
    for text in ("same", "same", "other", "same", "other"):
        echo(triton, text)
    fresh_page(triton, b'nv_inference_request_success{model="echo",version="1"} 5')
    infertop.once()
    rows = {row["model"]: row for row in infertop.report("--by", "model")}
    assert rows["tiny_llm"]["requests"] == 3
    assert rows["tiny_llm"]["tokens"] == {"input": 50, "output": 26}
    assert rows["echo"]["requests"] == 5
    assert rows["echo"]["tokens"] == {}


def fresh_page(server: servers.Server, line: bytes) -> None:
    """Wait until the page says what was done: Triton refreshes some of it every two seconds."""
    for _ in range(100):
        with urllib.request.urlopen(f"{server.metrics_url}/metrics", timeout=30) as reply:
            page = reply.read()
        if line in page:
            return
    raise AssertionError(page.decode()[:2000])


def test_the_http_port_is_not_the_metrics_port_and_the_source_says_so(triton: servers.Server, tmp_path: Path) -> None:
    infertop = Program(tmp_path, read=("--no-discovery", "--interval", "0.2"))
    reading = infertop.once("--source", f"triton={triton.url}")
    source = next(each for each in reading["sources"] if each["kind"] == "triton")
    assert source["state"] != "up"
    assert "8002" in source["detail"]


def test_its_quantiles_are_shown_in_seconds(triton: servers.Server, tmp_path: Path) -> None:
    infertop = Program(tmp_path, read=("--no-discovery", "--interval", "1"))
    for _ in range(20):
        generate(triton, 2, 3)
    reading = infertop.once("--source", f"triton={triton.metrics_url}")
    row = next(each for each in reading["models"] if each["model"] == "tiny_llm")
    p50, p99 = row["seconds"]["request"]["p50"], row["seconds"]["request"]["p99"]
    assert 0 < p50 <= p99 < 5

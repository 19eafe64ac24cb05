"""A real Triton with a Python backend: requests, tokens by the backend's own counters, and cost per request."""

import signal
import urllib.request

import pytest

from tests.acceptance.program import Program, meter, stop
from tests.acceptance.replayed import wait_for
from tests.real.servers import triton
from tests.real.watched import PRICING, post, under_load, wait_until_read

SOURCE = """\
[[source]]
kind = "triton"
name = "trt"
url = "{}"
input_tokens = "demo_prompt_tokens_total"
output_tokens = "demo_generation_tokens_total"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with triton(tmp_path_factory.mktemp("triton")) as running:
        yield running


@pytest.fixture
def infertop(tmp_path, server):
    (tmp_path / "prices.toml").write_text(PRICING + SOURCE.format(server.metrics_url))
    return Program(tmp_path, read=("--pricing", "prices.toml", "--interval", "0.2"))


def echo(server, text):
    tensor = {"name": "TEXT", "datatype": "BYTES", "shape": [1, 1], "data": [text]}
    assert text.encode() in post(f"{server.url}/v2/models/echo/infer", {"inputs": [tensor]})


def generate(server, words, tokens):
    """Stream one answer, and return how many tokens came."""
    body = {"text_input": " ".join(["word"] * words), "max_tokens": tokens}
    return post(f"{server.url}/v2/models/tiny_llm/generate_stream", body).count(b"data:")


def finished(server):
    """Return how many requests Triton has counted by now: it counts a stream a moment after its last word."""
    with urllib.request.urlopen(f"{server.metrics_url}/metrics", timeout=10) as reply:
        return meter(reply.read().decode(), {"requests": "nv_inference_request_success"})["requests"]


def load(server):
    """Send requests of both models; return what they have to be counted as, once Triton has."""
    before = finished(server)
    for number in range(20):
        echo(server, f"text {number % 4}")  # 16 of them come from the response cache
    asked = [(3 + n, 1 + n % 5) for n in range(10)]
    came = sum(generate(server, *each) for each in asked)
    assert came == sum(tokens for _, tokens in asked)
    wait_for(lambda: finished(server) == before + 20 + len(asked))
    return {
        "echo": (20, {}),
        "tiny_llm": (len(asked), {"input": sum(words for words, _ in asked), "output": came}),
    }


def test_it_is_found_by_its_metrics_port(infertop, server):
    (infertop.folder / "prices.toml").write_text(PRICING)
    reading = infertop.once()
    name = server.metrics_url.replace("http://", "triton@")
    (source,) = [row for row in reading["sources"] if row["name"] == name]
    assert (source["kind"], source["state"], source["detail"]) == ("triton", "up", "")
    assert {row["model"] for row in reading["models"] if row["source"] == name} == {"echo", "tiny_llm"}


def test_requests_and_tokens_are_those_that_were_sent(infertop, server):
    load(server)  # before anybody looked: in no total
    process = infertop.record("--no-discovery")
    wait_until_read(infertop, "trt", process)
    sent = load(server)
    status, _, said = stop(process, signal.SIGTERM)
    assert status == 0, said
    rows = {row["model"]: row for row in infertop.report("--by", "source,model", "--pricing", "prices.toml")}
    assert {model: (row["requests"], row["tokens"]) for model, row in rows.items()} == sent
    assert {row["source"] for row in rows.values()} == {"trt"}


def test_a_request_and_a_million_tokens_cost_what_the_machines_hour_makes_of_them(infertop, server):
    def ask(number):
        echo(server, f"load {number}")
        generate(server, 4, 6)

    with under_load(ask):
        reading = infertop.once("--no-discovery", "--interval", "1")
    rows = {row["model"]: row for row in reading["models"]}
    assert sum(row["usd_per_hour"] for row in rows.values()) == pytest.approx(36)
    llm = rows["tiny_llm"]
    assert llm["usd_per_request"] == pytest.approx(llm["usd_per_hour"] / 3600 / llm["requests_per_second"], rel=1e-6)
    rates = {name: rate for name, rate in llm["tokens_per_second"].items() if rate is not None}
    assert rates["input"] / llm["requests_per_second"] == pytest.approx(4, rel=0.2)
    assert rates["output"] / llm["requests_per_second"] == pytest.approx(6, rel=0.2)
    blended = llm["usd_per_million_tokens"]["blended"]
    assert blended == pytest.approx(llm["usd_per_hour"] / 3600 / sum(rates.values()) * 1e6, rel=1e-6)

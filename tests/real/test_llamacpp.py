"""A real llama.cpp server: infertop beside what the client counted, through a restart, and found by itself."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.program import Program
from tests.real import servers

PRICING = """\
[host]
usd_per_hour = 0.40
"""
MODEL = "tiny-gguf"


class Client:
    """Sends requests, and keeps what the answers say was read and made."""

    def __init__(self) -> None:
        self.fresh = self.cached = self.output = 0

    def complete(self, url: str, prompt: str, tokens: int) -> None:
        answer = ask(f"{url}/completion", {"prompt": prompt, "n_predict": tokens, "ignore_eos": True})
        timings = answer["timings"]
        self.fresh += timings["prompt_n"]
        self.cached += timings["cache_n"]
        self.output += timings["predicted_n"]


def ask(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        answer: dict[str, Any] = json.load(reply)
        return answer


@pytest.fixture
def infertop(tmp_path: Path) -> Program:
    (tmp_path / "prices.toml").write_text(PRICING)
    return Program(tmp_path)


def test_the_report_is_what_the_client_counted_through_a_restart(infertop: Program) -> None:
    """The client's counts and the server's agree here, because no request is given up."""
    client, port = Client(), servers.free_port()
    with servers.llamacpp(port) as server:
        client.complete(server.url, "what ran before the first poll is not counted", 8)
        client = Client()
        recorder = infertop.record("--source", f"llamacpp={server.url}", "--for", "600")
        assert recorder.stderr is not None
        assert "recording" in recorder.stderr.readline(), "the recorder holds the database from here on"
        wait_for(infertop, "up")
        for number in range(5):
            client.complete(server.url, f"request number {number} has a prompt of its own", 16)
        wait_for(infertop, "up", output=client.output)
    with servers.llamacpp(port) as server:
        for number in range(3):
            client.complete(server.url, f"after the restart, request {number}", 12)
        wait_for(infertop, "up", output=client.output)
    recorder.terminate()
    assert recorder.wait(20) == 0
    (row,) = infertop.report("--by", "source,model")
    assert (row["source"], row["model"]) == (f"llamacpp@127.0.0.1:{port}", MODEL)
    assert row["tokens"] == {"input": client.fresh, "cache_read": client.cached, "output": client.output}
    assert row["requests"] is None, "this server does not count requests"


def wait_for(infertop: Program, state: str, output: int | None = None) -> None:
    """Wait until the recorder's own view, read beside it, has the source in `state` and `output` tokens in all."""
    finished = threading.Event()
    for _ in range(100):
        reading = infertop.once()
        states = [source["state"] for source in reading["sources"] if source["kind"] == "llamacpp"]
        made = sum(model["totals"]["output"] or 0 for model in reading["models"])
        if states == [state] and (output is None or made == output):
            return
        finished.wait(0.1)
    raise AssertionError(f"{reading['sources']}, {made} of {output} tokens")


def test_it_is_found_by_itself_and_carries_the_hosts_price(tmp_path: Path) -> None:
    """With a host's price and no GPU the hour is the models'; tokens and dollars are of one window."""
    (tmp_path / "prices.toml").write_text(PRICING)
    infertop = Program(tmp_path, read=("--interval", "1", "--pricing", "prices.toml"))
    with servers.llamacpp() as server:
        stop = threading.Event()
        client = Client()

        def load() -> None:
            while not stop.is_set():
                client.complete(server.url, "a prompt that repeats", 32)

        worker = threading.Thread(target=load)
        worker.start()
        try:
            reading = infertop.once()
        finally:
            stop.set()
            worker.join(30)
    row = next(model for model in reading["models"] if model["source"].endswith(server.url.rsplit(":", 1)[1]))
    assert row["model"] == MODEL
    assert sum(model["usd_per_hour"] for model in reading["models"]) == pytest.approx(0.40)
    assert reading["usd_per_hour"]["host"] == reading["usd_per_hour"]["total"] == 0.40
    rates = row["tokens_per_second"]
    assert rates["output"] > 0
    prices = row["usd_per_million_tokens"]
    hour = sum(rates[name] * 3600 * (prices[name] or 0.0) / 1e6 for name in rates)
    assert hour == pytest.approx(row["usd_per_hour"], rel=1e-6)
    assert row["usd_per_request"] is None

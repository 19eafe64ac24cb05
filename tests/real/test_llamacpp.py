"""A real llama.cpp server: found, counted to the token, through a restart, and priced by the machine's hour."""

import json
import signal
from collections import Counter

import pytest

from tests.acceptance.program import Program, stop
from tests.real.servers import free_port, llamacpp
from tests.real.watched import PRICING, post, under_load, wait_until_read

MODEL = "tiny-gguf"
PROMPTS = [
    "What does an hour of inference cost?",
    "What does an hour of inference cost? And what does a token cost, if the machine was busy all day long?",
    "Entirely different words, which no cache has seen",
]


@pytest.fixture
def infertop(tmp_path):
    (tmp_path / "prices.toml").write_text(PRICING)
    return Program(tmp_path, read=("--pricing", "prices.toml", "--interval", "0.2"))


def ask(server, number):
    """Send one chat request; return what the answer says of its tokens."""
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": PROMPTS[number % len(PROMPTS)]}],
        "max_tokens": 5 + number % 4,
        "seed": number,
    }
    answer = json.loads(post(f"{server.url}/v1/chat/completions", body))
    usage, timings = answer["usage"], answer["timings"]
    assert usage["completion_tokens"] == timings["predicted_n"]
    assert usage["prompt_tokens"] == timings["prompt_n"] + timings["cache_n"]
    return Counter(input=timings["prompt_n"], cache_read=timings["cache_n"], output=timings["predicted_n"])


def load(server, requests):
    return sum((ask(server, number) for number in range(requests)), Counter())


def test_it_is_found_without_being_named(infertop):
    with llamacpp() as server:
        reading = infertop.once()
        check = infertop.run("check", *infertop.read)
    name = server.url.replace("http://", "llamacpp@")
    (source,) = [row for row in reading["sources"] if row["name"] == name]
    assert (source["kind"], source["state"], source["detail"]) == ("llamacpp", "up", "")
    (row,) = [row for row in reading["models"] if row["source"] == name]
    assert (row["model"], row["running"], row["waiting"]) == (MODEL, 0, 0)
    assert f"{name}  up  {MODEL}" in check.stdout


def test_tokens_are_those_of_the_answers_through_a_restart(infertop):
    port = free_port()
    infertop.read += ("--no-discovery", "--source", f"llama=llamacpp=http://127.0.0.1:{port}/v1")
    with llamacpp(port) as server:
        load(server, 3)  # before anybody looked: in no total
        process = infertop.record()
        wait_until_read(infertop, "llama", process)
        told = load(server, 12)
        wait_until_read(infertop, "llama", process)
    with llamacpp(port) as server:
        told += load(server, 7)
        wait_until_read(infertop, "llama", process)
        status, _, said = stop(process, signal.SIGTERM)
    assert status == 0, said
    (row,) = infertop.report("--by", "source,model", "--pricing", "prices.toml")
    assert (row["source"], row["model"]) == ("llama", MODEL)
    assert row["tokens"] == dict(told)
    assert min(told.values()) > 0
    assert row["requests"] is None  # it counts none
    assert row["usd"] > 0
    assert row["unpriced_tokens"] == 0


def test_a_million_tokens_cost_what_the_machines_hour_makes_of_them(infertop):
    with llamacpp() as server, under_load(lambda number: ask(server, number)):
        reading = infertop.once("--no-discovery", "--source", f"llamacpp={server.url}", "--interval", "2")
    (row,) = reading["models"]
    rates = row["tokens_per_second"]
    assert all(rates[name] > 0 for name in ("input", "cache_read", "output"))
    assert reading["usd_per_hour"]["host"] == reading["usd_per_hour"]["total"] == row["usd_per_hour"] == 36
    per_million = row["usd_per_million_tokens"]
    assert per_million["blended"] == pytest.approx(36 / 3600 / sum(rates.values()) * 1e6, rel=1e-6)
    by_class = sum(rates[name] * per_million[name] for name in rates)
    assert by_class * 3600 / 1e6 == pytest.approx(36, rel=1e-6)
    assert row["usd_per_request"] is None  # it counts no requests

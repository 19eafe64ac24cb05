"""Served a recording of a real engine, `record` and `report` give what rose on its pages since the first scrape.

What rose is worked out from the served pages by prometheus_client and a few lines in program.py. What ran between the
last scrape and the restart no page ever said, so that it is in neither.
"""

import json
import signal
import sqlite3
import time

import pytest

from tests.acceptance.program import Program, risen, stop
from tests.acceptance.replayed import recording, replaying, wait_for
from tests.recordings import PAYLOADS

VLLM = {
    "requests": "vllm:request_params_n_count",
    "prompt": "vllm:prompt_tokens_total",
    "cached": "vllm:prompt_tokens_cached_total",
    "output": "vllm:generation_tokens_total",
}
PAGES = recording("vllm/0.32.0.jsonl.gz", stride=9)
CLIENT = json.loads((PAYLOADS / "vllm/0.32.0_client.json").read_text(encoding="utf-8"))
GAP_SECONDS = 15.0
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def expected(pages):
    """What a report has to say of the recorded vLLM, whose counter of prompt tokens includes cached ones."""
    rise = risen(pages, VLLM)
    tokens = {"input": rise["prompt"] - rise["cached"], "cache_read": rise["cached"], "output": rise["output"]}
    return {"requests": rise["requests"], "tokens": tokens}


def counted(infertop):
    (row,) = infertop.report("--by", "model")
    assert row["model"] == "tiny-llama"
    return {"requests": row["requests"], "tokens": row["tokens"]}


@pytest.fixture(scope="module", autouse=True)
def begun(tmp_path_factory):
    """A recording that stops halfway, at the start of this file; its last test goes on with it, after a gap."""
    infertop = Program(tmp_path_factory.mktemp("gap"))
    with replaying(PAGES) as server:
        process = infertop.record("--source", f"vllm={server.url}")
        server.wait_until_served(8, process)
        server.hold()
        ended = time.monotonic()
        assert stop(process, signal.SIGTERM)[0] == 0
        yield infertop, server, ended


def test_a_recorded_vllm_is_counted_exactly_through_its_restart(infertop):
    with replaying(PAGES) as server:
        process = infertop.record("--source", f"vllm={server.url}")
        server.wait_until_ended(process)
        status, out, said = stop(process, signal.SIGTERM)
    assert (status, out) == (0, ""), said
    assert server.restarted.is_set()
    assert counted(infertop) == expected(server.served)
    # What the client counted. Requests are those that it saw completed: neither its choices (2,271) are among them nor
    # the 820 streams that it gave up, nor the 376 requests that were refused.
    before, after = CLIENT["before_restart"], CLIENT["after_restart"]
    assert counted(infertop)["requests"] == before["completed"] + after["completed"] == 2_078
    # Tokens are those that the engine worked on: with the streams given up, of which the client never got the usage,
    # and with the prompt once for each choice. The usage names a request's own cache hits and not those of its choices.
    tokens = counted(infertop)["tokens"]
    assert tokens["output"] == 116_691 + 7_037 > before["output_tokens"] + after["output_tokens"] == 98_595 + 7_037
    assert tokens["input"] + tokens["cache_read"] == 405_026 + 27_125
    assert before["prompt_tokens_once_per_choice"] + after["prompt_tokens_once_per_choice"] == 343_553 + 27_125
    assert tokens["cache_read"] == 14_720 + 1_152 > before["cached_tokens"] + after["cached_tokens"] == 7_168 + 256


def test_it_records_for_as_long_as_it_was_told_and_keeps_the_last_poll(infertop):
    with replaying(PAGES) as server:
        process = infertop.record("--source", f"vllm={server.url}", "--for", "1")
        server.wait_until_served(1, process)
        began = time.monotonic()
        out, said = process.communicate(timeout=60)
        took = time.monotonic() - began
    assert (process.returncode, out) == (0, ""), said
    assert took >= 0.9
    assert len(server.served) >= 3
    assert counted(infertop) == expected(server.served)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_it_with_a_last_poll_that_is_kept(infertop, number):
    with replaying(PAGES[4:]) as server:
        process = infertop.record("--source", f"vllm={server.url}", "--interval", "60")
        server.wait_until_served(1, process)
        status, _, said = stop(process, number)
    assert status == 0, said
    assert len(server.served) == 2
    assert counted(infertop) == expected(server.served)


def ticks(infertop):
    """Return how many ticks the recorder has acknowledged, as it notes them beside the database."""
    words = infertop.database.with_name("infertop.db.lock").read_bytes()[:48].split()
    return int(words[1]) if len(words) > 1 else 0


def test_kill_9_loses_nothing_that_was_acknowledged_and_the_next_run_makes_up_for_the_rest(infertop):
    with replaying(PAGES) as server:
        process = infertop.record("--source", f"vllm={server.url}")
        server.wait_until_served(6, process)
        safe, tick = len(server.served) - 1, ticks(infertop)  # the newest may not have been read yet
        wait_for(lambda: ticks(infertop) >= tick + 2)
        process.kill()
        process.communicate()
        server.hold()
        assert counted(infertop) in [expected(server.served[:count]) for count in range(safe, len(server.served) + 1)]
        server.go_on()
        process = infertop.record("--source", f"vllm={server.url}")
        server.wait_until_ended(process)
        assert stop(process, signal.SIGTERM)[0] == 0
    assert counted(infertop) == expected(server.served)


TRITON = {"prompt": "tiny_prompt_tokens_total", "output": "tiny_generation_tokens_total"}
LLAMACPP = {
    "input": "llamacpp:prompt_tokens_total",
    "cached": "llamacpp:prompt_tokens_cached_total",
    "output": "llamacpp:tokens_predicted_total",
}
PRICING = """\
[[source]]
kind = "triton"
url = "{}"
prompt_tokens = "tiny_prompt_tokens_total"
output_tokens = "tiny_generation_tokens_total"
"""


def of_model(pages, model):
    """Return pages with nothing on them but the samples of one model."""
    return ["\n".join(line for line in page.split("\n") if f'model="{model}"' in line) + "\n" for page in pages]


def test_triton_and_llamacpp_are_counted_exactly_however_they_were_named(infertop):
    triton = recording("triton/2.51.0.jsonl.gz", stride=3)
    llamacpp = recording("llamacpp/xllamacpp.jsonl.gz", stride=2)
    about = {"others": {"/v1/models": b'{"data": [{"id": "tiny-gguf"}]}'}, "headers": {"Process-Start-Time-Unix": "7"}}
    with replaying(triton) as one, replaying(llamacpp, **about) as two:
        (infertop.folder / "prices.toml").write_text(PRICING.format(one.url))
        words = ("--pricing", "prices.toml", "--source", f"llama=llamacpp={two.url}/v1")
        process = infertop.record(*words)
        one.wait_until_ended(process)
        two.wait_until_ended(process)
        assert stop(process, signal.SIGTERM)[0] == 0
    rows = {(row["source"], row["model"]): row for row in infertop.report("--by", "source,model", *words[:2])}
    name = f"triton@127.0.0.1:{one.port}"
    for model in ("echo", "flaky", "tiny_llm"):
        # Answers from the response cache are requests; so are those of flaky that its client got as HTTP 500.
        rise = risen(of_model(one.served, model), {"requests": "nv_inference_request_success"} | TRITON)
        row = rows[name, model]
        assert row["requests"] == rise["requests"] > 0
        tokens = {"input": rise["prompt"], "output": rise["output"]} if model == "tiny_llm" else {}
        assert row["tokens"] == tokens
    rise = risen(two.served, LLAMACPP)
    row = rows["llama", "tiny-gguf"]
    assert row["requests"] is None
    assert row["tokens"] == {"input": rise["input"], "cache_read": rise["cached"], "output": rise["output"]}


def test_the_engine_went_on_while_nobody_recorded_and_one_line_over_the_gap_has_what_rose(begun):
    infertop, server, ended = begun
    at = len(server.served)
    # The engine serves another page when the recorder is back, and later than a hole may last before it is a gap.
    time.sleep(max(0.0, ended + GAP_SECONDS + 1.0 - time.monotonic()))
    server.go_on()
    process = infertop.record("--source", f"vllm={server.url}")
    server.wait_until_ended(process)
    assert stop(process, signal.SIGTERM)[0] == 0
    assert counted(infertop) == expected(server.served)
    in_gap = expected(server.served[at - 1 : at + 1])
    query = """SELECT resource, quantity, until - start FROM lines JOIN accounts ON accounts.id = account
        WHERE flags LIKE '%gap%'"""
    with sqlite3.connect(f"file:{infertop.database}?mode=ro", uri=True) as connection:
        lines = {resource: (quantity, seconds) for resource, quantity, seconds in connection.execute(query)}
        assert len(lines) == len(connection.execute(query).fetchall())
    connection.close()
    quantities = {"requests": in_gap["requests"], **in_gap["tokens"]}
    assert {name: quantity for name, (quantity, _) in lines.items()} == {k: v for k, v in quantities.items() if v}
    assert all(GAP_SECONDS < seconds < 120 for _, seconds in lines.values())

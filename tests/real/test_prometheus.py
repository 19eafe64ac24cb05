"""A real Prometheus over real servers: what is read through it is what is read directly, to the token."""

from __future__ import annotations

import json
import shutil
import signal
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.program import Program, stop
from tests.acceptance.replayed import wait_for
from tests.real.servers import free_port, llamacpp, running, triton
from tests.real.watched import post, under_load, wait_until_read

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed (apt-get install it)"),
]
SCRAPES = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: triton
    static_configs: [{{targets: ["{triton}"]}}]
  - job_name: llamacpp
    static_configs: [{{targets: ["{llamacpp}"], labels: {{model_name: tiny-gguf}}}}]
"""


@contextmanager
def prometheus(scratch: Path, **targets: str) -> Iterator[str]:
    config = scratch / "prometheus.yml"
    config.write_text(SCRAPES.format(**targets))
    port = free_port()
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={scratch / 'tsdb'}"]
    url = f"http://127.0.0.1:{port}"
    with running([*command, f"--web.listen-address=127.0.0.1:{port}"], f"{url}/-/ready"):
        yield url


DIRECT = """\
[[source]]
kind = "triton"
url = "{triton}"
interval = 0.5
input_tokens = "demo_prompt_tokens_total"
output_tokens = "demo_generation_tokens_total"
[[source]]
kind = "llamacpp"
url = "{llamacpp}"
model = "tiny-gguf"
interval = 0.5
"""
THROUGH = """\
[[source]]
kind = "prometheus"
name = "prom"
url = "{url}"
interval = 1
input_tokens = "demo_prompt_tokens_total"
output_tokens = "demo_generation_tokens_total"
"""


def program(folder: Path, pricing: str) -> Program:
    folder.mkdir()
    (folder / "prices.toml").write_text(pricing)
    return Program(folder, read=("--pricing", "prices.toml", "--no-discovery"))


def totals(infertop: Program) -> dict[tuple[str, str], tuple[dict[str, int], int | None]]:
    rows = infertop.report("--by", "source,model", "--pricing", "prices.toml")
    return {(row["source"], row["model"]): (row["tokens"], row["requests"]) for row in rows}


def ask(llama: str, trt: str, number: int) -> None:
    chat: dict[str, Any] = {"messages": [{"role": "user", "content": f"count to {number % 9}"}], "max_tokens": 8}
    post(f"{llama}/v1/chat/completions", chat)
    post(f"{trt}/v2/models/tiny_llm/generate_stream", {"text_input": "a b c", "max_tokens": 3 + number % 4})


COUNTERS = ("llamacpp:tokens_predicted_total", "demo_generation_tokens_total")


def wait_until_scraped(prometheus_url: str, *servers: str) -> None:
    """Wait until the Prometheus has what the servers count now."""

    def done() -> bool:
        for server, counter in zip(servers, COUNTERS, strict=True):
            page = get(f"{server}/metrics").decode()
            (now,) = [float(line.split()[-1]) for line in page.splitlines() if line.startswith(counter)]
            answer = json.loads(get(f"{prometheus_url}/api/v1/query?" + urllib.parse.urlencode({"query": counter})))
            if [float(each["value"][1]) for each in answer["data"]["result"]] != [now]:
                return False
        return True

    wait_for(done)


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return bytes(reply.read())


def test_totals_are_those_of_polling_the_same_servers(tmp_path: Path) -> None:
    with llamacpp() as llama, triton(tmp_path) as trt:
        where = {"llamacpp": llama.url[7:], "triton": trt.metrics_url[7:]}
        names = [f"{kind}@{address}" for kind, address in where.items()]
        with prometheus(tmp_path, **where) as url:
            direct = program(tmp_path / "direct", DIRECT.format(llamacpp=llama.url, triton=trt.metrics_url))
            through = program(tmp_path / "through", THROUGH.format(url=url))
            recorders = [(each, each.record()) for each in (direct, through)]
            for each, process in recorders:
                for name in names:
                    wait_until_read(each, name, process)
            with under_load(lambda number: ask(llama.url, trt.url, number)):
                for name in names:
                    wait_until_read(through, name, recorders[1][1])
            wait_until_scraped(url, llama.url, trt.metrics_url)
            for each, process in recorders:
                for name in names:
                    wait_until_read(each, name, process)
                status, _, said = stop(process, signal.SIGTERM)
                assert status == 0, said
            first = totals(direct)
            assert totals(through) == first
            assert {model for _, model in first} >= {"tiny-gguf", "tiny_llm"}
            assert min(tokens["output"] for tokens, _ in first.values() if tokens) > 0
            # What was used while nobody recorded is read back.
            ask(llama.url, trt.url, 1)
            wait_until_scraped(url, llama.url, trt.metrics_url)
            process = through.record()
            for name in names:
                wait_until_read(through, name, process)
            status, _, said = stop(process, signal.SIGTERM)
            assert status == 0, said
    later = totals(through)
    for place, (tokens, _) in first.items():
        if tokens:
            assert later[place][0]["output"] > tokens["output"]


def test_a_prometheus_that_ends_leaves_its_targets_with_their_totals(tmp_path: Path) -> None:
    with llamacpp() as llama:
        with prometheus(tmp_path, llamacpp=llama.url[7:], triton="127.0.0.1:1") as url:
            infertop = program(tmp_path / "through", THROUGH.format(url=url))
            name = f"llamacpp@{llama.url[7:]}"
            process = infertop.record()
            wait_until_read(infertop, name, process)
        reading = json.loads(infertop.run("--once", "--json", *infertop.read).stdout)
        stop(process, signal.SIGTERM)
    assert name in [row["name"] for row in reading["sources"]]

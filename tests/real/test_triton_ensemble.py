"""A real Triton with an ensemble of two models: its page counts a request three times, infertop once."""

import shutil
import signal
import threading
import urllib.request
from urllib.parse import urlsplit

import pytest

from tests.acceptance.program import Program, meter, stop
from tests.acceptance.replayed import wait_for
from tests.real.servers import HERE, triton
from tests.real.watched import PRICING, post, wait_until_read

SOURCE = """\
[[source]]
kind = "triton"
name = "pipeline"
url = "{}"
http_port = {}
"""
ENSEMBLE = """\
name: "pipe"
platform: "ensemble"
max_batch_size: 8
input [ { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_STRING dims: [ 1 ] } ]
ensemble_scheduling {
  step [
    { model_name: "pre", model_version: -1,
      input_map { key: "TEXT" value: "TEXT" } output_map { key: "OUT" value: "T" } },
    { model_name: "post", model_version: -1,
      input_map { key: "TEXT" value: "T" } output_map { key: "OUT" value: "OUT" } }
  ]
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    for name in ("pre", "post"):
        shutil.copytree(HERE / "triton_models/echo", models / name)
        config = models / name / "config.pbtxt"
        config.write_text(
            config.read_text().replace('"echo"', f'"{name}"').replace("response_cache", "# response_cache")
        )
    (models / "pipe/1").mkdir(parents=True)
    (models / "pipe/config.pbtxt").write_text(ENSEMBLE)
    with triton(tmp_path_factory.mktemp("triton"), models) as running:
        yield running


def ask(server, number):
    tensor = {"name": "TEXT", "datatype": "BYTES", "shape": [1, 1], "data": [f"text {number}"]}
    assert f"text {number}".encode() in post(f"{server.url}/v2/models/pipe/infer", {"inputs": [tensor]})


def finished(server):
    """Return how many requests Triton has counted by now, of all three models together."""
    with urllib.request.urlopen(f"{server.metrics_url}/metrics", timeout=10) as reply:
        return meter(reply.read().decode(), {"requests": "nv_inference_request_success"})["requests"]


def test_a_request_to_an_ensemble_is_one_request(tmp_path, server):
    (tmp_path / "prices.toml").write_text(PRICING + SOURCE.format(server.metrics_url, urlsplit(server.url).port))
    infertop = Program(tmp_path, read=("--pricing", "prices.toml", "--interval", "0.2"))
    process = infertop.record("--no-discovery")
    wait_until_read(infertop, "pipeline", process)
    before = finished(server)
    threads = [threading.Thread(target=ask, args=(server, number)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: finished(server) == before + 3 * len(threads))
    status, _, said = stop(process, signal.SIGTERM)
    assert status == 0, said
    rows = infertop.report("--by", "source", "--pricing", "prices.toml")
    assert [(row["source"], row["requests"]) for row in rows] == [("pipeline", len(threads))]

"""A GPU machine that nobody configured: real process trees on GPUs of the stand-in, found by the real program."""

import http.server
import json
import socketserver
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.program import Program
from tests.acceptance.screen import on_screen
from tests.engine.actors import Actor, playing
from tests.engine.rack import Rack, nvml, uuid
from tests.nvml.standin import NoCompilerError, build

SECONDS = 3.0
NOT_HERE = 4_000_000  # a pid of the host, as a container sees it
MODELS = {
    "vllm": {"acme/wrapped", "alias-a"},
    "sglang": {"acme/sg"},
    "triton": {"echo", "flaky", "tiny_llm"},
    "llamacpp": {"acme/gguf"},
    "ollama": {"llama3.1:8b", "qwen3:30b"},
    "tgi": {"acme/tgi"},
}
GPUS = {
    0: {"acme/wrapped"},
    1: {"alias-a"},
    2: {"alias-a"},
    3: {"alias-a"},
    4: {"alias-a"},
    5: {"echo", "flaky", "tiny_llm"},
    6: {"acme/gguf", "llama3.1:8b", "qwen3:30b"},
    7: {"acme/sg", "acme/tgi"},
}
OURS = {uuid(index) for index in range(8)}
ON = {
    0: ("core",),
    **{1 + rank: (f"tp{rank}",) for rank in range(4)},
    5: ("triton", "stub"),
    6: ("llama", "runner"),
    7: ("scheduler", "shard"),
}


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    try:
        return build(tmp_path_factory.mktemp("driver")).parent
    except NoCompilerError as missing:
        pytest.skip(str(missing))


def machine(tmp_path, driver, processes):
    """infertop with nothing configured, on a machine whose GPUs have these processes."""
    path = tmp_path / "machine.txt"
    path.write_text(nvml(processes))
    home = Path(tempfile.mkdtemp(dir=tmp_path))
    return Program(home, {"LD_LIBRARY_PATH": str(driver), "FAKE_NVML": str(path)}, read=())


def timed(capsys, what, attempt):
    """Return what an attempt brought: the first of three within the time that is promised.

    An attempt returns what it found, and when. On a machine that others keep busy, time counts by the share of a core
    that there is to be had meanwhile: where that is all of it, seconds are seconds.
    """
    taken = []
    while len(taken) < 3 and not (taken and taken[-1] < SECONDS):
        before = share_of_a_core()
        began = time.monotonic()
        found, at = attempt()
        taken.append((at - began) * min(1.0, (before + share_of_a_core()) / 2))
    with capsys.disabled():
        print(f"\n{what}: {at - began:.2f} s after the start, {taken[-1]:.2f} s of a core", end=" ")
    assert taken[-1] < SECONDS, taken
    return found


def share_of_a_core():
    """Work for a moment, and return how much of the time this process really ran."""
    began, spent = time.monotonic(), time.process_time()
    while (wall := time.monotonic() - began) < 0.3:
        pass
    return (time.process_time() - spent) / wall


def named(reading, ports):
    """Return the models that were found on these ports, by kind, and those of each GPU, by index.

    Whatever else runs on the machine of the test is found too.
    """
    ours = [each for each in reading["models"] if int(each["source"].rsplit(":", 1)[1]) in ports]
    kinds = {}
    for each in ours:
        kinds.setdefault(each["source"].split("@")[0], []).append(each["model"])
    return kinds, {each["index"]: each["models"] for each in reading["gpus"] if each["uuid"] in OURS}


def a_reading(infertop):
    """Return what `infertop --once --json` says, and when it had said it."""
    return infertop.once(), time.monotonic()


def on_a_screen(infertop, names):
    """Wait until all of these stand on a screen, and return what it shows and when that was."""
    with on_screen(infertop, columns=160, rows=60) as screen:
        screen.shows(*names)
        return screen.text, time.monotonic()


def test_every_engine_is_shown_by_name_on_its_gpus_within_three_seconds(tmp_path, driver, capsys):
    rack = Rack(tmp_path)
    with playing(*rack.all(), environment=rack.environment) as pids:
        placed = {gpu: [(pids[name], 20_000) for name in names] for gpu, names in ON.items()}
        reading = timed(capsys, "--once --json", lambda: a_reading(machine(tmp_path, driver, placed)))
        names = [name for models in MODELS.values() for name in models]
        # Each time in a home of its own: nothing is remembered.
        timed(capsys, "the screen", lambda: on_a_screen(machine(tmp_path, driver, placed), names))
    kinds, gpus = named(reading, rack.ports)
    # No process twice: of the two ports of TGI's router and the server below Ollama there is none.
    assert {kind: sorted(models) for kind, models in kinds.items()} == {k: sorted(v) for k, v in MODELS.items()}
    assert {index: set(models) for index, models in gpus.items()} == GPUS
    assert len({each["source"] for each in reading["models"]} & {f"vllm@127.0.0.1:{port}" for port in rack.ports}) == 2
    alias = next(each for each in reading["models"] if each["model"] == "alias-a")
    own = [each["usd_per_hour"] for each in reading["gpus"] if each["models"] == ["alias-a"]]
    assert len(own) == 4
    assert alias["usd_per_hour"] == pytest.approx(sum(own))


def test_processes_that_lead_to_no_server_are_said_and_their_gpus_are_nobodys(tmp_path, driver):
    rack = Rack(tmp_path)
    lost = Actor("gone", ("vllm", "serve", "acme/gone"), below=[Actor("orphan", ("VLLM::EngineCore",))], leaves=True)
    with playing(rack.wrapped_vllm(), lost, environment=rack.environment) as pids:
        placed = {0: [(pids["core"], 20_000)], 1: [(pids["orphan"], 30_000)], 2: [(NOT_HERE, 40_000)]}
        infertop = machine(tmp_path, driver, placed)
        reading = infertop.once()
        said = infertop.run("check").stdout
    _, gpus = named(reading, rack.ports)
    assert gpus == {0: ["acme/wrapped"]} | {index: [] for index in range(1, 8)}
    assert f"{pids['orphan']} (VLLM::EngineCore)" in said
    assert str(NOT_HERE) in said


def test_a_container_of_which_only_docker_knows_is_found_at_its_published_port(tmp_path, driver):
    rack = Rack(tmp_path)
    port = rack.ports[0]
    pages = {"/metrics": rack.page("tgi/synthetic.txt"), "/info": rack.text('{"model_id": "acme/boxed"}')}
    row = {
        "Id": "f" * 64,
        "Names": ["/tgi"],
        "Image": "ghcr.io/huggingface/text-generation-inference:3.3.5",
        "Command": "./entrypoint.sh --model-id acme/boxed",
        "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": port, "Type": "tcp"}],
    }
    with playing(Actor("forwarder", ("portd",), {port: pages})), docker(tmp_path / "docker.sock", [row]) as socket:
        infertop = machine(tmp_path, driver, {})
        without = infertop.once()
        infertop.more["DOCKER_HOST"] = f"unix://{socket}"
        said = infertop.once()
        checked = infertop.run("check").stdout
    assert [each for each in without["models"] if each["model"] == "acme/boxed"] == []
    assert [each["source"] for each in said["models"] if each["model"] == "acme/boxed"] == [f"tgi@127.0.0.1:{port}"]
    assert f"containers: {socket}: 1 container" in checked


@contextmanager
def docker(path, rows):
    """Docker's API on a socket, as far as it lists containers."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(rows if self.path == "/containers/json" else {"State": {"Pid": 0}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self):
            return "infertop"

        def log_message(self, *_):
            pass

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield path
        server.shutdown()

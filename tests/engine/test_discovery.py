import asyncio
import os
import sys

import pytest

from collectors import KINDS
from infertop.engine.collector import Unavailable
from infertop.engine.discovery import Discovery, Found, Searched
from infertop.engine.searched import searched_gpus
from infertop.readings.model import Batch, Series
from tests.engine.trees import SERVER, running, vllm_command
from tests.engine.worlds import World

PATTERNS = [kind.server for kind in KINDS.values() if kind.server]
VLLM = (200, {}, b"# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 0.0\n")
TRITON = (200, {}, b"# TYPE nv_inference_request_success counter\n")
LLAMACPP = (200, {"server": "llama.cpp"}, b"llamacpp:prompt_tokens_total 0\n")
OTHER = (404, {}, b"not found")


class Network:
    """What answers where: by `host:port`. Everything else refuses."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    async def probe(self, url):
        self.asked.append(url)
        answer = self.answers.get(url.removeprefix("http://").split("/")[0])
        if answer is None or answer == "tls":
            raise Unavailable("connection refused")
        if answer == "hang":
            await asyncio.sleep(60)
        return answer

    async def tls(self, host, port):
        return self.answers.get(f"{host}:{port}") == "tls"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def discovery(world, network):
    made = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=world.scan)
    yield made
    made.close()


async def test_an_engine_is_found_by_its_command_port_and_answer(discovery, world, network):
    world.start(10, "/usr/bin/python /usr/bin/vllm serve acme/tiny --port 8123", port=8123)
    network.answers["127.0.0.1:8123"] = VLLM
    seen = await discovery.look({})
    assert seen.found == (Found("vllm@127.0.0.1:8123", "vllm", "http://127.0.0.1:8123", 10, "acme/tiny"),)
    assert network.asked == ["http://127.0.0.1:8123/metrics"]


async def test_its_workers_gpus_are_its_gpus(discovery, world, network):
    world.start(10, "vllm serve acme/tiny", port=8000)
    world.start(11, "VLLM::EngineCore", parent=10)
    world.start(12, "VLLM::Worker_TP0", parent=11)
    world.start(13, "VLLM::Worker_TP1", parent=11)
    network.answers["127.0.0.1:8000"] = VLLM
    (found,) = (await discovery.look({12: ("GPU-a",), 13: ("GPU-b",)})).found
    assert found.gpus == ("GPU-a", "GPU-b")


async def test_an_api_server_process_leads_to_its_parents_command(discovery, world, network):
    world.start(10, "vllm serve acme/tiny --api-server-count 2 --port 8001")
    world.start(11, "VLLM::APIServer_0", parent=10, port=8001)
    world.start(12, "VLLM::APIServer_1", parent=10, port=8001)
    network.answers["127.0.0.1:8001"] = VLLM
    (found,) = (await discovery.look({})).found
    assert (found.pid, found.model) == (10, "acme/tiny")


async def test_of_a_shell_and_the_server_in_it_the_server_counts(discovery, world, network):
    world.start(10, ["bash", "-c", "vllm serve acme/tiny --port 8001"])
    world.start(11, "python /usr/bin/vllm serve acme/tiny --port 8001", parent=10, port=8001)
    network.answers["127.0.0.1:8001"] = VLLM
    (found,) = (await discovery.look({})).found
    assert found.pid == 11


async def test_only_the_port_that_the_command_names_is_asked(discovery, world, network):
    world.start(10, "vllm serve acme/tiny --port 8001", port=8001)
    world.listen(45555, 10)
    world.start(11, "VLLM::EngineCore", parent=10, port=45556)
    network.answers["127.0.0.1:8001"] = VLLM
    await discovery.look({})
    assert network.asked == ["http://127.0.0.1:8001/metrics"]


async def test_a_server_on_an_unexpected_port_is_found_among_its_own(discovery, world, network):
    world.start(10, "vllm serve --config engine.yaml", port=9911)
    world.start(11, "VLLM::EngineCore", parent=10, port=45556)
    network.answers["127.0.0.1:9911"] = VLLM
    (found,) = (await discovery.look({})).found
    assert found.url == "http://127.0.0.1:9911"
    assert network.asked == ["http://127.0.0.1:9911/metrics"]


async def test_triton_is_read_on_its_metrics_port(discovery, world, network):
    world.start(10, "tritonserver --model-repository=/models", port=8000)
    world.listen(8001, 10)
    world.listen(8002, 10)
    network.answers["127.0.0.1:8002"] = TRITON
    (found,) = (await discovery.look({})).found
    assert (found.kind, found.url) == ("triton", "http://127.0.0.1:8002")
    assert network.asked == ["http://127.0.0.1:8002/metrics"]


async def test_a_server_without_an_engines_command_is_recognised_by_its_answer(discovery, world, network):
    world.start(10, [sys.executable, "-c", "import engine; engine.run()"], port=18080, name="python3.11")
    network.answers["127.0.0.1:18080"] = LLAMACPP
    (found,) = (await discovery.look({10: ("GPU-a",)})).found
    assert (found.kind, found.name, found.gpus) == ("llamacpp", "llamacpp@127.0.0.1:18080", ("GPU-a",))


async def test_an_answer_that_is_no_engines_is_asked_for_once(discovery, world, network):
    world.start(10, "python app.py", port=5000)
    network.answers["127.0.0.1:5000"] = OTHER
    for _ in range(3):
        assert (await discovery.look({})).found == ()
    paths = {path for pattern in PATTERNS for path in pattern.probe_paths}
    assert sorted(network.asked) == sorted(f"http://127.0.0.1:5000{path}" for path in paths)
    world.stop(10)
    world.start(10, "python app.py", port=5000, started=200.0)  # another process under the same pid
    network.answers["127.0.0.1:5000"] = VLLM
    assert len((await discovery.look({})).found) == 1


async def test_a_port_that_does_not_answer_is_asked_three_times_at_most(discovery, world, network):
    world.start(10, "python trainer.py", port=29500)
    for _ in range(6):
        await discovery.look({})
    assert len(network.asked) == 3


async def test_an_engines_command_is_asked_until_it_has_loaded(discovery, world, network):
    world.start(10, "llama-server -m tiny.gguf --port 8080", port=8080)
    network.answers["127.0.0.1:8080"] = (503, {}, b'{"error":{"message":"Loading model"}}')
    for _ in range(5):
        assert (await discovery.look({})).found == ()
    network.answers["127.0.0.1:8080"] = LLAMACPP
    assert len((await discovery.look({})).found) == 1
    asked = len(network.asked)
    await discovery.look({})
    assert len(network.asked) == asked  # found: it is not asked again


@pytest.mark.parametrize("command", ["postgres -D /data", "/usr/sbin/sshd -D", "redis-server *:6379", "nginx", "java"])
async def test_ports_of_other_programs_are_never_asked(discovery, world, network, command):
    world.start(10, command, port=8000)  # even on an engine's usual port
    await discovery.look({})
    assert network.asked == []


async def test_a_usual_port_whose_owner_may_not_be_seen_is_asked(discovery, world, network):
    world.listen(8000)
    world.listen(5432)
    network.answers["127.0.0.1:8000"] = VLLM
    (found,) = (await discovery.look({})).found
    assert (found.pid, found.model) == (None, None)
    assert not [url for url in network.asked if "5432" in url]


async def test_a_containers_server_is_found_through_its_forwarded_port(discovery, world, network):
    world.start(5, "/usr/bin/docker-proxy -host-port 8000", port=8000, host="0.0.0.0")
    world.start(10, "vllm serve acme/tiny --port 8000")  # it listens inside its own network
    world.start(11, "VLLM::EngineCore", parent=10)
    network.answers["127.0.0.1:8000"] = VLLM
    (found,) = (await discovery.look({11: ("GPU-a",)})).found
    assert (found.pid, found.model, found.gpus) == (10, "acme/tiny", ("GPU-a",))


async def test_a_port_that_is_forwarded_into_a_container_is_asked(discovery, world, network):
    world.start(5, "/usr/bin/docker-proxy -host-port 8000", port=8000)
    network.answers["127.0.0.1:8000"] = VLLM
    assert [each.kind for each in (await discovery.look({})).found] == ["vllm"]


async def test_gpus_that_become_known_later_are_told(discovery, world, network):
    world.start(10, "vllm serve acme/tiny", port=8000)
    network.answers["127.0.0.1:8000"] = VLLM
    assert (await discovery.look({})).found[0].gpus == ()
    assert (await discovery.look({10: ("GPU-a",)})).found[0].gpus == ("GPU-a",)
    assert (await discovery.look({})).found[0].gpus == ("GPU-a",)  # NVML may be late once


async def test_an_endpoint_on_one_address_is_asked_there(discovery, world, network):
    world.start(10, "vllm serve acme/tiny --host 10.0.0.5", port=8000, host="10.0.0.5")
    network.answers["10.0.0.5:8000"] = VLLM
    assert [each.name for each in (await discovery.look({})).found] == ["vllm@10.0.0.5:8000"]


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://10.0.0.5:8000/", "http://gpu-box:8000/metrics"])
async def test_what_is_configured_already_is_left_out(discovery, world, network, url):
    world.start(10, "vllm serve acme/tiny", port=8000, host="0.0.0.0")
    network.answers["127.0.0.1:8000"] = VLLM
    assert (await discovery.look({}, configured=[url])).found == ()
    assert network.asked == []


async def test_infertop_never_asks_itself(discovery, world, network):
    world.start(os.getpid(), "python -m something", port=8000)
    world.start(10, "/usr/bin/python /usr/bin/infertop exporter", port=8080)
    network.answers |= {"127.0.0.1:8000": VLLM, "127.0.0.1:8080": VLLM}
    assert (await discovery.look({})).found == ()
    assert network.asked == []


async def test_a_server_that_answers_on_two_ports_is_one_engine(discovery, world, network):
    world.start(10, "python serve.py", port=8000)
    world.listen(8001, 10)
    network.answers |= {"127.0.0.1:8000": VLLM, "127.0.0.1:8001": VLLM}
    assert len((await discovery.look({})).found) == 1


async def test_an_engine_that_wants_a_key_is_found_and_says_so(discovery, world, network):
    world.start(10, "llama-server --api-key secret --port 8080", port=8080)
    network.answers["127.0.0.1:8080"] = (401, {}, b"")
    (found,) = (await discovery.look({})).found
    assert found.kind == "llamacpp"
    assert "key" in found.detail


async def test_a_restarted_engine_on_another_port_keeps_its_id(discovery, world, network):
    world.start(10, "vllm serve acme/tiny --port 8001", port=8001)
    world.start(20, "vllm serve acme/large --port 8002", port=8002)
    network.answers |= {"127.0.0.1:8001": VLLM, "127.0.0.1:8002": VLLM, "127.0.0.1:8003": VLLM}
    await discovery.look({})
    world.stop(10)
    assert [each.name for each in (await discovery.look({})).found] == ["vllm@127.0.0.1:8002"]
    world.start(30, "vllm serve acme/tiny --port 8003", port=8003)
    found = {each.name: each.url for each in (await discovery.look({})).found}
    assert found == {
        "vllm@127.0.0.1:8001": "http://127.0.0.1:8003",
        "vllm@127.0.0.1:8002": "http://127.0.0.1:8002",
    }
    # The port whose id went on is taken by a newcomer: it may not have the same id.
    world.start(40, "vllm serve acme/new --port 8001", port=8001)
    names = {each.url: each.name for each in (await discovery.look({})).found}
    assert names["http://127.0.0.1:8001"] == "vllm@127.0.0.1:8001#2"


async def test_a_replica_beside_a_running_engine_is_a_new_one(discovery, world, network):
    world.start(10, "vllm serve acme/tiny --port 8001", port=8001)
    network.answers |= {"127.0.0.1:8001": VLLM, "127.0.0.1:8003": VLLM}
    await discovery.look({})
    world.start(30, "vllm serve acme/tiny --port 8003", port=8003)
    assert {each.name for each in (await discovery.look({})).found} == {"vllm@127.0.0.1:8001", "vllm@127.0.0.1:8003"}


async def test_an_engine_that_returns_to_its_own_port_keeps_its_own_id(discovery, world, network):
    network.answers |= {"127.0.0.1:8001": VLLM, "127.0.0.1:8002": VLLM}
    world.start(10, "vllm serve acme/tiny --port 8001", port=8001)
    world.start(20, "vllm serve acme/tiny --port 8002", port=8002)
    await discovery.look({})
    world.stop(10, 20)
    await discovery.look({})
    world.start(30, "vllm serve acme/tiny --port 8002", port=8002)
    assert [each.name for each in (await discovery.look({})).found] == ["vllm@127.0.0.1:8002"]


async def test_another_model_does_not_continue_a_vanished_engine(discovery, world, network):
    network.answers |= {"127.0.0.1:8001": VLLM, "127.0.0.1:8002": VLLM}
    world.start(10, "vllm serve acme/tiny --port 8001", port=8001)
    await discovery.look({})
    world.stop(10)
    world.start(20, "vllm serve acme/large --port 8002", port=8002)
    assert [each.name for each in (await discovery.look({})).found] == ["vllm@127.0.0.1:8002"]


async def test_without_a_model_the_gpus_tell_who_continues_whom(world, network):
    old = Found("triton@127.0.0.1:8002", "triton", "http://127.0.0.1:8002", 5, None, ("GPU-a",))
    discovery = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=world.scan, remembered=[old])
    world.start(10, "tritonserver --metrics-port 9002", port=9002)
    world.start(20, "tritonserver --metrics-port 9003", port=9003)
    network.answers |= {"127.0.0.1:9002": TRITON, "127.0.0.1:9003": TRITON}
    found = (await discovery.look({10: ("GPU-b",), 20: ("GPU-a",)})).found
    assert {each.name: each.pid for each in found} == {"triton@127.0.0.1:9002": 10, "triton@127.0.0.1:8002": 20}
    discovery.close()


async def test_the_report_says_what_was_looked_for_and_what_to_do(discovery, world, network):
    world.start(10, "python app.py", port=5000)
    network.answers["127.0.0.1:5000"] = OTHER
    nothing = (await discovery.look({})).searched
    assert nothing == (
        Searched("engines", "listening ports: 1, processes: 2", False, "start one, or name it: --source KIND=URL"),
        Searched(
            "port",
            "127.0.0.1:5000",
            False,
            "process 10 (python) answers HTTP 404, and like no engine: if it is an engine, name it: --source KIND=URL",
        ),
    )
    world.start(20, "vllm serve acme/tiny --port 8000")
    waiting = (await discovery.look({20: ("GPU-a",)})).searched[1]
    assert (waiting.what, waiting.found) == ("vllm", False)
    assert "process 20 runs, and this address does not answer yet" in waiting.detail
    world.listen(8000, 20)
    network.answers["127.0.0.1:8000"] = VLLM
    assert (await discovery.look({})).searched[1] == Searched("vllm", "http://127.0.0.1:8000", True, "acme/tiny")


async def test_usual_ports_are_asked_where_ports_cannot_be_listed(discovery, world, network):
    world.listable = False
    network.answers["127.0.0.1:8080"] = LLAMACPP
    seen = await discovery.look({})
    assert [each.kind for each in seen.found] == ["llamacpp"]
    assert "cannot be listed" in seen.searched[0].where


async def test_a_probe_that_hangs_holds_up_nothing(discovery, world, network, monkeypatch):
    monkeypatch.setattr("infertop.engine.asking.PROBE_SECONDS", 0.05)
    world.start(10, "python slow.py", port=5000)
    world.start(20, "vllm serve acme/tiny", port=8000)
    network.answers |= {"127.0.0.1:5000": "hang", "127.0.0.1:8000": VLLM}
    assert len((await discovery.look({})).found) == 1


async def test_what_cannot_be_asked_in_time_is_left_to_the_next_look_and_engines_come_first(
    discovery, world, network, monkeypatch
):
    monkeypatch.setattr("infertop.engine.discovery._LOOK_SECONDS", 0.1)
    monkeypatch.setattr("infertop.engine.discovery._LEAST_SECONDS", 0.1)
    for pid in range(10, 30):
        world.start(pid, "python slow.py", port=5000 + pid)
        network.answers[f"127.0.0.1:{5000 + pid}"] = "hang"
    world.start(40, "vllm serve acme/tiny --port 9000", port=9000)
    world.start(41, "python app.py", port=9001)
    network.answers |= {"127.0.0.1:9000": VLLM, "127.0.0.1:9001": LLAMACPP}
    assert [each.name for each in (await discovery.look({})).found] == ["vllm@127.0.0.1:9000"]
    for pid in range(10, 30):
        network.answers[f"127.0.0.1:{5000 + pid}"] = OTHER
    assert len((await discovery.look({})).found) == 2


async def test_a_process_list_that_hangs_leaves_what_was_found(world, network, monkeypatch):
    import threading

    release = threading.Event()
    hang = False

    def look():
        if hang:
            release.wait(30)
        return world.scan()

    discovery = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=look)
    world.start(10, "vllm serve acme/tiny", port=8000)
    network.answers["127.0.0.1:8000"] = VLLM
    before = (await discovery.look({})).found
    hang = True
    monkeypatch.setattr("infertop.engine.discovery._SCAN_SECONDS", 0.05)
    seen = await discovery.look({})
    release.set()
    assert seen.found == before
    assert "could not be listed" in seen.searched[0].detail
    discovery.close()


async def test_a_real_server_is_found_over_http_with_its_renamed_worker(tmp_path):
    discovery = Discovery(PATTERNS)
    with running(vllm_command(tmp_path), page=VLLM[2].decode(), title="VLLM::EngineCore") as tree:
        mine, looks = [], 0
        while not mine:  # on a busy machine a look may end before its answer
            seen, looks = await discovery.look({tree.worker: ("GPU-a",)}), looks + 1
            mine = [each for each in seen.found if each.url.endswith(f":{tree.port}")]
        await discovery.look({tree.worker: ("GPU-a",)})
        asked = tree.asked()
    assert mine == [
        Found(f"vllm@127.0.0.1:{tree.port}", "vllm", f"http://127.0.0.1:{tree.port}", tree.pid, "acme/tiny", ("GPU-a",))
    ]
    assert set(asked) == {"/metrics"}
    assert len(asked) <= looks
    discovery.close()


async def test_a_real_server_started_from_a_shell_and_without_a_telling_command_is_found():
    discovery = Discovery(PATTERNS)
    with running([sys.executable, "-c", SERVER, "--port", "{port}"], page=LLAMACPP[2].decode()) as tree:
        mine = []
        while not mine:  # where much else listens, a look does not come to every port
            mine = [each.kind for each in (await discovery.look({})).found if each.pid == tree.pid]
    assert mine == ["llamacpp"]
    discovery.close()


def test_gpus_are_reported_with_the_reason_where_there_are_none():
    series = (Series.of("gpu_info", gpu="GPU-a"), Series.of("gpu_info", gpu="MIG-b", parent="GPU-a"))
    assert searched_gpus(Batch("nvml", 0.0, series, (1.0, 1.0))) == Searched(
        "GPUs", "NVML", True, "1 GPU, 1 MIG instance"
    )
    assert searched_gpus(None, "no driver") == Searched("GPUs", "NVML", False, "no driver")

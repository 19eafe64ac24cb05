"""Engines whose processes come in several: which is the server, whose GPUs and port they are, and what is asked."""

import pytest

from collectors import KINDS
from infertop.engine.discovery import Discovery, Found
from tests.engine.discovery.answers import Network
from tests.engine.worlds import World

PATTERNS = [kind.server for kind in KINDS.values() if kind.server]
TGI = (200, {}, b"# TYPE tgi_request_count counter\ntgi_request_count 0\n")
SGLANG = (200, {}, b"# TYPE sglang:num_running_reqs gauge\nsglang:num_running_reqs 0.0\n")
SGLANG_MODELS = (200, {}, b'{"object":"list","data":[{"id":"acme/tiny","owned_by":"sglang"}]}')
LMDEPLOY = (200, {}, b"# TYPE lmdeploy:num_requests_running gauge\nlmdeploy:num_requests_running 0.0\n")


async def found(world, gpu_processes, **answers):
    network = Network(**answers)
    discovery = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=world.scan)
    try:
        return (await discovery.look(gpu_processes)).found, network.asked
    finally:
        discovery.close()


async def test_tgis_router_and_shards_are_one_engine_of_their_launcher():
    world = World()
    world.start(10, "text-generation-launcher --model-id acme/tiny --num-shard 2 --port 8081")
    world.start(11, "text-generation-router --port 8081 --prometheus-port 9000 --tokenizer-name acme/tiny", parent=10)
    world.listen(8081, pid=11)
    world.listen(9000, pid=11)
    for pid in (12, 13):
        world.start(pid, "/opt/conda/bin/python3 /opt/conda/bin/text-generation-server serve acme/tiny", parent=10)
    gpus = {12: ("GPU-a",), 13: ("GPU-b",)}
    engines, asked = await found(world, gpus, **{"127.0.0.1:8081": TGI, "127.0.0.1:9000": TGI})
    url = "http://127.0.0.1:8081"
    assert engines == (Found("tgi@127.0.0.1:8081", "tgi", url, 10, "acme/tiny", ("GPU-a", "GPU-b")),)
    assert asked == [url + "/metrics"]  # the second port shows the same and is left alone


async def test_sglangs_schedulers_belong_to_the_server_that_started_them():
    world = World()
    world.start(20, "python3 -m sglang.launch_server --model-path acme/tiny --tp 2 --port 30001", port=30001)
    world.start(21, ("sglang::scheduler_TP0",), parent=20)
    world.start(22, ("sglang::scheduler_TP1",), parent=20)
    gpus = {21: ("GPU-a",), 22: ("GPU-b",)}
    engines, _ = await found(world, gpus, **{"127.0.0.1:30001": SGLANG})
    url = "http://127.0.0.1:30001"
    assert engines == (Found("sglang@127.0.0.1:30001", "sglang", url, 20, "acme/tiny", ("GPU-a", "GPU-b")),)


async def test_sglang_without_metrics_is_found_by_its_models_so_that_it_can_say_what_to_do():
    world = World()
    world.start(20, "python3 -m sglang.launch_server --model-path acme/tiny", port=30000)
    engines, asked = await found(world, {}, **{"127.0.0.1:30000": SGLANG_MODELS})
    assert [each.kind for each in engines] == ["sglang"]
    assert asked[0].endswith(":30000/metrics")


@pytest.mark.parametrize(("said", "port"), [("", 23333), (" --server-port 23400", 23400)])
async def test_lmdeploys_port_is_its_own_or_the_one_it_names(said, port):
    world = World()
    world.start(30, "/usr/bin/python3 /usr/bin/lmdeploy serve api_server acme/tiny" + said, port=port)
    engines, _ = await found(world, {30: ("GPU-a",)}, **{f"127.0.0.1:{port}": LMDEPLOY})
    url = f"http://127.0.0.1:{port}"
    assert engines == (Found(f"lmdeploy@127.0.0.1:{port}", "lmdeploy", url, 30, "acme/tiny", ("GPU-a",)),)


TRITON = (200, {}, b"# TYPE nv_inference_request_success counter\n")


@pytest.mark.parametrize(
    ("said", "open_ports", "options"),
    [
        ("--metrics-port 9102", (8000, 8001), {"http_port": 8000}),  # not two below the metrics: Triton's own
        ("--metrics-port 9102 --http-port=9200", (9200,), {"http_port": 9200}),
        ("--metrics-port 9102 --http-port=9200 --allow-http=false", (), {}),
    ],
)
async def test_tritons_api_is_where_its_command_and_its_ports_say(said, open_ports, options):
    world = World()
    world.start(10, f"tritonserver --model-repository=/models {said}", port=9102)
    for port in open_ports:
        world.listen(port, 10)
    (engine,), _ = await found(world, {}, **{"127.0.0.1:9102": TRITON})
    assert (engine.name, engine.options) == ("triton@127.0.0.1:9102", options)


async def test_tritons_api_is_found_where_its_ports_owner_may_not_be_seen():
    world = World()
    world.start(10, "tritonserver --metrics-port 9102 --http-port 9200")
    for port in (9102, 9200):
        world.listen(port)
    (engine,), _ = await found(world, {}, **{"127.0.0.1:9102": TRITON})
    assert (engine.pid, engine.options) == (10, {"http_port": 9200})


FRONT_END = (200, {}, b"# TYPE dynamo_frontend_requests_total counter\ndynamo_frontend_requests_total 0\n")
WORKER = (200, {}, b"# TYPE dynamo_component_requests_total counter\n# TYPE vllm:num_requests_running gauge\n")


def dynamo():
    world = World()
    world.start(10, "python3 -m dynamo.frontend --http-port 8123", port=8123)
    for pid in (20, 30):
        world.start(pid, "python3 -m dynamo.vllm --model acme/tiny")
        world.start(pid + 1, "VLLM::EngineCore", parent=pid)
    return world, {21: ("GPU-a",), 31: ("GPU-b",)}


async def test_dynamos_front_end_has_the_workers_that_cannot_be_read_themselves():
    world, gpus = dynamo()
    (engine,), _ = await found(world, gpus, **{"127.0.0.1:8123": FRONT_END})
    assert (engine.kind, engine.pid, engine.workers) == ("dynamo-frontend", 10, (20, 30))
    assert engine.gpus == ("GPU-a", "GPU-b")


async def test_a_worker_of_dynamo_that_can_be_read_has_its_own_gpus():
    world, gpus = dynamo()
    world.listen(8081, 20)
    answers = {"127.0.0.1:8123": FRONT_END, "127.0.0.1:8081": WORKER}
    engines, _ = await found(world, gpus, **answers)
    assert {(each.kind, each.gpus, each.workers) for each in engines} == {
        ("dynamo", ("GPU-a",), ()),
        ("dynamo-frontend", ("GPU-b",), (30,)),
    }


async def test_a_server_of_another_user_on_a_port_of_its_own_is_found_by_its_command():
    world = World()
    world.start(10, "/usr/local/bin/llama-server -m tiny.gguf --port 9911")
    world.listen(9911)  # by whom is not to be seen
    page = (200, {"server": "llama.cpp"}, b"llamacpp:prompt_tokens_total 0\n")
    (engine,), asked = await found(world, {}, **{"127.0.0.1:9911": page})
    assert (engine.kind, engine.pid, asked) == ("llamacpp", 10, ["http://127.0.0.1:9911/metrics"])


OLLAMA = (200, {}, b'{"models":[]}')


async def test_a_server_that_another_user_told_its_port_otherwise_is_found_among_that_users_ports():
    world = World()
    world.start(10, "/usr/local/bin/ollama serve", user=998)
    world.listen(11500, user=998)
    world.listen(5432, user=997)
    (engine,), asked = await found(world, {}, **{"127.0.0.1:11500": OLLAMA})
    assert (engine.name, engine.pid, asked) == ("ollama@127.0.0.1:11500", 10, ["http://127.0.0.1:11500/api/ps"])


@pytest.mark.parametrize(("user", "ports"), [(0, 1), (998, 9)])
async def test_of_a_user_with_many_ports_and_of_root_only_the_usual_one_is_asked(user, ports):
    world = World()
    world.start(10, "/usr/local/bin/ollama serve", user=user)
    for port in range(11500, 11500 + ports):
        world.listen(port, user=user)
    engines, asked = await found(world, {}, **{"127.0.0.1:11500": OLLAMA})
    assert (engines, asked) == ((), ["http://127.0.0.1:11434/api/ps"])


@pytest.mark.parametrize(
    "command",
    [
        "vim vllm serve notes",
        "tail -f vllm serve",
        "grep vllm serve",
        "docker run vllm/vllm-openai vllm serve acme/tiny",
    ],
)
async def test_words_that_only_look_like_an_engines_command_are_no_engine(command):
    world = World()
    world.start(10, command)
    engines, asked = await found(world, {}, **{"127.0.0.1:8000": SGLANG})
    assert (engines, asked) == ((), [])


async def test_a_port_that_ssh_holds_for_an_engine_elsewhere_is_not_this_machines():
    world = World()
    world.start(10, "ssh -L 8000:localhost:8000 gpubox vllm serve acme/tiny", port=8000)
    engines, asked = await found(world, {}, **{"127.0.0.1:8000": SGLANG})
    assert (engines, asked) == ((), [])


async def test_an_engine_on_tls_is_said_with_how_to_configure_it():
    world = World()
    world.start(10, "vllm serve acme/tiny --ssl-certfile cert.pem --ssl-keyfile key.pem --port 8443", port=8443)
    network = Network(**{"127.0.0.1:8443": "tls"})
    discovery = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=world.scan)
    said = (await discovery.look({})).searched[1]
    discovery.close()
    assert (said.what, said.found) == ("vllm", False)
    assert "speaks TLS" in said.detail
    assert 'kind = "vllm" url = "https://NAME:8443"' in said.detail
    assert not discovery.loading


async def test_one_that_never_answers_is_waited_for_with_less_and_less_hope():
    world = World()
    world.start(10, "vllm serve acme/tiny")
    network = Network()
    discovery = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=world.scan)
    hopes = []
    for _ in range(151):
        await discovery.look({})
        hopes.append(discovery.loading)
    discovery.close()
    assert hopes == [True] * 149 + [False] * 2
    assert len(network.asked) == 151

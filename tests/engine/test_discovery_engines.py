"""Engines whose processes come in several: which is the server, whose GPUs and port they are, and what is asked."""

import pytest

from collectors import KINDS
from infertop.engine.discovery import Discovery, Found
from tests.engine.test_discovery import Network
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

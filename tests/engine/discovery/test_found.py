"""Which server an engine is, at which port, with which GPUs."""

from infertop.engine.discovery import Found
from tests.engine.discovery.answers import TRITON, VLLM


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

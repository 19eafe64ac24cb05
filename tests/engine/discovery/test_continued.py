"""Whose id an engine has that comes back, moves or is joined by another."""

from infertop.engine.discovery import Discovery, Found
from tests.engine.discovery.answers import PATTERNS, TRITON, VLLM


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

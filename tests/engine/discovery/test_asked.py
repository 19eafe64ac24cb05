"""Which ports are asked, how often, and how long an answer is waited for."""

import os
import sys

import pytest

from tests.engine.discovery.answers import LLAMACPP, OTHER, PATTERNS, VLLM


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

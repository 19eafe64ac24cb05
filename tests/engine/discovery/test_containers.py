"""Engines in containers: at which address each is asked, and that each is one engine."""

import json

import pytest

from collectors import KINDS
from infertop.engine.containers import Container, forwarded, parse_list
from infertop.engine.discovery import Discovery
from infertop.engine.network import Network
from tests.engine.discovery.answers import VLLM
from tests.engine.discovery.answers import Network as Answers
from tests.engine.discovery.docker_rows import DATABASE, ROW, UNPUBLISHED
from tests.engine.worlds import World

PATTERNS = [kind.server for kind in KINDS.values() if kind.server]
TGI = (200, {}, b"# TYPE tgi_request_count counter\ntgi_request_count 0\n")


@pytest.mark.parametrize("address", ["8.8.8.8", "127.0.0.1", "169.254.169.254", "0.0.0.0", "fe80::1", "host", ""])
def test_addresses_that_are_no_containers_are_never_asked(address):
    row = ROW | {"NetworkSettings": {"Networks": {"bridge": {"IPAddress": address}}}}
    assert parse_list(json.dumps([row]).encode())[0].addresses == ()


def test_dockers_own_forwarder_says_where_it_leads():
    world = World()
    argv = (
        "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 9000 -container-ip 172.17.0.2 -container-port 80"
    )
    world.start(5, argv, port=9000, host="0.0.0.0")
    assert forwarded(world.scan(), ()) == {("172.17.0.2", 80): "127.0.0.1:9000"}


async def look(world, answers, gpus=(), containers=(), configured=()):
    network = Answers(**answers)
    discovery = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=world.scan)

    class Listed:
        searched = None

        async def look(self):
            return containers

    discovery._docker = Listed()
    try:
        return await discovery.look(dict(gpus), configured), network.asked
    finally:
        discovery.close()


class Apart(World):
    """Processes 10 and below are in a container with these ports."""

    def __init__(self, *listens, address="172.17.0.2"):
        super().__init__()
        self.start(10, "text-generation-launcher --json-output --model-id acme/tgi")
        self.start(11, "text-generation-router --port 80", parent=10)
        self.start(12, "/opt/conda/bin/python3 /opt/conda/bin/text-generation-server serve acme/tgi", parent=10)
        self.networks = dict.fromkeys((10, 11, 12), Network((address,), listens))


async def test_a_server_in_a_container_without_published_ports_is_asked_at_its_own_address():
    world = Apart(("0.0.0.0", 80), ("0.0.0.0", 9000), ("127.0.0.1", 29500))
    seen, asked = await look(world, {"172.17.0.2:80": TGI}, {12: ("GPU-a",)})
    (found,) = seen.found
    assert (found.name, found.pid, found.model, found.gpus) == ("tgi@172.17.0.2:80", 10, "acme/tgi", ("GPU-a",))
    assert not [url for url in asked if "29500" in url]


async def test_a_server_that_only_its_own_container_reaches_is_said_with_what_to_do():
    world = Apart(("127.0.0.1", 8080))
    world.start(10, "llama-server -m tiny.gguf --port 8080")
    seen, _ = await look(world, {})
    (said,) = [each for each in seen.searched if each and each.what == "llamacpp"]
    assert said.detail == "process 10 listens on the loopback of its container alone: start it with --host 0.0.0.0"


async def test_a_published_port_is_taken_before_the_containers_own():
    world = Apart(("0.0.0.0", 80))
    argv = "/usr/bin/docker-proxy -host-ip 0.0.0.0 -host-port 9000 -container-ip 172.17.0.2 -container-port 80"
    world.start(5, argv, port=9000, host="0.0.0.0")
    seen, asked = await look(world, {"127.0.0.1:9000": TGI}, {12: ("GPU-a",)})
    assert [(each.name, each.gpus) for each in seen.found] == [("tgi@127.0.0.1:9000", ("GPU-a",))]
    assert asked == ["http://127.0.0.1:9000/metrics"]


async def test_a_forwarder_that_does_not_say_where_it_leads_may_lead_into_the_container():
    world = Apart(("0.0.0.0", 8000), address="10.0.2.100")
    world.start(10, "vllm serve acme/tiny --port 8000")
    world.start(5, "rootlessport", port=8000)
    seen, _ = await look(world, {"127.0.0.1:8000": VLLM}, {12: ("GPU-a",)})
    assert [(each.name, each.pid, each.gpus) for each in seen.found] == [("vllm@127.0.0.1:8000", 10, ("GPU-a",))]
    seen, _ = await look(world, {"127.0.0.1:8000": VLLM, "10.0.2.100:8000": VLLM}, {12: ("GPU-a",)})
    assert len(seen.found) == 1


async def test_docker_tells_of_ports_that_no_process_forwards():
    (container, _) = parse_list(json.dumps([ROW, DATABASE]).encode())
    seen, asked = await look(Apart(("0.0.0.0", 80)), {"127.0.0.1:8085": TGI}, containers=[container])
    assert [each.name for each in seen.found] == ["tgi@127.0.0.1:8085"]
    assert asked == ["http://127.0.0.1:8085/metrics"]


async def test_a_container_whose_processes_are_hidden_is_found_by_its_image_and_has_the_gpus_below_its_first_process():
    world = World()
    world.start(10, "", name="tgi-entrypoint.s")
    world.start(11, "", parent=10)
    rows = parse_list(json.dumps([UNPUBLISHED, DATABASE]).encode())
    containers = [
        Container(**{name: getattr(each, name) for name in each.__slots__} | {"pid": 10}) for each in rows[:1]
    ]
    seen, asked = await look(world, {"172.17.0.2:80": TGI}, {11: ("GPU-a",)}, [*containers, rows[1]])
    assert [(each.name, each.pid, each.gpus) for each in seen.found] == [("tgi@172.17.0.2:80", 10, ("GPU-a",))]
    assert {url.split("/")[2] for url in asked} == {"172.17.0.2:80"}  # and no database


async def test_where_a_configured_port_is_forwarded_unseen_no_container_is_read_twice():
    world = Apart(("0.0.0.0", 80))
    both = {"172.17.0.2:80": TGI, "127.0.0.1:8085": TGI}
    seen, asked = await look(world, both, configured=["http://localhost:8085"])
    assert (seen.found, asked) == ((), ["http://127.0.0.1:8085/"])
    assert any("172.17.0.2:80" in each.detail and "8085" in each.detail for each in seen.searched if each)
    seen, _ = await look(world, {"172.17.0.2:80": TGI}, configured=["http://172.17.0.2:80/"])
    assert seen.found == ()


async def test_a_configured_engine_that_is_down_hides_no_container():
    seen, _ = await look(Apart(("0.0.0.0", 80)), {"172.17.0.2:80": TGI}, configured=["http://localhost:8085"])
    assert [each.name for each in seen.found] == ["tgi@172.17.0.2:80"]


async def test_a_container_beside_a_server_on_the_same_port_of_this_machine_is_another_engine():
    world = Apart(("0.0.0.0", 8000))
    world.start(20, "vllm serve acme/here", port=8000)
    world.start(10, "python3 -m vllm.entrypoints.openai.api_server --model acme/there --port 8000")
    seen, _ = await look(world, {"127.0.0.1:8000": VLLM, "172.17.0.2:8000": VLLM})
    assert {each.name: each.model for each in seen.found} == {
        "vllm@127.0.0.1:8000": "acme/here",
        "vllm@172.17.0.2:8000": "acme/there",
    }

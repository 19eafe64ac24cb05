"""Docker's socket: what is asked, what is understood of the answers, and what becomes of bad ones."""

import asyncio
import json
import os
import socket
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import KINDS
from infertop.engine.containers import Container, forwarded, parse_list, parse_pid
from infertop.engine.discovery import Discovery
from infertop.engine.docker import Docker, socket_path
from infertop.engine.network import Network
from tests.engine.test_discovery import VLLM
from tests.engine.test_discovery import Network as Answers
from tests.engine.worlds import World

PATTERNS = [kind.server for kind in KINDS.values() if kind.server]
TGI = (200, {}, b"# TYPE tgi_request_count counter\ntgi_request_count 0\n")
ID = "4c01db0b339c" + "0" * 52
ROW = {
    "Id": ID,
    "Names": ["/tgi"],
    "Image": "ghcr.io/huggingface/text-generation-inference:3.3.5",
    "Command": "/tgi-entrypoint.sh --model-id acme/tgi",
    "State": "running",
    "Ports": [
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8085, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8085, "Type": "tcp"},
        {"PrivatePort": 9000, "Type": "tcp"},
        {"PrivatePort": 53, "Type": "udp"},
    ],
    "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
}
UNPUBLISHED = ROW | {"Ports": [{"PrivatePort": 80, "Type": "tcp"}]}
DATABASE = {"Id": "d" * 64, "Image": "postgres:17", "Command": "docker-entrypoint.sh postgres", "Ports": []}


class Engine:
    """Docker's API on a socket of the test's own; `asked` has the requests."""

    def __init__(self, path):
        self.path, self.asked = path, []
        self.rows, self.pid, self.raw, self.hangs = [ROW, DATABASE], 10, None, False

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.split(b"\r\n")[0].decode()
        self.asked.append(line)
        if self.hangs:
            await asyncio.sleep(60)
        body = json.dumps({"State": {"Pid": self.pid}} if "/json " not in line or ID in line else self.rows).encode()
        status = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        writer.write(self.raw if self.raw is not None else status + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def engine(folder):
    made = Engine(folder / "docker.sock")
    server = await asyncio.start_unix_server(made.serve, made.path)
    try:
        yield made
    finally:
        server.close()


def docker(path, wanted=lambda each: "text-generation" in each.image):
    return Docker({"DOCKER_HOST": f"unix://{path}"}, wanted)


def test_a_row_of_the_list_is_understood():
    assert parse_list(json.dumps([ROW]).encode()) == (
        Container(
            id=ID,
            name="tgi",
            image="ghcr.io/huggingface/text-generation-inference:3.3.5",
            command=("/tgi-entrypoint.sh", "--model-id", "acme/tgi"),
            addresses=("172.17.0.2",),
            published=((80, "127.0.0.1", 8085),),
            exposed=(9000,),
        ),
    )


async def test_each_look_is_one_request_and_the_first_process_is_known_at_the_second(tmp_path):
    async with engine(tmp_path) as api:
        looking = docker(api.path)
        first, second = await looking.look(), await looking.look()
        third = await looking.look()
    assert [each.pid for each in (*first, *second)] == [None, None, 10, None]
    assert second == third
    assert api.asked == [
        f"GET {path} HTTP/1.1" for path in ("/containers/json", f"/containers/{ID}/json", "/containers/json")
    ]
    assert (looking.searched.found, looking.searched.detail) == (True, "2 containers")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", "not Docker"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "not Docker"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n[", "larger than"),
        (b"SSH-2.0-OpenSSH\r\n", "not HTTP"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"),
        (b"", "HTTP"),
    ],
)
async def test_an_answer_that_is_not_dockers_is_said_and_nothing_comes_of_it(tmp_path, raw, sentence):
    async with engine(tmp_path) as api:
        api.raw = raw
        looking = docker(api.path)
        assert await looking.look() == ()
        assert sentence in looking.searched.detail
        api.raw = None
        assert len(await looking.look()) == 2  # it is asked again
        assert looking.searched.found


async def test_one_that_hangs_holds_up_a_look_for_a_second_at_most(tmp_path, monkeypatch):
    monkeypatch.setattr("infertop.engine.docker._SECONDS", 0.05)
    async with engine(tmp_path) as api:
        api.hangs = True
        looking = docker(api.path)
        assert await looking.look() == ()
    assert "did not answer" in looking.searched.detail


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_socket_that_may_not_be_read_is_one_line_with_what_to_do(tmp_path):
    async with engine(tmp_path) as api:
        api.path.chmod(0)
        looking = docker(api.path)
        assert await looking.look() == ()
    assert "group docker" in looking.searched.detail


async def test_that_access_is_refused_is_one_line_with_what_to_do(tmp_path, monkeypatch):
    async with engine(tmp_path) as api:
        monkeypatch.setattr("infertop.engine.docker.os.access", lambda *_: False)
        looking = docker(api.path)
        assert await looking.look() == ()
    assert (looking.searched.found, "group docker" in looking.searched.detail) == (False, True)
    assert api.asked == []


def test_only_a_socket_of_this_machine_is_asked(tmp_path):
    assert socket_path({"DOCKER_HOST": "tcp://10.0.0.1:2375"})[0] is None
    assert socket_path({"DOCKER_HOST": "unix:///run/x.sock"})[0].as_posix() == "/run/x.sock"
    with socket.socket(socket.AF_UNIX) as rootless:
        rootless.bind(str(tmp_path / "docker.sock"))
        found = socket_path({"XDG_RUNTIME_DIR": str(tmp_path)})[0]
    assert found is not None  # the usual one, where this machine has it, else that of this user


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from([*ROW, "Networks", "IPAddress", "IP", "PublicPort", "PrivatePort", "Type"]), inner
            )
        ),
        max_leaves=30,
    )
)
def test_no_answer_breaks_the_reading(value):
    body = json.dumps([value, ROW | {"Ports": value}, ROW | {"NetworkSettings": value}]).encode()
    assert all(0 < public < 65536 for each in parse_list(body) for _, _, public in each.published)
    assert parse_pid(json.dumps(value).encode()) is None


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

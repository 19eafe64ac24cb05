"""What Docker says of its containers: one request a look, and no answer breaks it."""

import asyncio
import json
import os
import socket
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.engine.containers import Container, parse_list, parse_pid
from infertop.engine.docker import Docker, socket_path
from tests.engine.discovery.docker_rows import DATABASE, ID, ROW


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

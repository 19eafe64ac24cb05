"""What a look says of itself: every port, process and socket that was tried, and what to do next."""

import asyncio
import ssl

import pytest

from collectors import KINDS
from infertop.engine.asking import speaks_tls
from infertop.engine.discovery import Discovery
from tests.engine.discovery.answers import OTHER, VLLM, Network
from tests.engine.worlds import World
from tests.recordings import PAYLOADS

PATTERNS = [kind.server for kind in KINDS.values() if kind.server]


async def said(world, gpu_processes=(), **answers):
    network = Network(**answers)
    discovery = Discovery(PATTERNS, probe=network.probe, tls=network.tls, look=world.scan)
    try:
        return [each for each in (await discovery.look(dict(gpu_processes))).searched if not each.found]
    finally:
        discovery.close()


@pytest.fixture
def world():
    made = World()
    made.start(10, "vllm serve acme/tiny", port=8000)
    made.start(11, ("VLLM::EngineCore",), parent=10)
    return made


async def test_ports_of_a_process_that_answer_alike_are_one_line(world):
    for port in range(5000, 5008):
        world.listen(port, 20)
    world.start(20, "/usr/bin/python app.py")
    world.start(30, "python other.py", port=6000)
    answers = {f"127.0.0.1:{port}": OTHER for port in range(5000, 5008)}
    lines = await said(world, **answers, **{"127.0.0.1:8000": VLLM})
    assert [(each.what, each.where) for each in lines] == [
        ("ports", "127.0.0.1:5000, 127.0.0.1:5001, 127.0.0.1:5002, 127.0.0.1:5003, 127.0.0.1:5004 and 3 more"),
        ("port", "127.0.0.1:6000"),
    ]
    assert lines[0].detail.startswith("process 20 (python) answers HTTP 404 on all of them, and like no engine")
    assert lines[1].detail.startswith("process 30 (python) answers no HTTP: if it is")


async def test_hundreds_of_processes_in_vain_are_a_few_lines(world):
    for pid in range(100, 300):
        world.start(pid, "python worker.py", port=20_000 + pid)
    lines = await said(world, **{"127.0.0.1:8000": VLLM})
    assert len(lines) == 21
    assert lines[-1].where == "of 180 more processes"


async def test_a_process_on_a_gpu_that_is_not_here_is_said_with_what_to_do(world):
    (line,) = await said(world, {11: ("GPU-a",), 4242: ("GPU-b",)}, **{"127.0.0.1:8000": VLLM})
    assert (line.what, line.where) == ("GPU processes", "4242")
    assert "run infertop on the host" in line.detail


async def test_a_worker_whose_server_has_ended_is_an_orphan_and_another_program_is_not(world):
    world.start(20, ("VLLM::EngineCore",))
    world.start(30, "bash")
    world.start(31, "blender --render", parent=30)
    world.start(40, "", name="hidden")
    lines = await said(world, {20: ("GPU-a",), 31: ("GPU-b",), 40: ("GPU-b",)}, **{"127.0.0.1:8000": VLLM})
    orphans, others = [each for each in lines if each.what == "GPU processes"]
    assert orphans.where == "20 (VLLM::EngineCore), 40 (hidden)"
    assert "has ended" in orphans.detail
    assert others.where == "31 (blender)"


async def test_in_a_container_the_drivers_pids_are_nobodys(world):
    world.boxed = True
    (line,) = await said(world, {4242: ("GPU-a",), 1: ("GPU-b",)}, **{"127.0.0.1:8000": VLLM})
    assert line.where == "1, 4242"
    assert "--pid=host" in line.detail


async def test_what_a_process_is_called_cannot_write_to_the_terminal(world):
    world.start(20, ("\x1b[2Jevil\u202e",), parent=30)
    world.start(30, "bash")
    (line,) = await said(world, {20: ("GPU-a",)}, **{"127.0.0.1:8000": VLLM})
    assert line.where.isprintable()


async def test_tls_is_told_from_http_and_from_silence_whoever_the_certificate_is_of():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PAYLOADS / "tls" / "self_signed.pem")

    async def http(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def hang_up(_reader, writer):
        writer.close()

    expected = []
    for answer, tls in ((http, context), (http, None), (hang_up, None)):
        server = await asyncio.start_server(answer, "127.0.0.1", ssl=tls)
        port = server.sockets[0].getsockname()[1]
        expected.append(await speaks_tls("127.0.0.1", port))
        server.close()
    assert expected == [True, False, False]
    assert not await speaks_tls("127.0.0.1", port)

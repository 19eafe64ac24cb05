import os
import socket
import subprocess
import sys

import psutil
import pytest

from infertop.engine.processes import Listener, Process, Scan, read_process, scan
from tests.engine.trees import WORKER, running, vllm_command


@pytest.fixture
def titled():
    command = [sys.executable, "-c", WORKER, "VLLM::EngineCore_DP0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    yield process.pid
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_chain_leads_from_a_process_to_its_ancestors():
    chain = scan().chain(os.getpid())
    assert chain[0].pid == os.getpid()
    assert chain[0].argv == tuple(psutil.Process().cmdline())
    assert [each.pid for each in chain[1:]] == [each.pid for each in psutil.Process().parents()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="titles are set through /proc")
def test_a_process_that_gave_itself_a_title_still_leads_to_its_parent(titled):
    chain = scan().chain(titled)
    assert chain[0].argv[:1] == ("VLLM::EngineCore_DP0",)
    assert "" not in chain[0].argv
    assert chain[1].pid == os.getpid()


def test_a_process_that_has_ended_is_none():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert scan().process(process.pid) is None
    assert scan().chain(process.pid) == ()


def test_a_zombie_has_no_command_and_is_no_error():
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended and is not waited for yet
    try:
        found = scan().process(process.pid)
        assert found is None or found.argv == ()
    finally:
        process.wait()


def test_another_users_process_without_a_readable_command_keeps_its_place_in_the_chain(monkeypatch):
    def refuse(self):
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(psutil.Process, "cmdline", refuse)
    found = scan().process(os.getpid())
    assert found.argv == ()
    assert found.parent == os.getppid()


def test_a_process_of_which_nothing_may_be_read_is_known_by_its_pid_alone(monkeypatch):
    def refuse(self):
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(psutil.Process, "name", refuse)
    assert read_process(os.getpid()) == Process(os.getpid())


def test_a_chain_that_leads_in_a_circle_ends():
    made = Scan(read=lambda pid: Process(pid, parent=3 - pid))
    assert len(made.chain(1)) == 64


def test_each_process_is_read_once_in_a_scan():
    asked = []
    made = Scan(read=lambda pid: asked.append(pid) or Process(pid, parent=pid - 1 or None))
    made.chain(3)
    made.chain(2)
    assert asked == [3, 2, 1]
    assert made.looked_at == 3


def test_listening_ports_have_their_process(tmp_path):
    with running(vllm_command(tmp_path)) as tree:
        assert scan().at(tree.port) == (Listener("127.0.0.1", tree.port, tree.pid),)
    assert scan().at(tree.port) == ()


def test_ports_are_listed_process_by_process_where_they_may_not_be_listed_at_once(monkeypatch):
    def refuse(kind):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", 0))
        mine.listen()
        port = mine.getsockname()[1]
        assert scan().at(port) == (Listener("127.0.0.1", port, os.getpid()),)


def test_ports_are_unknown_where_nothing_lists_them(monkeypatch):
    def refuse(*_arguments, **_named):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)
    monkeypatch.setattr(psutil.Process, "net_connections", refuse)
    assert scan().listeners is None


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("0.0.0.0", "127.0.0.1:80"),
        ("::", "127.0.0.1:80"),
        ("127.0.0.1", "127.0.0.1:80"),
        ("10.0.0.5", "10.0.0.5:80"),
        ("::1", "[::1]:80"),
    ],
)
def test_an_address_is_spelt_as_a_client_on_this_machine_reaches_it(host, authority):
    assert Listener(host, 80, None).authority == authority


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://127.0.0.1:8000", 8000),
        ("http://LOCALHOST:8000/metrics", 8000),
        ("http://[::1]:9000", 9000),
        ("http://localhost", 80),
        ("https://localhost", 443),
        ("http://10.9.8.7:8000", None),
        ("http://[broken", None),
        ("http://localhost:99999", None),
        ("", None),
    ],
)
def test_only_urls_of_this_machine_have_a_port_here(url, port):
    assert Scan().port_here(url) == port


def test_this_machines_own_name_and_addresses_are_here():
    now = scan()
    assert now.port_here(f"http://{socket.gethostname()}:8000") == 8000
    assert "127.0.0.1" in now.names

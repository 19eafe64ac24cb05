"""Looking at one machine again and again: ports, their owners, commands, and networks of their own."""

import os
import socket
import sys

import pytest

from infertop.engine import machine
from infertop.engine.machine import Machine
from infertop.engine.network import Network, local_addresses
from infertop.engine.processes import Listener, Process, read_process, scan
from tests.engine.trees import running, vllm_command

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads /proc")
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 501 1 0000 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 502 1 0000 100 0 0 10 0
   2: 020011AC:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 503 1 0000 100 0 0 10 0
   3: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 504 1 0000 20 4 30 10 -1
   4: 00000000:1111 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 505 1 0000 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 0 0 0 601 1
   1: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 0 0 0 602 1
   2: broken:1F93 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 0 0 0 603 1
"""  # noqa: E501 - as the kernel prints it
TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 172.17.0.0/16 2 0 2
           |-- {}
              /32 host LOCAL
        |-- 172.17.255.255
           /32 link BROADCAST
"""


class Proc:
    """A made-up /proc: `listens` is its table of ports, `processes` have a command and open sockets."""

    def __init__(self, folder):
        self.folder = folder
        self.write("net/tcp", TCP)
        self.write("net/tcp6", TCP6)
        self.write("net/fib_trie", TRIE.format("10.0.0.5"))

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def process(self, pid, command, *inodes, address=""):
        self.write(f"{pid}/cmdline", command.replace(" ", "\0") + "\0")
        (self.folder / f"{pid}/fd").mkdir(exist_ok=True)
        for number, inode in enumerate(inodes):
            (self.folder / f"{pid}/fd/{number}").symlink_to(f"socket:[{inode}]")
        if address:
            self.write(f"{pid}/net/tcp", TCP)
            self.write(f"{pid}/net/fib_trie", TRIE.format(address))


@pytest.fixture
def proc(tmp_path):
    return Proc(tmp_path)


def test_ports_are_listed_with_their_owners_as_far_as_those_may_be_seen(proc):
    proc.process(10, "vllm serve", 501)
    proc.process(11, "VLLM::APIServer_0", 501, 602)  # a socket that was inherited is its first owner's
    assert Machine(proc.folder).scan().listeners == (
        Listener("0.0.0.0", 80, None),
        Listener("172.17.0.2", 3000, None),
        Listener("127.0.0.1", 8080, 10),
        Listener("::", 8081, None),
        Listener("::1", 8082, 11),
    )


def test_ports_and_processes_have_their_user(proc):
    assert {each.user for each in Machine(proc.folder).scan().listeners} == {0}
    with socket.create_server(("127.0.0.1", 0)) as mine:
        found = Machine().scan()
        (listener,) = found.at(mine.getsockname()[1])
    assert (listener.pid, listener.user) == (os.getpid(), os.geteuid())
    assert found.process(os.getpid()).user == os.geteuid()


def test_what_is_listed_is_what_psutil_lists(tmp_path):
    with running(vllm_command(tmp_path)) as tree, socket.create_server(("127.0.0.1", 0)) as mine:
        found, listed = Machine().scan(), scan()
        for port in (tree.port, mine.getsockname()[1]):
            assert found.at(port) == listed.at(port)
            assert len(found.at(port)) == 1
    assert found.names == listed.names


def test_owners_that_are_known_are_not_looked_for_again(proc, monkeypatch):
    proc.process(10, "vllm serve", 501)
    looking = Machine(proc.folder)
    looking.scan()
    looked = []
    monkeypatch.setattr(machine.os, "listdir", lambda folder: looked.append(folder) or [])
    assert Listener("127.0.0.1", 8080, 10) in looking.scan().listeners
    assert looked == []


def test_a_port_that_another_process_has_now_is_that_processes(proc):
    proc.process(10, "vllm serve", 501)
    looking = Machine(proc.folder)
    looking.scan()
    (proc.folder / "10/fd/0").unlink()
    proc.process(20, "vllm serve", 501)
    assert Listener("127.0.0.1", 8080, 20) in looking.scan().listeners


def test_a_port_of_a_new_process_is_found_at_the_next_look(tmp_path):
    looking = Machine()
    looking.scan()
    with running(vllm_command(tmp_path)) as tree:
        assert looking.scan().at(tree.port) == (Listener("127.0.0.1", tree.port, tree.pid),)
    assert looking.scan().at(tree.port) == ()


def test_an_owner_that_could_not_be_seen_is_looked_for_again_some_looks_later(proc):
    looking = Machine(proc.folder)
    looking.scan()
    proc.process(10, "vllm serve", 501)
    assert Listener("127.0.0.1", 8080, None) in looking.scan().listeners
    for _ in range(5):
        looking.scan()
    assert Listener("127.0.0.1", 8080, 10) in looking.scan().listeners


def test_commands_are_compared_once_and_again_where_they_changed(proc):
    proc.process(10, "bash -c vllm")
    proc.process(11, "vllm serve")
    proc.process(12, "")
    asked = []

    def matches(argv):
        asked.append(argv)
        return argv[0] == "vllm"

    looking = Machine(proc.folder)
    assert list(looking.scan().sweep(matches)) == [11]
    assert asked == [("bash", "-c", "vllm"), ("vllm", "serve")]
    proc.process(10, "vllm serve")
    assert list(looking.scan().sweep(matches)) == [10, 11]
    assert len(asked) == 2  # the shell has become what is known already


def test_commands_are_read_again_of_what_is_new_or_matched_and_of_the_rest_at_times(proc):
    proc.process(10, "vllm serve")
    proc.process(11, "sleep 1")
    looking = Machine(proc.folder)

    def swept():
        return list(looking.scan().sweep(lambda argv: argv[0] == "vllm"))

    assert [swept() for _ in range(4)] == [[10]] * 4
    proc.process(10, "python trainer.py")
    proc.process(11, "vllm serve")  # long after it began: seen with the next reading of all
    proc.process(12, "vllm serve")
    assert swept() == [12]
    assert swept() == [11, 12]


def test_a_process_is_what_psutil_says_it_is(tmp_path):
    with running(vllm_command(tmp_path), title="VLLM::EngineCore") as tree:
        found = Machine().scan()
        for pid in (os.getpid(), os.getppid(), tree.pid, tree.worker, 1):
            assert found.process(pid) == read_process(pid)
    assert found.process(2**22) is None


def test_a_process_of_which_nothing_can_be_read_is_known_by_its_pid_alone(proc):
    proc.write("stat", "cpu 1 2 3\nbtime 1000\n")
    proc.process(10, "vllm serve")
    assert Machine(proc.folder).scan().process(10) == Process(10)
    proc.write("10/stat", "10 (name ) with (brackets)) S 1 " + "0 " * 17 + "250 0 0\n")
    found = Machine(proc.folder).scan().process(10)
    assert (found.parent, found.name, found.argv) == (1, "name ) with (brackets)", ("vllm", "serve"))
    assert found.started > 1000


def test_a_process_with_an_address_of_its_own_has_a_network_of_its_own(proc):
    proc.process(10, "vllm serve", address="172.17.0.2")
    proc.process(11, "vllm serve", address="10.0.0.5")
    found = Machine(proc.folder).scan()
    own = Network(("172.17.0.2",), (("127.0.0.1", 8080), ("0.0.0.0", 80), ("172.17.0.2", 3000)))
    assert (found.network(10), found.network(11), found.network(12)) == (own, None, None)
    assert own.reachable() == {80: "172.17.0.2", 3000: "172.17.0.2"}


def test_without_proc_psutil_does_it_all(tmp_path):
    with running(vllm_command(tmp_path)) as tree:
        assert Machine(tmp_path / "none").scan().at(tree.port) == (Listener("127.0.0.1", tree.port, tree.pid),)


def test_a_table_of_addresses_that_is_none_has_none():
    assert local_addresses("|-- 1.2.3.4\n/24 host LOCAL\n|-- 999.1.1.1") == ()
    assert local_addresses(TRIE.format("172.17.0.2")) == ("172.17.0.2",)

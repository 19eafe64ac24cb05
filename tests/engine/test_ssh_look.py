"""Who listens on another machine and which processes those are, as its shell tells."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.engine.processes import Listener, Process
from infertop.engine.ssh_look import Seen, own_system, parse, script

# A GPU machine with iproute2: vLLM in a shell, its engine core on the GPU, Jupyter of somebody else.
WITH_SS = """\
#system
3f2b1c7e-0000-4000-8000-5d0c3a9b1e2f
net:[4026531840]
#names
GpuBox
10.0.0.5 172.17.0.1 fd00::5
#tcp
0100007F:1F40 31337
00000000:0016 221
#ss
LISTEN 0      128          0.0.0.0:22        0.0.0.0:*
LISTEN 0      2048       127.0.0.1:8000      0.0.0.0:*    users:(("vllm",pid=4100,fd=13),("vllm",pid=4101,fd=13))
LISTEN 0      511             [::]:8888         [::]:*    users:(("jupyter-lab",pid=900,fd=6))
LISTEN 0      64     127.0.0.53%lo:53        0.0.0.0:*
LISTEN 0      128                *:9100            *:*    users:(("node_exporter",pid=77,fd=3))
LISTEN 0      128  [::ffff:10.0.0.5]:8081          *:*
LISTEN 0      128         nonsense:99999           *:*
#stat
4100 4000 123456 vllm
4000 1 120000 bash
4200 4100 123999 VLLM::EngineCor
1 0 3 systemd
900 1 5000 a (strange) name
x 1 2 bad
#cmd
==> /dev/null <==

==> /proc/4100/cmdline <==
/usr/bin/python\x1f/opt/vllm/bin/vllm\x1fserve\x1fQwen/Qwen3-8B\x1f--port\x1f8000\x1f
==> /proc/4000/cmdline <==
bash\x1f-c\x1fvllm serve Qwen/Qwen3-8B\nsecond line\x1f
==> /proc/4200/cmdline <==
VLLM::EngineCore\x1f\x1f\x1f
#names
"""

# A container without ss: addresses and ports in hexadecimal, owners by the links of their files.
WITHOUT_SS = """\
#names
pod-7
#tcp
0100007F:1F90 5501
00000000000000000000000000000000:1F91 5502
0000000000000000FFFF00000100007F:1F92 5503
B80D0120000000000000000001000000:1F93 5504
zz:1F94 1
0100007F:0000 2
#fd
pid=12, socket:[5501]
pid=13, socket:[5501]
pid=14, socket:[5503]
#stat
12 1 900 llama-server
#cmd
==> /proc/12/cmdline <==
llama-server\x1f-m\x1fx.gguf"""


def seen(text: str) -> Seen:
    found = parse(text.split("\n"), "gpubox")
    assert found is not None
    return found


def test_listeners_have_their_owners_and_processes_their_ancestors() -> None:
    found = seen(WITH_SS)
    assert found.scan.listeners == (
        Listener("0.0.0.0", 22, None),
        Listener("127.0.0.53", 53, None),
        Listener("127.0.0.1", 8000, 4100),
        Listener("127.0.0.1", 8000, 4101),
        Listener("10.0.0.5", 8081, None),
        Listener("::", 8888, 900),
        Listener("0.0.0.0", 9100, 77),
    )
    argv = ("/usr/bin/python", "/opt/vllm/bin/vllm", "serve", "Qwen/Qwen3-8B", "--port", "8000")
    assert found.scan.chain(4200) == (
        Process(4200, 4100, 1239.99, "VLLM::EngineCor", ("VLLM::EngineCore", " #names")),
        Process(4100, 4000, 1234.56, "vllm", argv),
        Process(4000, 1, 1200.0, "bash", ("bash", "-c", "vllm serve Qwen/Qwen3-8B second line")),
        Process(1, None, 0.03, "systemd", ()),
    )
    assert found.scan.process(900) == Process(900, 1, 50.0, "a (strange) name", ())
    assert found.scan.process(901) is None
    assert found.system == "3f2b1c7e-0000-4000-8000-5d0c3a9b1e2f net:[4026531840]"


def test_a_machine_is_known_by_its_names_and_addresses() -> None:
    scan = seen(WITH_SS).scan
    for host in ("gpubox", "GPUBOX", "10.0.0.5", "[fd00::5]", "127.0.0.1"):
        assert scan.port_here(f"http://{host}:8000/v1") == 8000
    assert scan.port_here("http://10.0.0.6:8000") is None


def test_without_ss_the_kernels_tables_tell_the_same() -> None:
    scan = seen(WITHOUT_SS).scan
    assert scan.listeners == (
        Listener("127.0.0.1", 8080, 12),
        Listener("::", 8081, None),
        Listener("127.0.0.1", 8082, 14),
        Listener("2001:db8::1", 8083, None),
    )
    assert scan.process(12) == Process(12, 1, 9.0, "llama-server", ("llama-server", "-m", "x.gguf"))


def test_nothing_new_is_nothing_to_read() -> None:
    assert parse(["#same"], "gpubox") is None


def test_where_nothing_can_be_listed_ports_are_unknown_and_not_none() -> None:
    scan = seen("#names\nmac\n#tcp\n\n#fd\n\n#stat\n\n#cmd\n==> /dev/null <==").scan
    assert scan.listeners is None
    assert scan.process(1) is None


@given(st.lists(st.sampled_from(WITH_SS.split("\n") + WITHOUT_SS.split("\n")) | st.text(max_size=60), max_size=60))
def test_whatever_the_other_side_says_is_read_without_harm(lines: list[str]) -> None:
    found = parse(lines, "gpubox")
    assert found is None or all(0 < each.port < 65536 for each in found.scan.listeners or ())


SHELLS = [
    shell for shell in ("sh", "dash", "bash", "busybox") if subprocess.run(["which", shell], capture_output=True).stdout
]


def run(shell: str, *scripts: str) -> Iterable[list[str]]:
    words = [shell, "sh"] if shell == "busybox" else [shell]
    text = "".join(f"{{\n{each}\n}} </dev/null 2>/dev/null\necho =====\n" for each in scripts)
    said = subprocess.run(words, input=text, capture_output=True, text=True, timeout=60)
    assert said.stderr == ""
    return [part.strip("\n").split("\n") for part in said.stdout.split("=====\n")[:-1]]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_tells_of_this_machine(shell: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        (first,) = run(shell, script([os.getpid()], 1))
    found = parse(first, "here")
    assert found is not None
    assert Listener("127.0.0.1", port, os.getpid()) in (found.scan.listeners or ())
    own = found.scan.process(os.getpid())
    assert own is not None
    assert own.parent == os.getppid()
    assert own.argv == tuple(word for word in Path("/proc/self/cmdline").read_text().split("\0") if word)
    assert found.system == own_system() != ""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_says_in_a_word_that_nothing_changed_and_now_and_then_all_again(shell: str) -> None:
    for _ in range(10):  # elsewhere on this machine a port may come or go between two looks
        first, second, third = (parse(each, "here") for each in run(shell, *[script([1], 1)] * 3))
        if first is not None and second is None and third is not None:
            return
    pytest.fail("two looks in a row were never alike")


def test_processes_on_gpus_are_wanted_even_where_they_do_not_listen() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        (first,) = run("sh", script([child.pid], 1))
        child.kill()
    found = parse(first, "here")
    assert found is not None
    assert [each.argv[:1] for each in found.scan.chain(child.pid)][:1] == [("sleep",)]
    assert found.scan.chain(child.pid)[1].pid == os.getpid()

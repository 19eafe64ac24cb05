"""A real sshd and the real ssh: a llama.cpp server is found over there and counted as if it were read here."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import fake_smi
from tests.acceptance.program import Program, stop
from tests.acceptance.replayed import wait_for
from tests.fake_ssh import FakeSsh
from tests.real.servers import free_port, llamacpp
from tests.real.test_llamacpp import load
from tests.real.watched import wait_until_read

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
pytestmark = pytest.mark.skipif(
    not (SSHD and shutil.which("ssh") and shutil.which("ssh-keygen")),
    reason="no sshd on this machine: apt-get install openssh-server openssh-client",
)
DAEMON = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/id.pub
PidFile {folder}/pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
SetEnv PATH={there}:/usr/bin:/bin
"""
CLIENT = """\
Host gpubox
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/id
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
Host stranger
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/other
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
Host unknown
  HostName 127.0.0.1
  Port {port}
  UserKnownHostsFile /dev/null
"""


class Box:
    """A machine to log in to: this one, by an sshd of its own. `here` goes before PATH, `there` is before its PATH."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.here, self.there = folder / "here", folder / "there"
        for each in (self.here, self.there):
            each.mkdir()
        for name in ("host", "id", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        words = {"folder": folder, "port": port, "there": self.there, "user": getpass.getuser()}
        (folder / "sshd_config").write_text(DAEMON.format(**words))
        (folder / "config").write_text(CLIENT.format(**words))
        key = " ".join((folder / "host.pub").read_text().split()[:2])
        (folder / "known").write_text(f"[127.0.0.1]:{port} {key}\n")
        # ssh looks for its configuration in the home of the password file, whatever HOME says.
        (self.here / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/config "$@"\n')
        (self.here / "ssh").chmod(0o755)

    def put(self, name: str, script: str) -> None:
        """Put a program before those of that machine's PATH."""
        (self.there / name).write_text(script)
        (self.there / name).chmod(0o755)

    def sessions(self) -> list[str]:
        """Return the ssh processes of infertop and the shells over there that run now."""
        listed = subprocess.run(["ps", "-eo", "stat=,args="], capture_output=True, text=True, check=True).stdout
        ours = (f"-F {self.folder}/config", f"{self.there}/nvidia-smi")
        return [line for line in listed.splitlines() if line[0] not in "ZX" and any(each in line for each in ours)]


@pytest.fixture
def box() -> Iterator[Box]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = Box(Path(folder), free_port())
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        words = [str(SSHD), "-D", "-e", "-f", f"{folder}/sshd_config"]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as daemon:
            try:
                assert daemon.stderr is not None
                assert "listening" in (said := daemon.stderr.readline()), said
                yield made
            finally:
                daemon.terminate()


@pytest.fixture
def infertop(box: Box, tmp_path: Path) -> Program:
    more = {"PATH": f"{box.here}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": ""}
    return Program(tmp_path, more=more, read=("--no-discovery", "--interval", "0.2", "--source", "ssh=ssh://gpubox"))


def test_tokens_over_ssh_are_those_of_the_answers_through_a_lost_connection(infertop: Program, box: Box) -> None:
    with llamacpp() as server:
        port = server.url.rsplit(":", 1)[1]
        name = f"llamacpp@gpubox:{port}"
        # Of all that listens on this machine only this.
        owner = f'users:(("python",pid={server.pid},fd=3))'
        box.put("ss", f"#!/bin/sh\necho 'LISTEN 0 5 127.0.0.1:{port} 0.0.0.0:* {owner}'")
        process = infertop.record()
        wait_until_read(infertop, name, process)
        told = load(server, 6)
        wait_until_read(infertop, name, process)
        # The connection breaks without a word, as when a machine in between goes away.
        (master,) = [line.split()[0] for line in _ssh(box) if "ControlMaster=yes" in line]
        os.kill(int(master), signal.SIGKILL)
        told += load(server, 6)
        wait_until_read(infertop, name, process)
        status, _, said = stop(process, signal.SIGTERM)
        wait_for(lambda: box.sessions() == [])
    assert status == 0, said
    (row,) = [row for row in infertop.report("--by", "source,model") if row["source"] == name]
    assert row["tokens"] == dict(told)


def test_gpus_are_rows_of_that_machine_and_a_killed_program_leaves_no_ssh(infertop: Program, box: Box) -> None:
    box.put("nvidia-smi", fake_smi.script(box.there))
    box.put("ss", "#!/bin/sh\necho 'LISTEN 0 5 127.0.0.1:1 0.0.0.0:*'")
    reading = json.loads(infertop.run("--once", "--json", *infertop.read).stdout)
    assert [row["index"] for row in reading["gpus"]] == ["gpubox:0", "gpubox:1"]
    process = infertop.start("record", *infertop.read, start_new_session=True)
    wait_for(lambda: len(box.sessions()) >= 5)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    wait_for(lambda: box.sessions() == [])


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("stranger", "stranger refuses your key (publickey)"),
        ("unknown", "the host key of unknown is not known here yet"),
    ],
)
def test_logins_that_fail_say_what_to_do(infertop: Program, host: str, told: str) -> None:
    check = infertop.run("check", "--no-discovery", "--source", f"ssh=ssh://{host}")
    assert f"ssh@{host}:22  auth  {told}" in check.stdout
    assert check.returncode == 1


def test_the_stand_in_for_ssh_takes_what_ssh_takes(box: Box, tmp_path: Path) -> None:
    """What infertop says to ssh is understood by both."""
    from infertop.engine.ssh_target import Target

    control = box.folder / "c"
    for words in (Target("gpubox").connect(control), FakeSsh(tmp_path).environment and Target("h").session(control)):
        parsed = subprocess.run([box.here / "ssh", "-G", *words[1:]], capture_output=True, text=True, check=False)
        assert parsed.returncode == 0, parsed.stderr


def _ssh(box: Box) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f"-F {box.folder}/config" in line]

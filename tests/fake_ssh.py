"""A stand-in for ssh, so that what infertop does with it can be tested where there is neither ssh nor another machine.

It runs the remote command here, with what the test put on that machine's PATH, and shares a connection as ssh does: a
master that listens at its control path, sessions and forwards over it that end with it, ports that really lead on.

    over = FakeSsh(tmp_path)             # over.path goes before PATH, over.environment into the environment
    over.put("nvidia-smi", script)       # a program on the other machine
    over.refuse("… Permission denied (publickey).")
    over.calls                           # the arguments of every ssh that was started
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

_FOLDER = "FAKE_SSH"


class FakeSsh:
    """The stand-in, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "fake-ssh"
        self.path = self.folder / "here"
        self.there = self.folder / "there"
        for each in (self.path, self.there):
            each.mkdir(parents=True)
        _program(self.path / "ssh", f"#!{sys.executable} -ES\n{Path(__file__).read_text()}")

    @property
    def environment(self) -> dict[str, str]:
        """What infertop is to be started with."""
        return {_FOLDER: str(self.folder), "PATH": f"{self.path}:{os.environ['PATH']}"}

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each ssh so far."""
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def put(self, name: str, script: str) -> None:
        """Put a program on the other machine's PATH, which has only this, and what every system has."""
        _program(self.there / name, script)

    def refuse(self, said: str) -> None:
        """Let every new connection fail with this on stderr; with nothing, let it be made again."""
        (self.folder / "refuse").write_text(said)

    def greet(self, said: str) -> None:
        """Let a login print this before anything else."""
        (self.folder / "greeting").write_text(said)

    def prohibit(self) -> None:
        """Let the other side forward no ports from now on."""
        (self.folder / "prohibited").touch()

    def masters(self) -> list[int]:
        """Return the processes that hold a connection now."""
        return [int(file.name.removeprefix("master-")) for file in self.folder.glob("master-*")]

    def running(self) -> list[int]:
        """Return every ssh, and everything that one of them started over there, that runs now."""
        return [pid for pid in map(int, _text(f"{self.folder}/started").split()) if _runs(pid)]


def _runs(pid: int) -> bool:
    stat = _text(f"/proc/{pid}/stat")
    return bool(stat) and stat.rpartition(") ")[2][0] not in "ZX"


def _program(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


class Arguments:
    """What ssh was asked for."""

    def __init__(self, words: list[str]) -> None:
        self.options: dict[str, str] = {}
        self.given: dict[str, str] = {}
        words = list(words)
        while words and words[0].startswith("-"):
            word = words.pop(0)
            if word == "--":
                break
            if word == "-T":
                continue
            value = words.pop(0)
            if word == "-o":
                name, _, value = value.partition("=")
                self.options.setdefault(name, value)
            else:
                self.given[word] = value
        self.host, self.command = words[0], " ".join(words[1:])

    @property
    def control(self) -> str:
        return self.given.get("-S", self.options.get("ControlPath", ""))


def main(words: list[str]) -> int:
    folder = os.environ[_FOLDER]
    with open(f"{folder}/calls", "a", encoding="utf-8") as calls:
        calls.write(json.dumps(words) + "\n")
    started(folder, os.getpid())
    asked = Arguments(words)
    if asked.options.get("BatchMode") != "yes":
        sys.exit("the stand-in for ssh would have asked")
    if asked.options.get("ControlMaster") == "yes":
        return master(asked, folder)
    over = socket.socket(socket.AF_UNIX)
    try:
        over.connect(asked.control)
    except OSError:
        print("Connection closed by UNKNOWN port 65535", file=sys.stderr)
        return 255
    if "-O" in asked.given:
        over.sendall(json.dumps([asked.given["-O"], asked.given.get("-L", "")]).encode() + b"\n")
        said = over.makefile().readline().strip()
        if said:
            print(said, file=sys.stderr)
        return 255 if said else 0
    over.sendall(b'["session", ""]\n')
    return remote(asked.command, folder, over)


def started(folder: str, pid: int) -> None:
    with open(f"{folder}/started", "a", encoding="utf-8") as file:
        file.write(f"{pid}\n")


def master(asked: Arguments, folder: str) -> int:
    said = _text(f"{folder}/refuse")
    if said:
        print(said, file=sys.stderr)
        return 255
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(asked.control)
    listener.listen()
    mark = f"{folder}/master-{os.getpid()}"
    open(mark, "w").close()
    print(_text(f"{folder}/greeting"), end="", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(255))
    shared = Shared(listener)
    threading.Thread(target=shared.serve, daemon=True).start()
    try:
        return remote(asked.command, folder, None)
    finally:
        os.unlink(mark)
        os.unlink(asked.control)


def _text(file: str) -> str:
    try:
        with open(file, encoding="utf-8") as opened:
            return opened.read()
    except OSError:
        return ""


def remote(command: str, folder: str, over: socket.socket | None) -> int:
    """Run a command as the other machine would; it ends when the connection does."""
    environment = {"PATH": f"{folder}/there:/usr/bin:/bin", "HOME": f"{folder}/there"}
    process = subprocess.Popen(["/bin/sh", "-c", command], env=environment)
    started(folder, process.pid)
    if over is not None:

        def watch() -> None:
            over.recv(1)
            process.kill()

        threading.Thread(target=watch, daemon=True).start()
    return process.wait()


class Shared:
    """What goes over a master's connection."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.forwards: dict[str, socket.socket] = {}
        self.kept: list[socket.socket] = []

    def serve(self) -> None:
        while True:
            over, _ = self.listener.accept()
            what, way = json.loads(over.makefile().readline())
            if what == "session":
                self.kept.append(over)
                continue
            try:
                (self.forward if what == "forward" else self.cancel)(way)
                over.sendall(b"\n")
            except OSError as problem:
                over.sendall(f"mux_client_forward: forwarding request failed: {problem}\n".encode())
            over.close()

    def forward(self, way: str) -> None:
        host, port, there = way.split(":", 2)
        listener = socket.create_server((host, int(port)))
        self.forwards[way] = listener
        threading.Thread(target=self.lead, args=(listener, there), daemon=True).start()

    def cancel(self, way: str) -> None:
        listener = self.forwards.pop(way)
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()

    def lead(self, listener: socket.socket, there: str) -> None:
        host, _, port = there.rpartition(":")
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            if os.path.exists(f"{os.environ[_FOLDER]}/prohibited"):
                print("channel 2: open failed: administratively prohibited: open failed", file=sys.stderr, flush=True)
                near.close()
                continue
            try:
                far = socket.create_connection((host.strip("[]"), int(port)))
            except OSError:
                print("channel 2: open failed: connect failed: Connection refused", file=sys.stderr, flush=True)
                near.close()
                continue
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=pipe, args=(one, other), daemon=True).start()


def pipe(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

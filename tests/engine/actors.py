"""Real process trees that look and answer like engines do: commands, titles, ports, workers.

An actor is a Python process that takes the command line that it is told, as a title written over its arguments and its
environment in memory (what setproctitle does), serves pages, and starts the actors below it. To a look at /proc it is
the engine: a binary's command, a renamed worker without an environment, a shell around a server.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engine.trees import free_port

_SECONDS = 30.0

_ACTOR = """\
import ctypes, http.server, json, os, subprocess, sys, threading
part = json.loads(os.environ["ACTOR"])

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        pages = part["ports"][str(self.server.server_address[1])]
        path = pages.get(self.path.split("?")[0])
        self.send_response(200 if path else 404)
        self.send_header("Server", part["header"])
        self.end_headers()
        if path:
            self.wfile.write(open(path, "rb").read())
    def version_string(self):
        return part["header"] or "actor"
    def log_message(self, *arguments):
        pass

for port in part["ports"]:
    server = http.server.ThreadingHTTPServer((part["host"], int(port)), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
for below in part["below"]:
    command = [sys.executable, "-S", "-c", part["code"]]
    if below["real"]:
        command = below["argv"]
    subprocess.Popen(command, env={**os.environ, "ACTOR": json.dumps({**below, "code": part["code"]})})
if not part["real"]:
    fields = open("/proc/self/stat").read().rsplit(")", 1)[1].split()
    begin, end = int(fields[45]), int(fields[48])
    words = b"\\0".join(word.encode() for word in part["argv"])
    ctypes.memset(begin, 0, end - begin)
    ctypes.memmove(begin, words, len(words))
    ctypes.CDLL(None).prctl(15, part["argv"][0].rsplit("/", 1)[-1].encode()[:15], 0, 0, 0)
os.write(1, (json.dumps([part["name"], os.getpid()]) + "\\n").encode())
if part["leaves"]:
    os._exit(0)
threading.Event().wait(120)
"""


@dataclass
class Actor:
    """A process: its command, the pages on its ports ({port: {path: file}}) and those that it starts.

    `real` ones are started by this very command, whose program must be an actor in the end; the others take it as a
    title. One that `leaves` ends when all below it have started: they are orphans then.
    """

    name: str
    argv: Sequence[str]
    ports: Mapping[int, Mapping[str, Path]] = field(default_factory=dict)
    below: Sequence[Actor] = ()
    real: bool = False
    leaves: bool = False
    header: str = ""
    host: str = "127.0.0.1"

    def as_json(self) -> dict[str, Any]:
        ports = {str(port): {path: str(file) for path, file in pages.items()} for port, pages in self.ports.items()}
        below = [each.as_json() for each in self.below]
        own = {"name": self.name, "argv": list(self.argv), "ports": ports, "below": below, "header": self.header}
        return own | {"real": self.real, "leaves": self.leaves, "host": self.host}

    def names(self) -> list[str]:
        return [self.name, *(name for each in self.below for name in each.names())]


def script(path: Path) -> Path:
    """Write a program that is an actor, so that a real command line can start it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{_ACTOR}")
    path.chmod(0o755)
    return path


@contextlib.contextmanager
def playing(*actors: Actor, environment: Mapping[str, str] | None = None) -> Iterator[dict[str, int]]:
    """Let the trees run while the block does; give the pid of each actor by its name."""
    started: list[subprocess.Popen[bytes]] = []
    pids: dict[str, int] = {}
    inner, outer = os.pipe()
    try:
        for each in actors:
            command = list(each.argv) if each.real else [sys.executable, "-S", "-c", _ACTOR]
            told = json.dumps({**each.as_json(), "code": _ACTOR})
            settings = {**os.environ, **(environment or {}), "ACTOR": told}
            started.append(subprocess.Popen(command, env=settings, stdout=outer, start_new_session=True))
        os.close(outer)
        wanted = {name for each in actors for name in each.names()}
        _read_until(inner, wanted, pids)
        yield pids
    finally:
        os.close(inner)
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _read_until(pipe: int, wanted: set[str], pids: dict[str, int]) -> None:
    end, rest = time.monotonic() + _SECONDS, b""
    while not wanted <= pids.keys():
        ready, _, _ = select.select([pipe], [], [], max(0.0, end - time.monotonic()))
        piece = os.read(pipe, 65536) if ready else b""
        if not piece:
            raise AssertionError(f"these did not start: {sorted(wanted - pids.keys())}")
        *lines, rest = (rest + piece).split(b"\n")
        pids.update(json.loads(line) for line in lines)


def free_ports(count: int) -> list[int]:
    """Return so many different ports that nobody listens on."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)

"""Real process trees for tests: a server that answers on a port and starts a worker under another title."""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

# What setproctitle does: the title over the arguments in memory, blanks behind it.
WORKER = """
import ctypes, sys, time
def title(text):
    fields = open("/proc/self/stat").read().rsplit(")", 1)[1].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, text, min(len(text), end - start - 1))
if len(sys.argv) > 1:
    title(sys.argv[1].encode())
print("ready", flush=True)
time.sleep(120)
"""

SERVER = """
import http.server, os, subprocess, sys
words = sys.argv
port, page = int(words[words.index("--port") + 1]), os.environ.get("PAGE", "").encode()
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path == "/metrics"
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(page if known else b"")
    def log_message(self, *arguments):
        print("asked", self.path, flush=True)
worker = None
if os.environ.get("WORKER"):
    command = [sys.executable, "-c", os.environ["WORKER"], os.environ["TITLE"]]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    worker.stdout.readline()
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer)
print("listening", worker.pid if worker else 0, flush=True)
server.serve_forever()
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Tree:
    """A server process, its port, and the pid of its worker (0 without one)."""

    def __init__(self, process, port):
        self.process, self.port = process, port
        self.pid = process.pid
        said = process.stdout.readline().split()
        assert said[:1] == ["listening"], said
        self.worker = int(said[1])

    def asked(self):
        """Stop the server and return the paths that it was asked for."""
        self.process.terminate()
        return [line.split()[1] for line in self.process.stdout.read().splitlines() if line.startswith("asked")]


@contextlib.contextmanager
def running(command, page="", title=""):
    """Run `command` (its argument `{port}` is filled in) as the server; with a `title` it has a worker."""
    port = free_port()
    environ = {"PAGE": page, "TITLE": title, "WORKER": WORKER if title else "", "PATH": "/usr/bin:/bin"}
    argv = [word.replace("{port}", str(port)) for word in command]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environ, start_new_session=True)
    tree = None
    try:
        tree = Tree(process, port)
        yield tree
    finally:
        if tree is not None and tree.worker:
            with contextlib.suppress(ProcessLookupError):
                import os

                os.kill(tree.worker, 9)
        process.kill()
        process.wait()
        process.stdout.close()


def vllm_command(folder: Path, model="acme/tiny"):
    """Return the command of a `vllm serve` whose server is the one above."""
    script = folder / "vllm"
    script.write_text(SERVER)
    return [sys.executable, str(script), "serve", model, "--port", "{port}"]

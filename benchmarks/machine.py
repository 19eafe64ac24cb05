"""A machine that does not exist: four vLLM servers that say what a real one said, and eight GPUs that change.

python benchmarks/machine.py AHEAD      prints its port and serves a page a second, the first AHEAD seconds on
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.recordings import pages

RECORDING = "vllm/0.32.0.jsonl.gz"
FIRST, LAST = 20, 158  # the pages on which the server is busy and no series comes or goes
OFFSETS = (0, 7, 14, 21)  # how many seconds each engine is ahead
GPUS = 8
_GROWS = re.compile(r"_(?:total|count|sum|bucket)(?:\{|$)")
_GPU = """\
gpu.{n}.name=NVIDIA H100 80GB HBM3
gpu.{n}.uuid=GPU-0000000{n}-2222-3333-4444-555555555555
gpu.{n}.util={busy}
gpu.{n}.memutil={memory}
gpu.{n}.mem_total=85899345920
gpu.{n}.mem_used={used}
gpu.{n}.mem_reserved=600000000
gpu.{n}.power_mw={power}
gpu.{n}.limit_mw=700000
gpu.{n}.energy_mj={energy}
gpu.{n}.temp={temperature}
gpu.{n}.sm_clock={clock}
gpu.{n}.mem_clock=2619
gpu.{n}.reasons={reasons}
gpu.{n}.mig=0
gpu.{n}.procs={pid}:70000
gpu.{n}.gprocs=
gpu.{n}.mpsprocs=
gpu.{n}.putil={pid}:{busy}
"""


@contextmanager
def engines() -> Iterator[tuple[list[str], list[int]]]:
    """Start the servers; give their URLs and process ids."""
    command = [sys.executable, str(Path(__file__))]
    running = [subprocess.Popen([*command, str(ahead)], stdout=subprocess.PIPE, text=True) for ahead in OFFSETS]
    try:
        ports = [int(each.stdout.readline()) for each in running if each.stdout]
        yield [f"http://127.0.0.1:{port}" for port in ports], [each.pid for each in running]
    finally:
        for each in running:
            each.terminate()
            each.wait()


def gpus(second: int, pids: Sequence[int]) -> str:
    """Return the GPUs' figures at a second, as the stand-in for NVML reads them; two GPUs for each process."""
    return f"driver=570.133.20\ncount={GPUS}\n" + "".join(
        _gpu(n, second, pids[n * len(pids) // GPUS]) for n in range(GPUS)
    )


def _gpu(n: int, second: int, pid: int) -> str:
    wave = 0.5 + 0.5 * math.sin(second / 7 + n)
    noise = (second * 7919 + n * 104729) % 101 / 100
    return _GPU.format(
        n=n,
        pid=pid,
        busy=int(40 + 50 * wave + 9 * noise),
        memory=int(20 + 30 * wave),
        used=76_000_000_000 + int(2e9 * wave),
        power=int(300_000 + 300_000 * wave + 40_000 * noise),
        energy=123_456_789_012 + second * 450_000,
        temperature=int(50 + 15 * wave),
        clock=int(1500 + 400 * wave),
        reasons=4 if noise > 0.5 else 0,
    )


class Recorded:
    """A recorded run that goes on for ever: its counters begin each round where the last one left them."""

    def __init__(self) -> None:
        texts = [text for _, status, text in pages(RECORDING) if status == 200][FIRST : LAST + 1]
        self._comments = [line for line in texts[0].splitlines() if line.startswith("#")]
        rows = [[line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")] for text in texts]
        self._series = [name for name, _, _ in rows[0]]
        self._values = [[float(value) for _, _, value in row] for row in rows]
        self._growth = [
            last - first if _GROWS.search(name) else 0.0
            for name, first, last in zip(self._series, self._values[0], self._values[-1], strict=True)
        ]

    def page(self, second: int) -> bytes:
        """Return what the server says at a second."""
        rounds, at = divmod(second, len(self._values))
        readings = zip(self._series, self._values[at], self._growth, strict=True)
        lines = [f"{name} {value + rounds * growth}" for name, value, growth in readings]
        return "\n".join([*self._comments, *lines, ""]).encode()


def serve(ahead: int) -> None:
    """Serve a page a second until killed."""
    recorded, began = Recorded(), time.monotonic() - ahead

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = self.path == "/metrics"
            body = recorded.page(int(time.monotonic() - began)) if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))

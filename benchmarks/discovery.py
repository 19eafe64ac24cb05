"""What looking for engines costs on a machine with many processes, beside psutil's own list of ports.

    python benchmarks/discovery.py [PROCESSES]

Starts sleeping processes up to that many (2,000), each with a few files open and every twentieth with a port, and one
process with an engine's command; process CPU time of a look: the first, one where nothing changed, one with a new port.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import psutil

from benchmarks.figures import figure, heading, median
from collectors import KINDS
from infertop.engine.candidates import candidates
from infertop.engine.machine import Machine
from infertop.engine.pattern import Patterns

ROUNDS = 9
SLEEPERS = """
import os, signal, socket, sys
keep = []
for number in range(int(sys.argv[1])):
    if os.fork() == 0:
        keep += [open("/dev/null") for _ in range(10)]
        if number % 20 == 0:
            keep.append(socket.create_server(("127.0.0.1", 0)))
        signal.pause()
print("ready", flush=True)
signal.pause()
"""


@contextmanager
def sleepers(count: int) -> Iterator[None]:
    """Let so many processes sleep while the block runs."""
    command = [sys.executable, "-S", "-c", SLEEPERS, str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def cpu_ms(work: Callable[[], object]) -> float:
    """Return the CPU time that some work took."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def main() -> int:
    """Start the processes, look, and print the figures."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    patterns = Patterns(kind.server for kind in KINDS.values() if kind.server)
    with sleepers(max(1, wanted - len(psutil.pids()))):
        heading(f"looking for engines among {len(psutil.pids())} processes")
        machine = Machine()

        def look() -> object:
            return candidates(machine.scan(), patterns, {}, os.getpid())

        first = cpu_ms(look)
        same = median([cpu_ms(look) for _ in range(ROUNDS)])
        changed = []
        for _ in range(ROUNDS):
            with socket.create_server(("127.0.0.1", 0)):
                changed.append(cpu_ms(look))
        listed = median([cpu_ms(lambda: psutil.net_connections(kind="tcp")) for _ in range(3)])
    figure("the first look", first, "ms")
    figure("a look where nothing changed", same, "ms", most=40)
    figure("a look with a new port", median(changed), "ms")
    figure("psutil's list of ports", listed, "ms")
    figure("nothing changed / psutil's list", same / listed, "x", most=0.5)
    figure("share of a core, a look every 10 s", same / 10_000 * 100, "%", most=0.5)
    return 0


if __name__ == "__main__":
    sys.exit(main())

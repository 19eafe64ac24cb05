"""What the screen costs with a fleet: CPU, memory, bytes to the terminal and keys, with 200 vLLM servers at 1 s.

    python benchmarks/fleet_screen.py [--targets 200] [--settle 30] [--seconds 60]

Everything runs that `infertop` runs, at 160x45; the servers are those of fleet.py. `--settle 900` fills its memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.figures import figure, heading, quantile
from benchmarks.fleet import pages, record_command, shares
from benchmarks.screen import INFERTOP, VIEWS, environ
from benchmarks.terminal import Program

KEYS = (*VIEWS, b"2", b"1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the screen and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--settle", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    told = parser.parse_args(arguments)
    heading(f"the screen with {told.targets} engines at 1 Hz, {told.seconds:g} s after {told.settle:g} s")
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        servers = [stack.enter_context(pages(count)) for count in shares(told.targets)]
        command = record_command(home, [port for ports, _ in servers for port in ports], 1.0)
        options = command[len(INFERTOP) + 1 :]
        program = stack.enter_context(Program([*INFERTOP, *options], environ(home), home))
        paint = program.first_paint()
        program.read(told.settle)
        steady = program.steady(told.seconds)
        delays = program.answers(60, KEYS)
    figure("first paint", paint.seconds, "s")
    figure("CPU", steady.cpu * 100, "%")
    figure("memory", steady.rss / 1e6, "MB")
    figure("to the terminal", steady.bytes_per_second / 1000, "KB/s", 8.0)
    figure(f"key to paint, p50 of {len(delays)}", quantile(delays, 0.5), "ms")
    met = figure("key to paint, p95", quantile(delays, 0.95), "ms", 100.0)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

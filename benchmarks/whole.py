"""What the whole program costs at 1 Hz with four vLLM engines and eight GPUs: CPU, memory, bytes, keys.

    python benchmarks/whole.py [--settle 15] [--seconds 60] [--no-discovery]

The engines are local servers that repeat a real server's pages, second by second, as it worked under load; the GPUs are
a stand-in for NVML whose figures change every second. Everything runs: polling, placement, discovery, ledger, database
and the screen at 160x45. An empty Textual app is watched before it. Other engines that run on this machine are found
and read too, which the number of sources shows (6 without them); --no-discovery leaves them out. Needs a C compiler,
for the stand-in.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import figure, heading, quantile
from benchmarks.machine import engines, gpus
from benchmarks.screen import COMMANDS, EMPTY, INFERTOP, VIEWS, environ
from benchmarks.terminal import Program, Steady
from tests.nvml.standin import NoCompilerError, build

PRICING = """\
[[budget]]
name = "everything"
limit_usd = 500
period = "day"
[[budget]]
name = "this month"
limit_usd = 9000
period = "month"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it all and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it is watched (60)")
    parser.add_argument("--settle", type=float, default=15.0, help="and runs before (15; 900 fills its memory)")
    parser.add_argument("--no-discovery", action="store_true", help="leave out other engines of this machine")
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        heading(f"the whole program, 4 engines, 8 GPUs, 1 Hz, {told.seconds:g} s after {told.settle:g} s")
        with Program(COMMANDS[EMPTY], environ(home), home) as program:
            program.first_paint()
            program.read(2.0)
            peer = program.steady(10.0)
        try:
            whole(home, told, peer)
        except NoCompilerError as error:
            print(error)
    return 0


def whole(home: Path, told: argparse.Namespace, peer: Steady) -> None:
    """Print what infertop costs on the made-up machine."""
    library = build(home / "nvml")
    (home / "pricing.toml").write_text(PRICING)
    with engines() as (urls, pids), changing(home / "gpus.txt", pids):
        nvml = {"LD_LIBRARY_PATH": str(library.parent), "FAKE_NVML": str(home / "gpus.txt")}
        sources = [word for url in urls for word in ("--source", f"vllm={url}")]
        options = ["--pricing", str(home / "pricing.toml"), "--db", str(home / "infertop.db")]
        command = [*INFERTOP, *options, *(["--no-discovery"] if told.no_discovery else []), *sources]
        with Program(command, environ(home) | nvml, home) as program:
            program.first_paint()
            program.read(told.settle)
            steady = program.steady(told.seconds)
            delays = program.answers(60, VIEWS)
    heading("afterwards")
    with closing(sqlite3.connect(home / "infertop.db")) as history:
        figure("sources read", history.execute("SELECT count(*) FROM sources").fetchone()[0], "", 6)
    figure("whole program: CPU", steady.cpu * 100, "%", 3.0)
    figure("whole program: memory", steady.rss / 1e6, "MB", 90.0)
    figure("whole program: memory / empty app's", steady.rss / peer.rss, "x")
    figure("whole program: to the terminal", steady.bytes_per_second / 1000, "KB/s", 8.0)
    figure(f"whole program: key to paint, p50 of {len(delays)}", quantile(delays, 0.5), "ms")
    figure("whole program: key to paint, p95", quantile(delays, 0.95), "ms", 60.0)


@contextmanager
def changing(file: Path, pids: Sequence[int]) -> Iterator[None]:
    """Write the GPUs' figures anew every second."""
    stop = threading.Event()

    def write() -> None:
        second = 0
        while not stop.wait(1.0 if second else 0.0):
            # Replaced, not rewritten: whoever reads it meanwhile sees one second or the other.
            file.with_suffix(".new").write_text(gpus(second, pids))
            file.with_suffix(".new").replace(file)
            second += 1

    file.write_text(gpus(0, pids))
    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())

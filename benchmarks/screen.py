"""What the screen costs beside an empty Textual app: first paint, CPU, memory, bytes, keys.

    python benchmarks/screen.py [--rounds 7] [--seconds 15]

An empty app, infertop with nothing configured and the demo are started in turn, round after round, so that all see the
same load; medians are compared. Each has a home of its own without history.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import figure, heading, median, quantile
from benchmarks.terminal import Paint, Program

EMPTY = "empty Textual app"
# What the installed script does; so the benchmark also runs from a checkout.
INFERTOP = (sys.executable, "-c", "import sys; from infertop.cli import main; sys.exit(main())")
COMMANDS: Mapping[str, Sequence[str]] = {
    EMPTY: (sys.executable, str(ROOT / "benchmarks" / "empty_app.py")),
    "infertop": INFERTOP,
    "infertop --demo": (*INFERTOP, "--demo"),
}
KEYS: Mapping[str, Sequence[bytes]] = {"infertop": (b"2", b"1")}  # without models there is nothing to move among
VIEWS = (b"\x1b[B", b"\x1b[A")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all three and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=15.0)
    told = parser.parse_args(arguments)
    heading(f"start, {told.rounds} rounds by turns")
    with tempfile.TemporaryDirectory() as home:
        starts(Path(home), told.rounds)
        heading(f"then, over {told.seconds:g} s")
        for name in COMMANDS:
            running(name, Path(home), told.seconds)
    return 0


def starts(home: Path, rounds: int) -> None:
    """Print the first paints, and their ratios to the empty app's."""
    found: dict[str, list[Paint]] = {name: [] for name in COMMANDS}
    for turn in range(rounds + 1):
        for name, command in COMMANDS.items():
            with Program(command, environ(home), home) as program:
                paint = program.first_paint()
            if turn:  # the first round writes byte code and fills the caches of the disk
                found[name].append(paint)
    peer = Paint(*(median(each) for each in zip(*found[EMPTY], strict=True)))
    for name, paints in found.items():
        seconds, cpu = (median(each) for each in zip(*paints, strict=True))
        figure(f"{name}: first paint", seconds, "s", None if name == EMPTY else 0.6)
        figure(f"{name}: CPU to first paint", cpu, "s")
        if name != EMPTY:
            figure(f"{name}: first paint / empty app's", seconds / peer.seconds, "x", 1.5)
            figure(f"{name}: CPU to first paint / empty app's", cpu / peer.cpu_seconds, "x")


def running(name: str, home: Path, seconds: float) -> None:
    """Print what a program costs once it runs."""
    with Program(COMMANDS[name], environ(home), home) as program:
        program.first_paint()
        program.read(5.0)
        steady = program.steady(seconds)
        delays = program.answers(60, KEYS.get(name, VIEWS))
    ours = name != EMPTY
    figure(f"{name}: CPU", steady.cpu * 100, "%", 3.0 if ours else None)
    figure(f"{name}: memory", steady.rss / 1e6, "MB", 90.0 if ours else None)
    figure(f"{name}: to the terminal", steady.bytes_per_second / 1000, "KB/s", 8.0 if ours else None)
    figure(f"{name}: key to paint, p50 of {len(delays)}", quantile(delays, 0.5), "ms")
    figure(f"{name}: key to paint, p95", quantile(delays, 0.95), "ms", 60.0 if ours else None)


def environ(home: Path) -> dict[str, str]:
    """Return the environment of a program that has a home of its own."""
    places = {f"XDG_{each}_HOME": str(home / each) for each in ("CONFIG", "DATA", "STATE", "CACHE")}
    # Byte code is kept, as it is where infertop is installed.
    return {"HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "", **places}


if __name__ == "__main__":
    sys.exit(main())

"""What watching costs a recorder: CPU of a closed minute, of learning, and what is stored, for a made-up fleet.

python -m benchmarks.watching [--models 200] [--keys 5]
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from tests.commands.watched_world import World

LEARNT, TIMED = 60, 30  # minutes


def main() -> None:
    """Print what it costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--keys", type=int, default=5)
    options = parser.parse_args()
    chance = random.Random(1)
    places = [
        (f"m{n}", f"k{key}", chance.uniform(0.1, 20)) for n in range(options.models) for key in range(options.keys)
    ]
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "infertop.db")

        def minute() -> None:
            world.used([(model, key, usd * chance.uniform(0.8, 1.2), usd * 100) for model, key, usd in places])

        world.connection.execute("BEGIN")
        for _ in range(LEARNT):
            minute()
        world.connection.execute("COMMIT")
        learning = seconds(world.watch)
        took = []
        for _ in range(TIMED):
            minute()
            took.append(seconds(world.watch))
        figures = [len(each.figures) for each in world.work._figures.scopes.values()]
        stored = world.work.finish()
        world.work.close()
    took.sort()
    print(f"{len(places)} places; {len(figures)} scopes with {sum(figures)} figures are watched")
    print(f"a closed minute: {took[TIMED // 2] * 1000:.1f} ms of CPU, {took[-1] * 1000:.1f} ms at most")
    print(f"that is {sum(took) / TIMED / 60 * 1000:.3f} ms a second")
    print(f"learning: {learning / LEARNT / sum(figures) * 1e6:.1f} us a figure and minute")
    print(f"stored: {sum(len(each.content) for each in stored) / 1e6:.2f} MB in {len(stored)} rows")


def seconds(work: object) -> float:
    """Return the CPU seconds of calling something."""
    assert callable(work)
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()

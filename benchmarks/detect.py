"""What the anomaly detector costs, and what it finds in made-up traffic with the shape of a day and of a week.

Five minutes a value, Poisson-like noise, weekends at 60 %; the faults are multiples of the value for two hours, one
a series, after two weeks. CPU time of the process; medians of rounds. The score on labelled series is another matter.

    python benchmarks/detect.py [--seed 1]      exits with 1 where a value takes more than 20 us (watched: 40)
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.figures import figure, heading, median
from infertop.money.detect.detector import Detector
from infertop.money.detect.incidents import Rule
from infertop.money.detect.watched import Watched

STEP = 300.0
DAY = 288
START = 1_767_225_600.0
ROUNDS = 5
SERIES = 12
LEARNT = 14 * DAY


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return 1 where a value takes too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the traffic (1)")
    seed: int = parser.parse_args(arguments).seed
    heading("the anomaly detector")
    quick = _speed(traffic(seed, 28))
    quick = _watching(traffic(seed, 28)) and quick
    _found(seed)
    return 0 if quick else 1


def traffic(seed: int, days: int) -> list[float]:
    """Return values of about 100, `days` of them."""
    rng = random.Random(seed)
    values = []
    for at in range(days * DAY):
        weekend = 0.6 if (at // DAY) % 7 in (2, 3) else 1.0
        mean = 100 * weekend * (1 + 0.6 * math.sin(2 * math.pi * at / DAY))
        values.append(max(0.0, rng.gauss(mean, math.sqrt(mean))))
    return values


def _speed(values: list[float]) -> bool:
    adding, keeping, sizes = [], [], 0
    for _ in range(ROUNDS):
        detector = Detector()
        begin = time.process_time()
        for at, value in enumerate(values):
            detector.add(START + at * STEP, value)
        adding.append((time.process_time() - begin) / len(values) * 1e6)
        begin = time.process_time()
        text = json.dumps(detector.dump())
        Detector.load(json.loads(text))
        keeping.append((time.process_time() - begin) * 1e3)
        sizes = len(text)
    quick = figure("a value judged", median(adding), "us", 20)
    figure("the state, as JSON", sizes / 1000, "KB", 50)
    figure("written and taken up again", median(keeping), "ms")
    return quick


def _watching(values: list[float]) -> bool:
    """Say what a minute of a watched figure costs, both ways, with its incidents."""
    adding, size = [], 0
    for _ in range(ROUNDS):
        watched = Watched(Rule(falls=True))
        begin = time.process_time()
        for at, value in enumerate(values):
            watched.add(START + at * 60.0, value)
        adding.append((time.process_time() - begin) / len(values) * 1e6)
        size = len(json.dumps(watched.dump()))
    quick = figure("a minute of a watched figure, both ways", median(adding), "us", 40)
    figure("its state, as JSON", size / 1000, "KB", 50)
    return quick


def _found(seed: int) -> None:
    """Say how many surges are told within 10 minutes and within an hour, and how many incidents nothing caused."""
    states = [_learnt(traffic(seed + each, 14)) for each in range(SERIES)]
    for factor in (1.5, 2.0, 3.0, 10.0):
        waits = [_wait(state, seed + each, factor) for each, state in enumerate(states)]
        for minutes in (10, 60):
            found = sum(wait is not None and wait <= minutes for wait in waits)
            figure(f"x{factor:g} surges opened within {minutes} min", 100 * found / SERIES, "%")
    opened = sum(_opened(seed + each, state) for each, state in enumerate(states))
    figure("incidents without a cause, a series and week", opened / SERIES / 2, "")


def _learnt(values: list[float]) -> str:
    watched = Watched()
    for at, value in enumerate(values):
        watched.add(START + at * STEP, value)
    return json.dumps(watched.dump())


def _wait(state: str, seed: int, factor: float) -> float | None:
    """Return the minutes from the first value of a surge until its incident is opened, None where none is."""
    watched = Watched.load(json.loads(state))
    begin = random.Random(seed).randrange(12, DAY - 36)
    for at, value in enumerate(traffic(seed, 15)[LEARNT:]):
        change = watched.add(START + (LEARNT + at) * STEP, value * (factor if begin <= at < begin + 24 else 1))
        if change and change.until is None and at >= begin:
            return (at - begin + 1) * STEP / 60
    return None


def _opened(seed: int, state: str) -> int:
    watched, opened = Watched.load(json.loads(state)), 0
    for at, value in enumerate(traffic(seed, 28)[LEARNT:]):
        change = watched.add(START + (LEARNT + at) * STEP, value)
        opened += change is not None and change.until is None
    return opened


if __name__ == "__main__":
    sys.exit(main())

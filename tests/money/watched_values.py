"""Values made by hand for one figure that is watched, and what becomes of it."""

from __future__ import annotations

import random
from collections.abc import Iterable

from infertop.money.detect.incidents import Incident, Rule
from infertop.money.detect.watched import Watched

MINUTE = 60.0
TEN = 600.0
START = 1_767_225_600.0  # a Thursday's midnight


def feed(watched: Watched, values: Iterable[float], begin: float, step: float) -> list[Incident]:
    changes = (watched.add(begin + at * step, value) for at, value in enumerate(values))
    return [each for each in changes if each]


def minutes(values: Iterable[float], rule: Rule | None = None) -> list[Incident]:
    return feed(Watched(rule or Rule()), values, START, MINUTE)


def noisy(mean: float, points: int, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [max(0.0, rng.gauss(mean, mean / 10)) for _ in range(points)]

"""Made-up spend by the hour for tests of forecasts: from Monday, 2025-12-01 in UTC on."""

from __future__ import annotations

import math
import random

from infertop.money.forecast.hours import HOUR, Hours

START = 20_423 * 24
DAY, WEEK = 24, 168


def week_rhythm(hour: int) -> float:
    """Return what an hour takes: a day's wave, weekends at half."""
    weekend = 0.5 if (hour // DAY) % 7 > 4 else 1.0
    return 10 * weekend * (1 + 0.8 * math.sin(2 * math.pi * (hour % DAY - 6) / DAY))


def spend(hours: int, seed: int = 1, noise: float = 0.1) -> list[float]:
    """Return the spend of so many hours."""
    rng = random.Random(seed)
    return [week_rhythm(each) * math.exp(rng.gauss(0, noise)) for each in range(hours)]


def at(hour: float) -> float:
    """Return the time of an hour of `spend`, epoch seconds."""
    return (START + hour) * HOUR


def hours(amounts: list[float] | list[float | None]) -> Hours:
    """Return the past that begins at `START`."""
    return Hours(START, amounts)

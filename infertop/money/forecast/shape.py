"""The shape of a week: what an hour of the week takes, relative to the mean hour, as far as the past shows it.

Each part (hour of the day, day of the week, hour of the week) is drawn towards 1 by as much as its differences may be
chance: between the means of two slots lies the variance within them, divided by how often each was seen (empirical
Bayes). So a series without a rhythm keeps a flat shape, and a new one does not take one busy evening for a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low

from infertop.money.forecast.hours import DAY, WEEK

_MOST_RELATIVE = 5.0
_LEAST = 0.05
_CHANCE = 0.01
_SHAPE_HOURS = 6 * WEEK
_FOR_WEEKDAYS = 2 * WEEK


def week_shape(amounts: Sequence[float], slots: Sequence[int]) -> list[float]:
    """Return 168 factors around 1 from amounts and the slot of each, oldest first."""
    relative = _relative(amounts[-_SHAPE_HOURS:])
    slots = slots[-_SHAPE_HOURS:]
    seen = _without_bursts([(slot, value) for slot, value in zip(slots, relative, strict=True) if value is not None])
    day = _drawn([(slot % DAY, value) for slot, value in seen], DAY)
    shape = [day[slot % DAY] for slot in range(WEEK)]
    if len(amounts) < _FOR_WEEKDAYS:
        return shape
    weekday = _drawn([(slot // DAY, ratio) for slot, ratio in _over(seen, shape)], WEEK // DAY)
    shape = [factor * weekday[slot // DAY] for slot, factor in enumerate(shape)]
    rest = _drawn(_over(seen, shape), WEEK)
    shape = [factor * rest[slot] for slot, factor in enumerate(shape)]
    mean = sum(shape) / WEEK
    return [factor / mean for factor in shape] if mean > 0 else [1.0] * WEEK


def _over(seen: Sequence[tuple[int, float]], shape: Sequence[float]) -> list[tuple[int, float]]:
    """Return values over what the shape has so far; where that is next to nothing, they say nothing."""
    return [(slot, value / shape[slot]) for slot, value in seen if shape[slot] >= _LEAST]


def _relative(amounts: Sequence[float]) -> list[float | None]:
    """Return amounts over the mean of their week, counted back from the end; None in a week of nothing."""
    found: list[float | None] = []
    first = len(amounts) % WEEK
    for begin, end in [(0, first), *((at, at + WEEK) for at in range(first, len(amounts), WEEK))]:
        mean = sum(amounts[begin:end]) / max(1, end - begin)
        found += [each / mean if mean > 0 else None for each in amounts[begin:end]]
    return found


def _without_bursts(seen: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the values with high ones cut, but where their hour of the week is as high as a rule: a weekly job."""
    high: dict[int, list[float]] = {slot: [] for slot, value in seen if value > _MOST_RELATIVE}
    for slot, value in seen:
        if slot in high:
            high[slot].append(value)
    most = {slot: max(_MOST_RELATIVE, median_low(values)) for slot, values in high.items() if len(values) > 1}
    return [(slot, min(value, most.get(slot, _MOST_RELATIVE))) for slot, value in seen]


def _drawn(seen: Sequence[tuple[int, float]], slots: int) -> list[float]:
    """Return the mean of each slot over the mean of all, drawn towards 1."""
    counts, sums, squares = [0] * slots, [0.0] * slots, [0.0] * slots
    quiet = sum(value <= 0 for _, value in seen) / max(1, len(seen))
    for slot, value in seen:
        counts[slot] += 1
        sums[slot] += value
        squares[slot] += value * value
    used = [slot for slot in range(slots) if counts[slot]]
    free = len(seen) - len(used)
    total = sum(sums)
    if free <= 0 or len(used) < 2 or total <= 0:
        return [1.0] * slots
    mean = total / len(seen)
    within = max(0.0, sum(squares[slot] - sums[slot] ** 2 / counts[slot] for slot in used) / free)
    chance = within * sum(1 / counts[slot] for slot in used) / len(used)
    spread = sum((sums[slot] / counts[slot] - mean) ** 2 for slot in used) / (len(used) - 1)
    between = max(0.0, spread - chance)
    found = [1.0] * slots
    for slot in used:
        if sums[slot] <= 0 and quiet ** counts[slot] < _CHANCE:
            found[slot] = 0.0  # never anything, which is no chance: nobody works at that hour
            continue
        noise = between + within / counts[slot]
        trust = between / noise if noise > 0 else 0.0
        found[slot] = max(0.0, 1 + trust * (sums[slot] / counts[slot] / mean - 1))
    return found

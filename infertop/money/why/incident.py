"""Why an incident: what is unusual since it began, beside windows of the past that are read through a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, log
from statistics import median
from typing import NamedTuple

from infertop.money.why.concentration import DIMENSIONS, best_division
from infertop.money.why.explain import Explanation, explain
from infertop.money.why.unusual import Moves, moves, unusual_factor
from infertop.money.why.usage import Usage
from infertop.money.why.windows import Span, windows_of

Read = Callable[[Sequence[Span]], Sequence[Usage]]
"""Returns what was used in each of these windows (start, end), epoch seconds."""

# A window of which less was recorded tells of other times of day than the one that it is compared with.
_RECORDED = 0.5
# The window right before is what an incident is compared with where what is unusual did at least half as much since
# then as everything else together.
_CLEAR = 0.5
# A window that cost less than so many times what was expected, or more than one so-many-th, is as good as any.
_NEAR = log(1.2)


class Explained(NamedTuple):
    """The window that an incident is compared with, its own, and why the second costs another amount."""

    before: Span
    after: Span
    why: Explanation


class _Past(NamedTuple):
    span: Span
    usage: Usage
    moves: Moves | None


def explain_incident(
    since: float,
    until: float,
    read: Read,
    dimensions: Sequence[str] = DIMENSIONS,
    *,
    rises: bool = True,
    beyond_nano: float | None = None,
) -> Explained:
    """Return why an incident that began at `since` is there, as of `until` (epoch seconds).

    Its cause is the factor that is unusual among the windows right before and the same times of the last days. It is
    compared with the window right before, or, where other things changed more since then, with the one of the past
    that is most like it but for that factor. `rises` says whether more than is expected is spent, or less. Where it is
    known how much an hour is `beyond_nano` (1e-9 USD) what was expected, it is compared with a window that cost what
    was expected, if there is one: so that what is said of both fits together.
    """
    windows = windows_of(since, until)
    spans = (*windows.lately, *windows.days)
    after, *usages = read((windows.after, *spans))
    division = best_division(usages[0].lines, after.lines, dimensions)
    past = [
        _Past(span, usage, moves(usage, after, division) if usage.recorded >= _RECORDED else None)
        for span, usage in zip(spans, usages, strict=True)
    ]
    told = [each for each in past if each.moves is not None]
    lately = [each.moves for each in past[: len(windows.lately)] if each.moves is not None]
    days = [each.moves for each in past[len(windows.lately) :] if each.moves is not None]
    factor = unusual_factor(lately, days, rises=rises)
    way = 1 if rises else -1
    expected = (after.nano_per_hour or 0) - beyond_nano if beyond_nano is not None else 0.0
    before = _baseline(past[0], told, factor, way, expected)
    return Explained(before.span, windows.after, explain(before.usage, after, dimensions, factor, way))


def _baseline(right_before: _Past, told: Sequence[_Past], factor: str, sign: int, expected: float) -> _Past:
    if not told:
        return right_before
    if not factor:
        if right_before.moves is not None:
            return right_before
        middle = median(sum((each.moves or {}).values()) for each in told)
        return min(told, key=lambda each: abs(sum((each.moves or {}).values()) - middle))
    clear = [each for each in told if _is_clear(each, factor, sign)]
    if expected > 0 and clear:
        nearest = min(clear, key=lambda each: _off(each, expected))
        is_better = _off(right_before, expected) > _NEAR >= _off(nearest, expected)
        return nearest if is_better or right_before not in clear else right_before
    if right_before in clear:
        return right_before
    return max(told, key=lambda each: _clarity(each.moves or {}, factor, sign))


def _is_clear(past: _Past, factor: str, sign: int) -> bool:
    if past.moves is None:
        return False
    did, rest = _did(past.moves, factor, sign)
    return did >= _CLEAR * rest


def _off(past: _Past, expected: float) -> float:
    """Return how far from what was expected a window cost, as a logarithm."""
    return abs(log((past.usage.nano_per_hour or 0) / expected)) if past.usage.nano_per_hour else inf


def _did(found: Moves, factor: str, sign: int) -> tuple[float, float]:
    """Return what a factor moved, and what all others did together, whichever way."""
    return sign * found.get(factor, 0.0), sum(abs(moved) for name, moved in found.items() if name != factor)


def _clarity(found: Moves, factor: str, sign: int) -> float:
    did, rest = _did(found, factor, sign)
    return did - rest

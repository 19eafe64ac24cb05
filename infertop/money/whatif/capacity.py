"""What one GPU serves at full use, in tokens of all classes a second, by what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Minutes:
    """What minutes in which a model held GPUs say: tokens of all classes, and GPU seconds (of all its GPUs together).

    `busy_seconds` is None where utilisation is not known of all. `best_half_busy` is the most tokens per busy GPU
    second of a minute that was busy for half of it or more, `best_held` the most per GPU second held; None: none was.
    """

    minutes: int
    tokens: int
    busy_seconds: Decimal | None
    best_half_busy: Decimal | None
    best_held: Decimal | None


@dataclass(frozen=True, slots=True)
class Capacity:
    """Tokens a second of one GPU at full use, None where nothing tells, and by which method, in words."""

    tokens_per_second: Decimal | None
    method: str


UNKNOWN = Capacity(None, "")


def capacity(seen: Minutes, days: int) -> Capacity:
    """Return what one GPU serves, by the first of these that is known.

    The best minute in which its GPUs were busy for half the time or more: tokens / busy GPU seconds. Else all minutes
    together, tokens / busy GPU seconds: batches grow with load, so that it may serve more. Else, where utilisation is
    not known, the best minute's tokens / GPU seconds held: it serves at least that.
    """
    if seen.best_half_busy is not None:
        return Capacity(
            seen.best_half_busy, f"tokens per busy GPU second in the best minute of {days} days, half busy or more"
        )
    if seen.busy_seconds and seen.tokens:
        return Capacity(
            Decimal(seen.tokens) / seen.busy_seconds,
            f"tokens per busy GPU second over {days} days; never half busy: at full load it may serve more",
        )
    if seen.busy_seconds is None and seen.best_held is not None:
        return Capacity(
            seen.best_held,
            f"the best minute of {days} days per GPU held; utilisation not known: it serves at least that",
        )
    return UNKNOWN


def given(tokens_per_second: Decimal) -> Capacity:
    """Return what the user says that one GPU serves."""
    return Capacity(tokens_per_second, "as given")

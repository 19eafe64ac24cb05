"""What one GPU serves at full use, in tokens of all classes a second, by what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

# Less GPU time than that in a minute is too little to tell a throughput by.
LEAST_MS = 20_000
_MS = 1000


class SeenMinute(NamedTuple):
    """A minute: tokens of all classes, GPU milliseconds held (of all GPUs together), and busy ones (None: unknown)."""

    tokens: int
    held_ms: int
    busy_ms: int | None


@dataclass(slots=True)
class Seen:
    """What minutes in which a model held GPUs say together.

    `best_half_busy` is the most tokens per busy GPU second of a minute that was busy for half of it or more,
    `best_held` the most per GPU second held; None: there was none. `busy_ms` is None where it is not known of all.
    """

    tokens: int = 0
    busy_ms: int | None = 0
    best_half_busy: Decimal | None = None
    best_held: Decimal | None = None

    def add(self, minute: SeenMinute) -> None:
        """Take a minute into account."""
        self.tokens += minute.tokens
        self.busy_ms = None if minute.busy_ms is None or self.busy_ms is None else self.busy_ms + minute.busy_ms
        if not minute.tokens or minute.held_ms < LEAST_MS:
            return
        self.best_held = _best(self.best_held, minute.tokens, minute.held_ms)
        if minute.busy_ms and minute.busy_ms * 2 >= minute.held_ms:
            self.best_half_busy = _best(self.best_half_busy, minute.tokens, minute.busy_ms)


def _best(before: Decimal | None, tokens: int, ms: int) -> Decimal:
    rate = Decimal(tokens * _MS) / ms
    return rate if before is None or rate > before else before


@dataclass(frozen=True, slots=True)
class Capacity:
    """Tokens a second of one GPU at full use, None where nothing tells, and by which method, in words."""

    tokens_per_second: Decimal | None
    method: str


UNKNOWN = Capacity(None, "")


def capacity(seen: Seen, window: str) -> Capacity:
    """Return what one GPU serves, by the first of these that is known; `window` says which time was looked at.

    The best minute in which its GPUs were busy for half the time or more: tokens / busy GPU seconds. Else all minutes
    together, tokens / busy GPU seconds: batches grow with load, so that it may serve more. Else, where utilisation is
    not known, the best minute's tokens / GPU seconds held: it serves at least that.
    """
    if seen.best_half_busy is not None and seen.busy_ms is not None:
        method = f"tokens per busy GPU second in the best minute of {window}, half busy or more"
        return Capacity(seen.best_half_busy, method)
    if seen.busy_ms and seen.tokens:
        method = f"tokens per busy GPU second over {window}; never half busy: at full load it may serve more"
        return Capacity(Decimal(seen.tokens * _MS) / seen.busy_ms, method)
    if seen.busy_ms is None and seen.best_held is not None:
        method = f"the best minute of {window} per GPU held; utilisation not known: it serves at least that"
        return Capacity(seen.best_held, method)
    return UNKNOWN


def given(tokens_per_second: Decimal) -> Capacity:
    """Return what the user says that one GPU serves."""
    return Capacity(tokens_per_second, "as given")

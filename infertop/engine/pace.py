"""When a source is polled next."""

from __future__ import annotations

import math
import zlib
from random import Random

from infertop.engine.collector import State, Unavailable

FIRST_POLL_SECONDS = 0.5
LEAST_INTERVAL = 0.1
STALE_INTERVALS = 5
_LEAST_DEADLINE = 5.0
_MOST_BACKOFF = 30.0
_AUTH_BACKOFF = 60.0
_MOST_DOUBLINGS = 10
# Sources are polled at the same moments of a second: to wake for each alone costs a fifth of what reading 200 does.
_WAKE_SECONDS = 0.025


def deadline(interval: float) -> float:
    """How long a poll may take: its interval, but at least 5 s, which only delays the source itself."""
    return max(interval, _LEAST_DEADLINE)


def first_poll(now: float, name: str) -> float:
    """When a source is polled for the first time: at once, spread a little so that not all begin together."""
    return now + _share(name) * FIRST_POLL_SECONDS * 0.8


def next_poll(began: float, now: float, interval: float, name: str) -> float:
    """When a source that was polled well is polled again: at its own phase of the interval, set by its name.

    A poll that took longer than the interval skips what it missed. `began` is when the last poll did; the next one is
    at least half an interval later, so that no rate is taken over a moment.
    """
    phase = _share(name) * interval // _WAKE_SECONDS * _WAKE_SECONDS
    earliest = max(began + interval / 2, now)
    due = phase + math.ceil((earliest - phase) / interval) * interval
    return due if due > now else due + interval


def retry(now: float, interval: float, failures: int, why: Unavailable, random: Random) -> float:
    """When a source that failed `failures` times in a row is tried again.

    The wait begins at the interval and doubles up to 30 s, with jitter downwards; a refused key waits a minute at
    least, and whoever names a time is given it.
    """
    doubled = interval * (1 << min(failures - 1, _MOST_DOUBLINGS))
    wait = max(interval, min(doubled, _MOST_BACKOFF) * random.uniform(0.75, 1.0))
    if why.state is State.AUTH:
        wait = max(wait, _AUTH_BACKOFF)
    return now + max(wait, why.retry_seconds or 0.0)


def _share(name: str) -> float:
    """A number in [0, 1) that is the same for the same name in every run."""
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) / 2**32

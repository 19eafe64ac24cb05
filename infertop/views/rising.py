"""Counters of a bounded number of series that never fall, made of the ledger's sums, which may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
OTHER = "(other)"
Name = tuple[str, str, str]
"""Source, provider and model as they are shown."""


class Rising:
    """One counter by key. Where its sum falls the counter stands still, and goes on from there.

    A repricing, or what a provider says again, can lower what was booked. Whoever reads a counter takes a fall for a
    restart, and the whole new sum for an increase: thousands of dollars that nobody spent. What the fall took away is
    kept as long as the process lives; after that the counter begins at the ledger's sum.
    """

    def __init__(self) -> None:
        self._shown: dict[tuple[str, ...], int] = {}
        self._above: dict[tuple[str, ...], int] = {}

    def take(self, sums: Mapping[tuple[str, ...], int]) -> Mapping[tuple[str, ...], int]:
        """Return the counters after `sums`; a key that was there once stays."""
        for key in {**self._shown, **sums}:
            now, before = sums.get(key, 0) + self._above.get(key, 0), self._shown.get(key, 0)
            if now < before:
                self._above[key] = self._above.get(key, 0) + before - now
            self._shown[key] = max(now, before)
        return self._shown


class Bounded(Generic[K]):
    """Lets in the first so many keys, for good; all others are one, so that what is summed over them cannot fall."""

    def __init__(self, most: int, other: K) -> None:
        self._most = most
        self._other = other
        self._in: set[K] = set()

    def let_in(self, keys: Iterable[K]) -> None:
        """Let in what there is room for, the first ones first."""
        for key in keys:
            if len(self._in) >= self._most:
                return
            self._in.add(key)

    def of(self, key: K) -> K:
        """Return the key itself where it was let in, else that of all others."""
        return key if key in self._in else self._other

    def __len__(self) -> int:
        return len(self._in)

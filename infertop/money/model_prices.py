"""Which entry of pricing.toml prices a model: by its name, the provider, and the day."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infertop.money.dates import ALWAYS, begins
from infertop.money.settings import ModelPrices

NEVER = float("inf")
GLOB = frozenset("*?[")


class Chosen(NamedTuple):
    """The entry that holds from `start` until before `end` in epoch seconds; None where none does."""

    entry: ModelPrices | None
    start: float
    end: float


class ModelEntries:
    """All [model] entries, found by the model's name, in whatever case it is written: the list has none either."""

    def __init__(self, models: Sequence[ModelPrices], zone: ZoneInfo) -> None:
        """Index `models`, whose dates are days in `zone`."""
        self._zone = zone
        self._exact: dict[str, list[tuple[int, ModelPrices]]] = {}
        self._globs: list[tuple[int, ModelPrices, re.Pattern[str]]] = []
        for position, each in enumerate(models):
            pattern = each.pattern.lower()
            self._exact.setdefault(pattern, []).append((position, each))
            if not GLOB.isdisjoint(pattern):
                self._globs.append((position, each, re.compile(translate(pattern))))

    def choose(self, names: Sequence[str], fits: Callable[[str], bool], ts: float) -> Chosen:
        """Return the entry for the model of these `names` at `ts` whose provider, if it has one, `fits`.

        The exact name goes before globs, an entry with a provider before one with a glob of providers before one
        without; then the one that began last holds, then the first of the file. One that has yet to begin hides no
        other.
        """
        names = [each.lower() for each in names]
        found = [each for name in names for each in self._exact.get(name, [])]
        found += [
            (position, each)
            for position, each, glob in self._globs
            if any(map(glob.match, names)) and each.pattern.lower() not in names
        ]
        fitting = [
            (begins(each.since, self._zone), position, each)
            for position, each in found
            if not each.provider or fits(each.provider)
        ]
        begun = [each for each in fitting if each[0] <= ts]
        best = min(begun, key=lambda it: (*_vague(it[2], names), -it[0], it[1]), default=None)
        return Chosen(
            best[2] if best else None,
            max((each[0] for each in begun), default=ALWAYS),
            min((each[0] for each in fitting if each[0] > ts), default=NEVER),
        )


def _vague(entry: ModelPrices, names: Sequence[str]) -> tuple[bool, int]:
    """Return how little an entry says of the model, which has these names in lower case, and of its provider."""
    provider = entry.provider
    return entry.pattern.lower() not in names, 2 if not provider else 0 if GLOB.isdisjoint(provider) else 1

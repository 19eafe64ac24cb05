"""What counts, and what only tells who used what another source counts: looked at again while the history grows."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from infertop.commands.book import price_book
from infertop.commands.roles import known_sources, noted_sources
from infertop.commands.setup import Setup
from infertop.engine.collector import SourceConfig
from infertop.history.overlapping import Known, joined, told
from infertop.history.reader import Reader, Unreadable
from infertop.money.overlap import Choices, Place, Role, Told, choose
from infertop.money.rates import PriceBook

_log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0
# How far back is looked, once all of the past was: providers tell late, engines at once.
_RECENT_SECONDS = 2 * 3600.0
_WHOLE_SECONDS = 3600.0


def choices_for(setup: Setup) -> Callable[[sqlite3.Connection], Choices]:
    """Return what asks a history which of it counts, for commands that read it alone."""
    configs, prices = setup.sources(), price_book(setup)
    return lambda connection: choices_of(connection, configs, canonical(prices))


def choices_of(
    connection: sqlite3.Connection, configs: Iterable[SourceConfig], canonical: Callable[[str], str]
) -> Choices:
    """Return what counts of all that the history has; what is configured now stands above what was noted of before."""
    noted = noted_sources(connection)
    sources = noted | known_sources(configs, noted)
    return _sure(choose(told(connection, sources), canonical), sources, unsure=False)


def canonical(prices: PriceBook) -> Callable[[str], str]:
    """Return what gives the one name of a provider that has several."""
    return lambda provider: prices.listing.provider(provider) or provider.lower()


class Choosing:
    """What counts of the sources that are read, by what the history at `where` says of them.

    `choices` is replaced as a whole: it may be asked from any thread. Until the history was asked, nothing counts of
    what only passes on or logs.
    """

    def __init__(self, where: Path | str) -> None:
        self.choices = Choices()
        self._where = where
        self._yields = True
        self._reader: Reader | None = None
        self._told: dict[Place, Told] = {}
        self._looked = self._whole = float("-inf")
        self._sources: dict[str, Known] = {}

    def counts(self, source: str, provider: str, model: str | None) -> bool:
        """Say whether what a source tells of a provider's model is part of totals."""
        return self.choices.counts(source, provider, model)

    def sources_changed(self, configs: Iterable[SourceConfig]) -> bool:
        """Take the sources that are read now, and look next at what they tell; return whether that changes totals."""
        before = self.choices
        self._sources = known_sources(configs)
        self._looked, self._yields = float("-inf"), True
        self.choices = _sure(before, self._sources, unsure=True)
        return self.choices != before

    async def look(self, prices: PriceBook, now: float) -> bool:
        """Look at the history where that is due; return whether something else counts now."""
        if now - self._looked < EVERY_SECONDS or not self._yields:
            return False
        self._looked = now
        before = self.choices
        found = await asyncio.to_thread(self._read, canonical(prices), now)
        self.choices = _sure(found, self._sources, unsure=True)
        return self.choices != before

    async def close(self) -> None:
        """Let go of the history."""
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)

    def _read(self, canonical: Callable[[str], str], now: float) -> Choices:
        whole = now - self._whole >= _WHOLE_SECONDS
        try:
            if self._reader is None:
                self._reader = Reader(self._where)
            news = self._reader.ask(_told, self._sources, 0.0 if whole else now - _RECENT_SECONDS)
        except Unreadable as error:
            _log.warning("%s", error)
            return self.choices
        if whole:
            self._whole, self._told = now, {}
        # Where nothing but what serves is told of, there is nothing to choose until other sources are read.
        self._yields = bool(news) or any(each.role is not Role.SERVES for each in self._sources.values())
        for each in news:
            known = self._told.get(each.place)
            self._told[each.place] = replace(each, spans=joined((*known.spans, *each.spans))) if known else each
        return choose(self._told.values(), canonical)


def _told(connection: sqlite3.Connection, sources: Mapping[str, Known], since: float) -> list[Told]:
    return told(connection, {**noted_sources(connection), **sources}, since)


def _sure(found: Choices, sources: Mapping[str, Known], *, unsure: bool) -> Choices:
    """Return choices that know of sources which told nothing yet; `unsure`: who else tells of it may still be found."""
    yielding = {name for name, each in sources.items() if each.role is not Role.SERVES and each.counts is None}
    return replace(
        found,
        unsure=frozenset(yielding) if unsure else frozenset(),
        never=frozenset(name for name, each in sources.items() if each.counts is False),
    )

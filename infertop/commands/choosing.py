"""What counts, and what only tells who used what another source counts: looked at again while the history grows."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from infertop.commands.book import price_book
from infertop.commands.roles import known_sources, noted_sources
from infertop.commands.setup import Setup
from infertop.engine.collector import SourceConfig
from infertop.history.overlapping import Known, Uses
from infertop.history.reader import Reader, Unreadable
from infertop.money.overlap import Choices, Role, choose
from infertop.money.rates import PriceBook

_log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0
# A look takes no more than this share of the time.
_SHARE = 0.02
# How far back is looked, once all of the past was; and how often all of it is again, since providers tell late.
_RECENT_SECONDS = 2 * 3600.0
_WHOLE_SECONDS = 3600.0
_NEVER = float("-inf")


def choices_for(setup: Setup) -> Callable[[sqlite3.Connection], Choices]:
    """Return what asks a history which of it counts, for commands that read it alone.

    What is configured now stands above what was noted when it was recorded.
    """
    configs, prices = setup.sources(), price_book(setup)

    def ask(connection: sqlite3.Connection) -> Choices:
        noted = noted_sources(connection)
        sources = {**noted, **known_sources(configs, noted)}
        uses = Uses()
        if _may_yield(sources):
            uses.look(connection)
        return replace(_choose(uses, sources, prices), unsure=frozenset())

    return ask


class Choosing:
    """What counts of the sources that are read, by what the history at `where` says of them.

    `choices` is replaced as a whole: it may be asked from any thread. Until the history was asked, nothing counts of
    what only passes on or logs.
    """

    def __init__(self, where: Path | str) -> None:
        self.choices = Choices()
        self._where = where
        self._reader: Reader | None = None
        self._uses = Uses()
        self._one_at_a_time = asyncio.Lock()
        self._due = self._whole = _NEVER
        self._sources: dict[str, Known] = {}

    def counts(self, source: str, provider: str, model: str | None) -> bool:
        """Say whether what a source tells of a provider's model is part of totals."""
        return self.choices.counts(source, provider, model)

    def sources_changed(self, configs: Iterable[SourceConfig]) -> bool:
        """Take the sources that are read now, and look next at what they tell; return whether that changes totals."""
        before = self.choices
        self._sources, self._due = known_sources(configs), _NEVER
        self.choices = _completed(before, self._sources)
        return self.choices != before

    async def look(self, prices: PriceBook, now: float) -> bool:
        """Look at the history where that is due; return whether something else counts now."""
        async with self._one_at_a_time:
            if now < self._due:
                return False
            before, sources = self.choices, self._sources
            found, seconds = await asyncio.to_thread(self._read, prices, now)
            if self._sources is sources:
                self._due = now + max(EVERY_SECONDS, seconds / _SHARE)
                self.choices = found
            else:  # others are read by now
                self.choices = _completed(found, self._sources)
            return self.choices != before

    async def close(self) -> None:
        """Let go of the history."""
        async with self._one_at_a_time:
            self._due = float("inf")
            if self._reader is not None:
                await asyncio.to_thread(self._reader.close)

    def _read(self, prices: PriceBook, now: float) -> tuple[Choices, float]:
        """Return what counts, and how long it took to find out."""
        began = time.monotonic()
        try:
            if self._reader is None:
                self._reader = Reader(self._where)
            sources = {**self._reader.ask(noted_sources), **self._sources}
            if not _may_yield(sources):
                return _completed(Choices(), sources), 0.0
            whole = now - self._whole >= _WHOLE_SECONDS
            uses = Uses() if whole else self._uses
            self._reader.ask(uses.look, 0.0 if whole else now - _RECENT_SECONDS)
        except Unreadable as error:
            _log.warning("%s", error)
            return self.choices, 0.0
        if whole:
            self._uses, self._whole = uses, now
        return _choose(uses, sources, prices), time.monotonic() - began


def _choose(uses: Uses, sources: Mapping[str, Known], prices: PriceBook) -> Choices:
    return _completed(choose(uses.told(sources), lambda name: one_name(prices, name)), sources)


def one_name(prices: PriceBook, provider: str) -> str:
    """Return the one name of a provider that has several: that of the list, which LiteLLM may end with "_ai"."""
    name = provider.lower()
    return prices.listing.provider(name) or prices.listing.provider(name.removesuffix("_ai")) or name


def _completed(found: Choices, sources: Mapping[str, Known]) -> Choices:
    """Return choices that also know the sources which told nothing yet."""
    return replace(
        found,
        unsure=frozenset(name for name, each in sources.items() if _yields(each) and each.counts is None),
        never=frozenset(name for name, each in sources.items() if each.counts is False),
    )


def _may_yield(sources: Mapping[str, Known]) -> bool:
    return any(_yields(each) for each in sources.values())


def _yields(known: Known) -> bool:
    return known.role is not Role.SERVES

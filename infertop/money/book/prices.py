"""What one model of the book costs: its rows and variants at one moment made into a quote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from infertop.money.book.classes import free_prices, unit_prices
from infertop.money.book.rows import Row, Tiered, parse_model
from infertop.money.book.spans import span
from infertop.money.book.when import When
from infertop.money.quote import CORRECTED, FAST, LISTED_BY, STANDARD_RATE, STANDARD_TIERS, Quote, UnitPrice, Way

BATCH = "batch"
_MOST = 128
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Terms:
    """A way of processing: what of it has a rate of its own ("batch", "flex"), and the context of requests for it."""

    words: Mapping[str, Mapping[str, str]]
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    prices: Mapping[str, UnitPrice]
    since: str
    flags: tuple[str, ...]

    @property
    def costs(self) -> Mapping[str, object]:
        """What a use costs by it, whatever the dates of its prices."""
        return {name: (unit.usd, unit.tiers) for name, unit in self.prices.items()}


class Priced:
    """One model's prices. Answers are kept, within bounds: the names of tiers come from outside."""

    def __init__(self, provider: str, data: Mapping[str, Any]) -> None:
        """Read a model's entry; raises ValueError where it is broken."""
        self.provider = provider
        self.why = str(data.get("why", ""))
        self._before = Priced(provider, data["before"]) if "before" in data else None
        self._free = bool(data.get("free"))
        self._model = parse_model(data)
        self._quotes: dict[tuple[object, ...], Quote] = {}
        self._answers: dict[tuple[object, ...], _Answer] = {}

    def quote(self, ts: float, way: Way, source: str, reseller: bool) -> Quote | None:
        """Return the prices at `ts` for that way of processing, None where it has none.

        A `reseller`, which falls back to this list, is not known to offer its variants: it has the standard rate.
        """
        key = (way, source, reseller)
        held = self._quotes.get(key)
        if held is None or not held.start <= ts < held.end:
            held = self._quote(ts, terms(way), source, reseller)
            if held is not None:
                _keep(self._quotes, key, held)
        return held

    def _quote(self, ts: float, asked: Terms, source: str, reseller: bool) -> Quote | None:
        flags = (f"{LISTED_BY}:{self.provider}",) if reseller else ()
        if self._free:
            return Quote(self.provider, self._model.id, source, "", free_prices(source), flags)
        if not self._model.rows:
            return None
        asked = replace(asked, context={}) if reseller else asked

        def answer(at: float) -> _Answer:
            return self._answer(at, asked, source)

        now = answer(ts)
        start, end = span(self._whens(asked.context), ts, answer)
        return Quote(self.provider, self._model.id, source, now.since, now.prices, (*flags, *now.flags), start, end)

    def _whens(self, context: Mapping[str, str]) -> Iterator[When]:
        """Iterate over the times of all rows that may matter in that context, also of those that are corrected."""
        yield from (row.when for row in self._model.rows)
        yield from (row.when for row in self._model.variants if _fits(row, context))
        if self._before:
            yield from self._before._whens(context)

    def _answer(self, ts: float, asked: Terms, source: str) -> _Answer:
        row = self._model.row(ts)
        variants = [each for each in self._model.variants if each.when.holds(ts) and _fits(each, asked.context)]
        key = (source, tuple(asked.words), id(row), *map(id, variants))
        answer = self._answers.get(key)
        if answer is None:
            answer = self._made(row, variants, asked, source)
            _keep(self._answers, key, answer)
        if self._before and answer.costs != self._before._answer(ts, asked, source).costs:
            return replace(answer, flags=(*answer.flags, CORRECTED))
        return answer

    def _made(self, row: Row, variants: list[Row], asked: Terms, source: str) -> _Answer:
        chosen: dict[str, tuple[Tiered, str]] = {}
        # The first variant that sets a price wins, and any of them over the row.
        for each in (*variants, row):
            for name, price in each.prices.items():
                chosen.setdefault(name, (price, each.when.since))
        missing = tuple(
            f"{STANDARD_RATE}:{word}"
            for word, choice in asked.words.items()
            if not any(each.context.items() & choice.items() for each in variants)
        )
        prices = unit_prices(chosen, source, self._model.minimum)
        first = prices.get("input") or next(iter(prices.values()), None)
        return _Answer(prices, first.since if first else "", missing)


@lru_cache(maxsize=_MOST)
def terms(way: Way) -> Terms:
    """Return what a way of processing is in the words of variants."""
    batch = {"processing": BATCH} if way.batch or way.service_tier == BATCH else {}
    tier = {"service_tier": way.service_tier} if way.service_tier and way.service_tier != BATCH else {}
    if way.service_tier == FAST:
        tier["speed"] = FAST
    words = {BATCH: batch} if batch else {}
    if tier and way.service_tier.lower() not in STANDARD_TIERS:
        words[way.service_tier] = tier
    return Terms(words, batch | tier)


def _keep(kept: dict[tuple[object, ...], _T], key: tuple[object, ...], value: _T) -> None:
    if len(kept) >= _MOST:
        kept.clear()
    kept[key] = value


def _fits(variant: Row, context: Mapping[str, str]) -> bool:
    return all(context.get(key) == value for key, value in variant.context.items())

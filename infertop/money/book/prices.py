"""What one model of the book costs: its rows and variants at one moment made into a quote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infertop.money.book.classes import free_prices, unit_prices
from infertop.money.book.rows import Row, Tiered, parse_model
from infertop.money.book.spans import span
from infertop.money.book.when import When
from infertop.money.quote import LISTED_BY, STANDARD_RATE, Quote, UnitPrice, Way

CORRECTED = "corrected"
BATCH = "batch"
# What providers call processing at the standard rate.
_STANDARD = frozenset(("", "standard", "default", "auto", "on_demand"))


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
    """One model's prices; answers are kept, since there are only as many as its rows and variants make."""

    def __init__(self, provider: str, data: Mapping[str, Any]) -> None:
        """Read a model's entry; raises ValueError where it is broken."""
        self.provider = provider
        self.why = str(data.get("why", ""))
        self._before = Priced(provider, data["before"]) if "before" in data else None
        self._free = bool(data.get("free"))
        self._model = parse_model(data)
        self._answers: dict[tuple[object, ...], _Answer] = {}

    def quote(self, ts: float, way: Way, source: str, reseller: bool) -> Quote | None:
        """Return the prices at `ts` for that way of processing, None where it has none.

        A `reseller`, which falls back to this list, is not known to offer its variants: it has the standard rate.
        """
        asked = ways(way)
        flags = (f"{LISTED_BY}:{self.provider}",) if reseller else ()
        if self._free:
            return Quote(self.provider, self._model.id, source, "", free_prices(source), flags)
        if not self._model.rows:
            return None
        context = {} if reseller else {key: value for terms in asked.values() for key, value in terms.items()}

        def answer(at: float) -> _Answer:
            return self._answer(at, asked, context, source)

        now = answer(ts)
        start, end = span(self._whens(context), ts, answer)
        return Quote(self.provider, self._model.id, source, now.since, now.prices, (*flags, *now.flags), start, end)

    def _whens(self, context: Mapping[str, str]) -> Iterator[When]:
        """Iterate over the times of all rows that may matter in that context, also of those that are corrected."""
        yield from (row.when for row in self._model.rows)
        yield from (row.when for row in self._model.variants if _fits(row, context))
        if self._before:
            yield from self._before._whens(context)

    def _answer(
        self, ts: float, asked: Mapping[str, Mapping[str, str]], context: Mapping[str, str], source: str
    ) -> _Answer:
        row = self._model.row(ts)
        variants = [each for each in self._model.variants if each.when.holds(ts) and _fits(each, context)]
        key = (source, tuple(asked), id(row), *map(id, variants))
        if key not in self._answers:
            self._answers[key] = self._made(row, variants, asked, source)
        answer = self._answers[key]
        if self._before and answer.costs != self._before._answer(ts, asked, context, source).costs:
            return replace(answer, flags=(*answer.flags, CORRECTED))
        return answer

    def _made(self, row: Row, variants: list[Row], asked: Mapping[str, Mapping[str, str]], source: str) -> _Answer:
        chosen: dict[str, tuple[Tiered, str]] = {}
        # The first variant that sets a price wins, and any of them over the row.
        for each in (*variants, row):
            for name, price in each.prices.items():
                chosen.setdefault(name, (price, each.when.since))
        missing = tuple(
            f"{STANDARD_RATE}:{word}"
            for word, terms in asked.items()
            if not any(each.context.items() & terms.items() for each in variants)
        )
        prices = unit_prices(chosen, source, self._model.minimum)
        first = prices.get("input") or next(iter(prices.values()), None)
        return _Answer(prices, first.since if first else "", missing)


def ways(way: Way) -> Mapping[str, Mapping[str, str]]:
    """Return what is asked for beyond the standard rate ("batch", "flex"), each with the terms of variants for it."""
    asked: dict[str, Mapping[str, str]] = {}
    if way.batch or way.service_tier == BATCH:
        asked[BATCH] = {"processing": BATCH}
    if way.service_tier not in _STANDARD and way.service_tier != BATCH:
        terms = {"service_tier": way.service_tier}
        asked[way.service_tier] = terms | {"speed": "fast"} if way.service_tier == "fast" else terms
    return asked


def _fits(variant: Row, context: Mapping[str, str]) -> bool:
    return all(context.get(key) == value for key, value in variant.context.items())

"""Where traffic could be taken, and what is known for every subject of the what-if page alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase

from infertop.history.used import Place
from infertop.money.quote import Quote, UnitPrice, Way
from infertop.money.rates import PriceBook
from infertop.money.whatif.capacity import UNKNOWN, Capacity, given
from infertop.money.whatif.newest import MAKERS, newest
from infertop.money.whatif.offers import LOCAL, Candidate, Offer, Offers, basename, candidates, merged, offers
from infertop.money.whatif.traffic import MILLION, Traffic, Used

SHADOW = "shadow price"
_NAMESAKES = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at: globs of models and sources, and where to take the traffic (`to`: globs of provider/model).

    Without `to` there are about 20 well-known alternatives, with `every` all that have a price. `gpu` is NVML's name
    or a family ("H100") in place of the GPUs that are held; `tokens_per_second` is what one of them serves at full
    use, in place of what was measured. `scale` are the factors of the traffic.
    """

    model: str = "*"
    source: str = "*"
    to: tuple[str, ...] = ()
    gpu: str = ""
    tokens_per_second: float | None = None
    scale: tuple[float, ...] = (1, 10, 100)
    every: bool = False

    def concerns(self, each: Used) -> bool:
        """Say whether it is about this model of this source."""
        return fnmatchcase(each.model, self.model) and fnmatchcase(each.source, self.source)


@dataclass(frozen=True, slots=True)
class Choice:
    """The alternatives that are shown, cheapest first, and how many more there are."""

    shown: tuple[Candidate, ...]
    more: int
    lacking: int


@dataclass(frozen=True, slots=True)
class Market:
    """Prices and capacities of one moment; `used` is all that was measured, also what was not asked about."""

    prices: PriceBook
    now: float
    asked: Asked
    used: tuple[Used, ...]
    capacities: Mapping[Place, Capacity]
    offers: Offers = field(init=False)
    newest: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        found = offers(self.prices, self.now)
        object.__setattr__(self, "offers", found)
        object.__setattr__(self, "newest", frozenset(each.name for each in newest(found.all)))

    def capacity(self, each: Used) -> Capacity:
        """Return what one GPU serves of this model: as given, else as measured here, else as its namesake's was."""
        if self.asked.tokens_per_second:
            return given(Decimal(str(self.asked.tokens_per_second)))
        own = self.capacities.get(Place(each.source, each.provider, each.model))
        if own is not None:
            return own
        twin = self.twin(each)
        if twin is None:
            return UNKNOWN
        measured = self.capacities[Place(twin.source, twin.provider, twin.model)]
        return Capacity(measured.tokens_per_second, f"{measured.method} (of {twin.model} on {twin.source})")

    def twin(self, each: Used) -> Used | None:
        """Return the same model as it is served here, where its throughput was measured."""
        name = basename(each.model)
        return next(
            (
                one
                for one in self.used
                if one.provider == LOCAL
                and basename(one.model) == name
                and Place(one.source, one.provider, one.model) in self.capacities
            ),
            None,
        )

    def choice(self, traffic: Traffic, own: str, model: str) -> Choice:
        """Return what is shown of the alternatives for this traffic; `own` is the offer that it is at, if any."""
        among = [each for each in self.offers.all if each.name != own]
        asked = self.asked
        if asked.to:
            among = [each for each in among if _wanted(each, asked.to)]
        elif not asked.every:
            few = self._few(among, traffic, model)
            found = candidates(traffic, few, self.prices, self.now)
            shown = [each for each in found if each.priced.usd is not None]
            return Choice(tuple(shown), len(among) - len(few), len(found) - len(shown))
        found = merged(candidates(traffic, among, self.prices, self.now), tuple(MAKERS))
        shown = found if asked.to else [each for each in found if each.priced.usd is not None]
        return Choice(tuple(shown), 0, len(found) - len(shown))

    def _few(self, among: Iterable[Offer], traffic: Traffic, model: str) -> list[Offer]:
        """Return the newest models of their makers, and the cheapest that are called as this one."""
        listed = list(among)
        known = [each for each in listed if each.name in self.newest]
        name = basename(model)
        twins = candidates(traffic, (each for each in listed if basename(each.model) == name), self.prices, self.now)
        cheapest = [each.offer for each in merged(twins, tuple(MAKERS)) if each.priced.usd is not None][:_NAMESAKES]
        return list({each.name: each for each in (*cheapest, *known)}.values())

    def shadow(self, model: str) -> Offer | None:
        """Return the shadow price of a model that is served here, None where pricing.toml has none."""
        prices = self.prices.shadow_price(model, self.now)
        if not prices:
            return None
        first = prices.get("input") or next(iter(prices.values()))
        units = {name: UnitPrice(each.usd, MILLION, each.source, each.since) for name, each in prices.items()}
        return Offer(LOCAL, SHADOW, Quote(LOCAL, model, first.source, first.since, units))

    def quote(self, each: Used, way: Way) -> Quote | None:
        """Return the list price of what a provider is asked for now."""
        return None if each.provider == LOCAL else self.prices.quote(each.provider, each.model, self.now, way)


def _wanted(offer: Offer, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for name in _names(offer) for pattern in patterns)


def _names(offer: Offer) -> tuple[str, str]:
    return offer.name.lower(), offer.model.lower()

"""Where traffic could be taken, and what is known for every subject of the what-if page alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase

from infertop.history.used import Place
from infertop.money.quote import Quote, Way
from infertop.money.rates import PriceBook
from infertop.money.whatif.capacity import UNKNOWN, Capacity, given
from infertop.money.whatif.newest import MAKERS, newest
from infertop.money.whatif.offers import Candidate, Name, Offer, basename, candidates, merged, named, offer
from infertop.money.whatif.traffic import Traffic, Used
from infertop.readings.model import LOCAL

SHADOW = "shadow price"
_NAMESAKES = 2
_DECLARED = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at: globs of models and sources, and where to take the traffic (`to`: globs of provider/model).

    Without `to` there are about 20 well-known alternatives and those that pricing.toml prices, with `every` all that
    have a price. `gpu` is NVML's name or a family ("H100") in place of the GPUs that are held; `tokens_per_second` is
    what one of them serves at full use, in place of what was measured. `scale` are the factors of the traffic.
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
    """The alternatives that are shown, cheapest first, and how many more models are listed.

    `compared` are those that own GPUs and growth are held against: the same few whether all are shown or not.
    `lacking` have no price for a class that was used; they are shown where they were asked for by name.
    """

    shown: tuple[Candidate, ...] = ()
    compared: tuple[Candidate, ...] = ()
    more: int = 0
    lacking: int = 0


@dataclass(slots=True)
class Market:
    """Prices and capacities of one moment; `used` is all that was measured, also what was not asked about."""

    prices: PriceBook
    now: float
    asked: Asked
    used: tuple[Used, ...]
    capacities: Mapping[Place, Capacity]
    _offers: dict[Name, Offer | None] = field(default_factory=dict)
    _newest: tuple[Name, ...] | None = None

    @property
    def free(self) -> int:
        """How many models cost nothing: they are no alternatives, for they are free of charge up to a limit."""
        return named(self.prices).free

    @property
    def declared(self) -> tuple[Name, ...]:
        """The models that pricing.toml has a price for."""
        return named(self.prices).declared

    @property
    def newest(self) -> tuple[Name, ...]:
        """The models that stand for all others."""
        if self._newest is None:
            self._newest = tuple(newest(named(self.prices).names, self._answers))
        return self._newest

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

    def own_names(self, each: Used) -> frozenset[Name]:
        """Return what its provider's list calls the model that is asked for, and what it is asked for as."""
        quote, provider = self.quote(each, Way()), self.prices.listing.provider(each.provider) or each.provider
        asked = Name(each.provider, each.model)
        return frozenset((asked, Name(provider, quote.matched)) if quote else (asked,))

    def choice(self, traffic: Traffic, own: frozenset[Name], model: str) -> Choice:
        """Return what is shown of the alternatives for this traffic; `own` are the names of the one that it is at."""
        names = [each for each in named(self.prices).names if each not in own]
        asked = self.asked
        if asked.to:
            names = [each for each in names if _wanted(each, asked.to)]
            wanted = merged(self._candidates(traffic, names), tuple(MAKERS))
            return Choice(tuple(wanted), tuple(wanted), 0, sum(each.priced.usd is None for each in wanted))
        few = {*self._twins(names, traffic, model), *self._declared(traffic), *self.newest} - own
        found = self._candidates(traffic, few)
        compared = shown = [each for each in found if each.priced.usd is not None]
        if asked.every:
            found = merged(self._candidates(traffic, names), tuple(MAKERS))
            shown = [each for each in found if each.priced.usd is not None]
        more = 0 if asked.every else len(names) - len(few)
        return Choice(tuple(shown), tuple(compared), more, len(found) - len(shown))

    def unmatched(self) -> tuple[str, ...]:
        """Return the patterns of `to` that mean no model at all."""
        names = named(self.prices).names
        return tuple(each for each in self.asked.to if not any(_wanted(name, (each,)) for name in names))

    def twins(self, model: str) -> list[Name]:
        """Return who else offers a model of this name."""
        return [each for each in named(self.prices).names if basename(each.model) == basename(model)]

    def _declared(self, traffic: Traffic) -> list[Name]:
        """Return the cheapest models that pricing.toml has a price for."""
        found = merged(self._candidates(traffic, self.declared), tuple(MAKERS))
        return [each.offer.name for each in found if each.priced.usd is not None][:_DECLARED]

    def _twins(self, names: Iterable[Name], traffic: Traffic, model: str) -> list[Name]:
        """Return the cheapest models that are called as this one."""
        found = self._candidates(traffic, [each for each in names if basename(each.model) == basename(model)])
        priced = [each.offer.name for each in merged(found, tuple(MAKERS)) if each.priced.usd is not None]
        return priced[:_NAMESAKES]

    def _candidates(self, traffic: Traffic, names: Iterable[Name]) -> list[Candidate]:
        offers = [found for each in names if (found := self._offer(each))]
        return candidates(traffic, offers, self.prices, self.now)

    def _offer(self, name: Name) -> Offer | None:
        if name not in self._offers:
            self._offers[name] = offer(name, self.prices, self.now)
        return self._offers[name]

    def _answers(self, name: Name) -> bool:
        found = self._offer(name)
        return found is not None and "output" in found.quote.prices

    def shadow(self, model: str) -> Offer | None:
        """Return the shadow price of a model that is served here, None where pricing.toml has none."""
        quote = self.prices.quote(LOCAL, model, self.now)
        return Offer(Name(LOCAL, SHADOW), quote) if quote else None

    def quote(self, each: Used, way: Way) -> Quote | None:
        """Return the list price of what a provider is asked for now."""
        return None if each.provider == LOCAL else self.prices.quote(each.provider, each.model, self.now, way)


def _wanted(name: Name, patterns: Iterable[str]) -> bool:
    """Say whether a pattern means this model: with a slash provider/model, else a model's own name, whoever has it."""
    whole, bare = str(name).lower(), name.model.lower().rsplit("/", 1)[-1]
    return any(fnmatchcase(whole if "/" in pattern else bare, pattern.lower()) for pattern in patterns)

"""What a model costs: pricing.toml's entry over the list of its provider, class by class, negotiated rates included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from infertop.money.book.listing import Listing
from infertop.money.book.prices import terms
from infertop.money.dates import ALWAYS, begins
from infertop.money.entry_prices import entry_prices, scaled, with_kinds
from infertop.money.model_prices import NEVER, Chosen, ModelEntries
from infertop.money.quote import FACTOR, STANDARD_RATE, Quote, UnitPrice, Way
from infertop.money.settings import ProviderFactor, Settings
from infertop.readings.model import LOCAL
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES

_PREFIXING = "litellm"
_ORDER = (*TOKEN_CLASSES, *CALL_UNITS)
_REMEMBERED = 4096
# Prices by the hour of the day make spans of hours: the last few of a model are enough for records in their order.
_SPANS = 4


class _Spanned(NamedTuple):
    """The answer from `start` until before `end`."""

    quote: Quote | None
    start: float
    end: float


class Quotes:
    """The quotes of one pricing.toml over one snapshot of list prices; what was asked before is remembered."""

    def __init__(self, settings: Settings, listing: Callable[[], Listing]) -> None:
        """Put `settings` over what `listing` returns, which is not asked for the models of own engines."""
        self._zone = settings.zone
        self._factors = settings.providers
        self._entries = ModelEntries(settings.models, settings.zone)
        self._bare = not settings.models and not settings.providers
        self._ask = listing
        self._kept: dict[tuple[str, str, Way], tuple[_Spanned, ...]] = {}

    def quote(self, provider: str, model: str, ts: float, way: Way) -> Quote | None:
        """Return what a model costs at `ts`, None where neither pricing.toml nor the list says; see `PriceBook`."""
        asked = (provider, model, way)
        kept = self._kept.get(asked, ())
        for each in kept:
            if each.start <= ts < each.end:
                return each.quote
        made = self._local(model, ts, way) if provider == LOCAL else self._listed(provider, model, ts, way)
        if len(self._kept) >= _REMEMBERED:
            # Names come from outside and may be made up without end.
            self._kept.clear()
        self._kept[asked] = (made, *kept[: _SPANS - 1])
        return made.quote

    def _local(self, model: str, ts: float, way: Way) -> _Spanned:
        """Return the shadow price of a model that is served here."""
        chosen = self._entries.choose((model,), lambda stated: fnmatchcase(LOCAL, stated.lower()), ts)
        return _spanned(_merged(chosen, None, LOCAL, way), chosen.start, chosen.end)

    def _listed(self, provider: str, model: str, ts: float, way: Way) -> _Spanned:
        listed = self._listing.quote(provider, model, ts, way)
        if self._bare:
            return _Spanned(listed, listed.start, listed.end) if listed else _Spanned(None, ALWAYS, NEVER)
        behind = self._behind(provider, model)
        asked = self._listing.provider(behind[0] if behind else provider) or (listed.provider if listed else None)
        names = (model, behind[1]) if behind else (model,)
        chosen = self._entries.choose(names, self._fits(provider, asked), ts)
        factor, start, end = self._factor(provider, asked, ts)
        if listed and factor:
            listed = _negotiated(listed, factor)
        start, end = max(start, chosen.start), min(end, chosen.end)
        if listed:
            start, end = max(start, listed.start), min(end, listed.end)
        return _spanned(_merged(chosen, listed, asked or provider, way), start, end)

    @property
    def _listing(self) -> Listing:
        return self._ask()

    def _behind(self, provider: str, model: str) -> tuple[str, str] | None:
        """Return the provider and the model that litellm names in one, None where there is no such prefix."""
        first, slash, rest = model.partition("/")
        behind = provider.lower() == _PREFIXING and slash and self._listing.provider(first)
        return (first, rest) if behind else None

    def _fits(self, provider: str, asked: str | None) -> Callable[[str], bool]:
        """Return the test of whether an entry's provider, a name or a glob, means the one that is asked."""
        names = {provider.lower(), asked or provider.lower()}

        def fits(stated: str) -> bool:
            return any(fnmatchcase(name, stated.lower()) for name in names) or self._is_alias(stated, asked)

        return fits

    def _is_alias(self, stated: str, asked: str | None) -> bool:
        """Say whether `stated` is another name of the provider `asked`: "vertex" of google, no "my-google" of it."""
        return asked is not None and asked not in stated.lower() and self._listing.provider(stated) == asked

    def _factor(self, provider: str, asked: str | None, ts: float) -> tuple[ProviderFactor | None, float, float]:
        """Return the negotiated factor at `ts` and the span in which it holds: by the very name before another one."""
        found = [
            (each.provider.lower() == provider.lower(), begins(each.since, self._zone), each)
            for each in self._factors
            if each.provider.lower() in (provider.lower(), asked) or self._is_alias(each.provider, asked)
        ]
        begun = [each for each in found if each[1] <= ts]
        best = max(begun, key=lambda each: each[:2], default=None)
        return (
            best[2] if best else None,
            max((each[1] for each in begun), default=ALWAYS),
            min((each[1] for each in found if each[1] > ts), default=NEVER),
        )


def _spanned(quote: Quote | None, start: float, end: float) -> _Spanned:
    return _Spanned(replace(quote, start=start, end=end) if quote else None, start, end)


def _negotiated(listed: Quote, by: ProviderFactor) -> Quote:
    """Return a list's prices times the negotiated factor; they hold since both do."""
    if by.factor == 1:
        return listed
    since = by.since.isoformat() if by.since else ""
    prices = {
        name: replace(scaled(unit, by.factor), since=max(unit.since, since)) for name, unit in listed.prices.items()
    }
    flags = (*listed.flags, f"{FACTOR}:{by.factor.normalize():f}")
    return replace(listed, prices=prices, since=max(listed.since, since), flags=flags)


def _merged(chosen: Chosen, listed: Quote | None, provider: str, way: Way) -> Quote | None:
    """Return the entry's prices, and the list's for what the entry leaves out; None where neither has any.

    What only stands for another class in the list follows that class, whoever prices it now.
    """
    entry = chosen.entry
    if entry is None:
        return listed
    own = entry_prices(entry, tuple(terms(way).words))
    of_list = listed.prices if listed else {}
    rest = {
        name: replace(unit, flags=listed.flags)
        for name, unit in of_list.items()
        if listed and name not in own and not unit.stands_for
    }
    found = with_kinds(_with_stand_ins({**rest, **own}, of_list))
    prices, flags = _shared_flags({name: found[name] for name in _ORDER if name in found})
    name = next(iter(prices), None)
    if name is None:
        return None
    by_list = listed is not None and name in rest
    return Quote(
        provider=listed.provider if listed and by_list else provider,
        matched=listed.matched if listed and by_list else entry.pattern,
        source=prices[name].source,
        since=prices[name].since,
        prices=prices,
        flags=flags,
    )


def _shared_flags(prices: Mapping[str, UnitPrice]) -> tuple[dict[str, UnitPrice], tuple[str, ...]]:
    """Return prices with the flags that only some of them have, and those that all of them have."""
    every = dict.fromkeys(flag for each in prices.values() for flag in each.flags)
    shared = [flag for flag in every if all(flag in each.flags or _never(flag, name) for name, each in prices.items())]
    alone = {
        name: replace(each, flags=tuple(flag for flag in each.flags if flag not in shared and not _never(flag, name)))
        for name, each in prices.items()
    }
    return alone, tuple(shared)


def _never(flag: str, name: str) -> bool:
    """Say whether a flag means nothing for a price: calls have no ways of processing."""
    return name in CALL_UNITS and flag.startswith(STANDARD_RATE)


def _with_stand_ins(prices: dict[str, UnitPrice], of_list: Mapping[str, UnitPrice]) -> dict[str, UnitPrice]:
    found = dict(prices)
    for name, unit in of_list.items():
        if unit.stands_for and name not in prices and unit.stands_for in prices:
            found[name] = replace(prices[unit.stands_for], stands_for=unit.stands_for, minimum=unit.minimum)
    return found

"""What pricing.toml said and since when: which price holds for a use of any time.

- What has a `from` holds from that day on, by the newest file alone: the files before it do not matter.
- What has none holds from the moment its file was loaded until another was. For earlier uses it is taken only where
  there was no price.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from infertop.money.dates import ALWAYS, Dated, begins
from infertop.money.deployments.booked import spends
from infertop.money.quote import STANDARD, Quote, UnitPrice, Way
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings

_FOREVER = float("inf")
_KEPT = 4096


class Loaded(NamedTuple):
    """What a file said about prices, and when it was loaded (epoch seconds)."""

    ts: float
    settings: Settings


@dataclass(frozen=True, slots=True)
class Found:
    """A quote, and which of its classes have a price with a `from`."""

    quote: Quote | None
    dated: frozenset[str] = frozenset()


class PriceHistory:
    """The states of pricing.toml up to `newest`, oldest first. The price lists are those of the newest."""

    def __init__(self, newest: PriceBook, loaded: Sequence[Loaded] = ()) -> None:
        """Take what was loaded, the newest included; without, it is taken to hold always."""
        self.newest = newest
        self.loaded = tuple(loaded) or (Loaded(ALWAYS, prices_of(newest.settings)),)
        self._bare: dict[int, PriceBook] = {}
        self._found: dict[tuple[str, str, Way], tuple[float, float, Found]] = {}

    def quote(self, provider: str, model: str, ts: float, way: Way = STANDARD) -> Quote | None:
        """Return the unit prices of a model for a use at `ts`, None where it has none."""
        return self.find(provider, model, ts, way).quote

    def find(self, provider: str, model: str, ts: float, way: Way = STANDARD) -> Found:
        """Return the unit prices of a model for a use at `ts`, and which of them have a `from`."""
        asked = (provider, model, way)
        known = self._found.get(asked)
        if known is None or not known[0] <= ts < known[1]:
            if len(self._found) >= _KEPT:
                # Names come from outside and may be made up without end.
                self._found.clear()
            known = self._found[asked] = self._find(provider, model, ts, way)
        return known[2]

    def undated(self, ts: float) -> Iterator[PriceBook]:
        """Iterate over the prices without `from`: those that held at `ts`, then what was loaded after it."""
        return (self.bare(i) for i in range(self._at(ts), len(self.loaded)))

    def bare(self, number: int = -1) -> PriceBook:
        """Return the prices without `from` of a state, by default the newest."""
        number %= len(self.loaded)
        if number not in self._bare:
            bare = _without_dates(self.loaded[number].settings)
            newest = number == len(self.loaded) - 1 and bare == self.loaded[number].settings
            self._bare[number] = self.newest if newest else PriceBook(bare, self.newest.listing)
        return self._bare[number]

    def edges(self) -> list[float]:
        """Return every time at which another price may begin, those of the lists and of tariffs aside."""
        said = self.loaded[-1].settings
        dated: list[Dated] = [*said.gpus, *said.models, *said.providers]
        dated += [each for each in (said.host, said.energy) if each is not None]
        days = {begins(each.since, said.zone) for each in dated}
        return sorted((days | {each.ts for each in self.loaded}) - {ALWAYS})

    def _at(self, ts: float) -> int:
        return max((i for i, each in enumerate(self.loaded) if each.ts <= ts), default=0)

    def _find(self, provider: str, model: str, ts: float, way: Way) -> tuple[float, float, Found]:
        """Return what is found from a time until before another."""
        at, last = self._at(ts), len(self.loaded) - 1
        now, bare = self.newest.quote(provider, model, ts, way), self.bare().quote(provider, model, ts, way)
        base = bare.prices if bare else {}
        dated = frozenset(name for name, unit in now.prices.items() if base.get(name) != unit) if now else frozenset()
        asked = [now]
        if at < last:
            asked = [_only(now, dated), *(each.quote(provider, model, ts, way) for each in self.undated(ts))]
        merged = _merged([each for each in asked if each is not None])
        if merged is None:
            # No list begins to have a price: what lacks one lacks it until the file says otherwise.
            edges = self.edges()
            after = bisect_right(edges, ts)
            return (edges[after - 1] if after else ALWAYS), (edges[after : after + 1] or [_FOREVER])[0], Found(None)
        known = [each for each in (now, bare, *asked) if each is not None]
        start = max([self.loaded[at].ts if at else ALWAYS, *(each.start for each in known)])
        end = min([self.loaded[at + 1].ts if at < last else _FOREVER, *(each.end for each in known)])
        return start, end, Found(replace(merged, start=start, end=end), dated)


def prices_of(settings: Settings) -> Settings:
    """Return what a file says about prices that hold by time, and nothing else."""
    return Settings(
        zone=settings.zone,
        gpus=settings.gpus,
        host=settings.host,
        energy=settings.energy,
        models=settings.models,
        providers=settings.providers,
        deployments=tuple(each for each in settings.deployments if spends(each)),
    )


def _without_dates(settings: Settings) -> Settings:
    return replace(
        settings,
        gpus=tuple(each for each in settings.gpus if each.since is None),
        host=None if settings.host is None or settings.host.since else settings.host,
        energy=None if settings.energy is None or settings.energy.since else settings.energy,
        models=tuple(each for each in settings.models if each.since is None),
        providers=tuple(each for each in settings.providers if each.since is None),
        deployments=tuple(each for each in settings.deployments if each.since is None),
    )


def _only(quote: Quote | None, names: frozenset[str]) -> Quote | None:
    if quote is None or not names:
        return None
    return replace(quote, prices={name: unit for name, unit in quote.prices.items() if name in names})


def _merged(quotes: Sequence[Quote]) -> Quote | None:
    """Return the first price of each class, with the flags of the quotes that gave one."""
    prices: dict[str, UnitPrice] = {}
    giving: list[Quote] = []
    for each in quotes:
        more = {name: unit for name, unit in each.prices.items() if name not in prices}
        if more:
            giving.append(each)
            prices |= more
    if not giving:
        return None
    return replace(giving[0], prices=prices, flags=tuple(dict.fromkeys(word for each in giving for word in each.flags)))

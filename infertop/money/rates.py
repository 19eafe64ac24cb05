"""The price book: pricing.toml over the default rates of GPUs and the list prices of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from infertop.money import energy as power
from infertop.money.book.listing import Listing
from infertop.money.book.load import shipped
from infertop.money.dates import Calendar
from infertop.money.gpu_rate import GpuRate, gpu_rate
from infertop.money.hourly import host_price
from infertop.money.lines import Price
from infertop.money.quote import STANDARD, Quote, Way
from infertop.money.quotes import Quotes
from infertop.money.settings import HourlyRate, Settings
from infertop.readings.model import LOCAL
from infertop.readings.registry import TOKEN_CLASSES

PER_MILLION_TOKENS = "1M tokens"
# Names of GPUs come from outside: no more than this many are remembered.
_RATES_KEPT = 4096


class PriceBook:
    """The prices of one state of pricing.toml over the defaults; two books with the same content are equal."""

    def __init__(
        self, settings: Settings, listing: Listing | None = None, find: Callable[[], Listing] = shipped
    ) -> None:
        """Put `settings` over the prices of `listing`; None is the one that `find` returns when it is first needed."""
        self.settings = settings
        self._listing = listing
        self._find = find
        self._calendar = Calendar(settings)
        self._quotes = Quotes(settings, lambda: self.listing)
        self._rates: dict[tuple[int, str, int | None, int | None], GpuRate] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PriceBook):
            return NotImplemented
        return self.settings == other.settings and self._lists_like(other)

    def __hash__(self) -> int:
        return hash(self.settings)

    @property
    def listing(self) -> Listing:
        """The snapshot of list prices under pricing.toml."""
        if self._listing is None:
            self._listing = self._find()
        return self._listing

    @property
    def timezone(self) -> ZoneInfo:
        """The zone whose days and tariffs count."""
        return self.settings.zone

    def costs_like(self, other: PriceBook) -> bool:
        """Say whether GPUs, energy, the host and deployments cost the same by both."""
        one, two = self.settings, other.settings
        if (one.gpus, one.host, one.energy) != (two.gpus, two.host, two.energy):
            return False
        return (one.deployments, one.zone) == (two.deployments, two.zone)

    def _lists_like(self, other: PriceBook) -> bool:
        if self._listing is None and other._listing is None and self._find is other._find:
            return True
        return self.listing == other.listing

    def quote(self, provider: str, model: str, ts: float, way: Way = STANDARD) -> Quote | None:
        """Return what a model of a provider costs at `ts` for that way of processing, None where nobody says.

        It is pricing.toml's entry over the provider's list, class by class. For the provider "local" it is the shadow
        price of a model that is served here.
        """
        return self._quotes.quote(provider, model, ts, way)

    def gpu_rate(
        self, name: str, memory_total_bytes: int | None = None, slices: int | None = None, *, ts: float
    ) -> GpuRate:
        """Return the rate of a GPU or MIG instance at `ts`, see `gpu_rate`."""
        asked = (self._calendar.period(ts), name, memory_total_bytes, slices)
        rate = self._rates.get(asked)
        if rate is None:
            if len(self._rates) >= _RATES_KEPT:
                self._rates.clear()  # another thread may do so too: the rate itself is held here
            rate = self._rates[asked] = gpu_rate(self._calendar.at(ts), name, memory_total_bytes, slices)
        return rate

    def gpu_price(
        self, name: str, memory_total_bytes: int | None = None, slices: int | None = None, *, ts: float
    ) -> Price | None:
        """Return USD per hour of a GPU or MIG instance at `ts`, or None where it has no price."""
        return self.gpu_rate(name, memory_total_bytes, slices, ts=ts).price

    def energy_price(self, ts: float) -> Price:
        """Return USD per kWh measured at the GPU at `ts`; it applies to GPUs whose rate is `owned`, and to no other."""
        return power.energy_price(self._calendar.at(ts).energy, ts, self.settings.zone)

    def energy_terms(self, ts: float) -> power.EnergyTerms:
        """Return what the price of a kWh at `ts` is made of."""
        return power.energy_terms(self._calendar.at(ts).energy, ts, self.settings.zone)

    def host_rate(self, ts: float) -> HourlyRate | None:
        """Return what pricing.toml says of the host at `ts`, or None where it says nothing."""
        return self._calendar.at(ts).host

    def host_price(self, ts: float) -> Price | None:
        """Return USD per hour of the host at `ts`, or None where it has no price."""
        return host_price(self._calendar.at(ts))

    def shadow_price(self, model: str, ts: float) -> Mapping[str, Price]:
        """Return USD per 1M tokens by class of a model that is served here, empty where pricing.toml has none."""
        quote = self.quote(LOCAL, model, ts)
        if quote is None:
            return {}
        return {
            name: Price(f"{model} {unit.stands_for or name}", unit.usd, PER_MILLION_TOKENS, unit.source, unit.since)
            for name, unit in quote.prices.items()
            if name in TOKEN_CLASSES
        }

    def explain_gpu(self, name: str, memory_total_bytes: int | None, slices: int | None, ts: float) -> tuple[str, ...]:
        """Return formula, inputs and their sources of a GPU's $/hour, a sentence a line."""
        rate = self.gpu_rate(name, memory_total_bytes, slices, ts=ts)
        if not rate.owned:
            return rate.lines
        return (*rate.lines, power.explain(self._calendar.at(ts).energy, ts, self.settings.zone))

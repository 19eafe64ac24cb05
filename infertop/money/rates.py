"""What an hour of a GPU or of the host costs, and every other price that the ledger is made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from infertop.money import energy as power
from infertop.money import gpu_rates
from infertop.money.book.listing import Listing
from infertop.money.book.load import shipped
from infertop.money.dates import Calendar
from infertop.money.lines import Price
from infertop.money.model_prices import LOCAL
from infertop.money.quote import Quote, Way
from infertop.money.quotes import STANDARD, Quotes
from infertop.money.settings import HourlyRate, Owned, Settings
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.safe import safe

HOURS_PER_YEAR = 8760
HOURS_PER_MONTH = 730
PER_GPU_HOUR = "GPU hour"
PER_HOST_HOUR = "host hour"
PER_MILLION_TOKENS = "1M tokens"
_PRECISION = Decimal("1e-12")
# Names of GPUs come from outside: no more than this many are remembered.
_RATES_KEPT = 4096


@dataclass(frozen=True, slots=True)
class GpuRate:
    """What an hour of one GPU or MIG instance costs; `price` is None where nobody knows.

    `owned` GPUs pay for their energy apart, by `PriceBook.energy_price`; the rate of a rented one includes it.
    `lines` explain the rate: formula first, then what to do about it. It is by pricing.toml's entry `hourly`, or by the
    row `listed` of the default rates; `part` are its compute slices, and those of the whole GPU whose rate it shares.
    """

    price: Price | None
    owned: bool
    key: str | None
    lines: tuple[str, ...]
    hourly: HourlyRate | None = None
    listed: gpu_rates.DefaultRate | None = None
    part: tuple[int, int] | None = None


def gpu_rate(
    settings: Settings, name: str, memory_total_bytes: int | None = None, slices: int | None = None
) -> GpuRate:
    """Return the rate of the GPU that NVML names `name`: pricing.toml's, else the default one, else none.

    `settings` have the rates that hold at the time that is asked about, see `dates.Calendar`.
    A MIG instance costs the whole GPU's rate times its compute `slices` (else those in its name) over those of the
    whole, unless pricing.toml names the instance itself.
    """
    whole = gpu_rates.without_mig(name)
    instance = next((each for each in settings.gpus if each.name == name != whole), None)
    if instance:
        return _set(instance, name, gpu_rates.gpu_key(name), Decimal(1), "")
    part = slices if slices is not None else gpu_rates.mig_slices(name)
    # What a MIG instance reports is its own memory, which does not tell the GPU.
    key = gpu_rates.gpu_key(whole, memory_total_bytes if part is None else None)
    of = gpu_rates.whole_slices(key)
    cut = None if part is None else (min(max(part, 0), of), of)
    share = Decimal(1) if cut is None else Decimal(cut[0]) / of
    shared = "" if part is None else f" x {part}/{of} compute slices"
    if chosen := _chosen(settings.gpus, whole, key):
        return replace(_set(chosen, name, key, share, shared), part=cut)
    return replace(_default(name, key, share, shared), part=cut)


def _chosen(rates: Iterable[HourlyRate], name: str, key: str | None) -> HourlyRate | None:
    """Return the user's rate: NVML's exact name first, then the key, then its family, then globs in their order."""
    by_name = {each.name: each for each in rates}
    if name in by_name:
        return by_name[name]
    if key:
        by_key = {gpu_rates.family_key(each): rate for each, rate in by_name.items()}
        for kind in gpu_rates.families(key):
            if kind in by_key:
                return by_key[kind]
    globs = (each for each in by_name.values() if any(ch in each.name for ch in "*?["))
    return next((each for each in globs if fnmatchcase(name, each.name) or fnmatchcase(key or "", each.name)), None)


def _set(rate: HourlyRate, name: str, key: str | None, share: Decimal, shared: str) -> GpuRate:
    usd = _share(hourly_usd(rate), share)
    price = Price(name, usd, PER_GPU_HOUR, rate.where, _since(rate))
    line = f"$/hour = {formula(rate)}{shared} = {_plain(usd)} USD/h"
    owned = rate.owned is not None
    return GpuRate(price, owned, key, (line, "energy is priced apart") if owned else (line,), hourly=rate)


def _default(name: str, key: str | None, share: Decimal, shared: str) -> GpuRate:
    # Another form of the same chip (NVL) has no price but its own: never its neighbour's.
    row = gpu_rates.default_rates().get(key or "")
    paste = f'[gpu."{_toml(gpu_rates.without_mig(name))}"]'
    if row is None or row.usd_per_hour is None:
        return GpuRate(
            None, False, key, (f"no price for {safe(name, 80)}: set usd_per_hour under {paste} in pricing.toml",)
        )
    usd = _share(row.usd_per_hour, share)
    price = Price(name, usd, PER_GPU_HOUR, f"default rates {row.date}", default=True)
    lines = (
        f"$/hour = default rate of {key}: {row.usd_per_hour} USD/h{shared} = {_plain(usd)} USD/h",
        f"read on {row.date}: {row.note}",
        f"yours may differ by a factor of 2 to 4: set usd_per_hour under {paste} in pricing.toml",
    )
    return GpuRate(price, False, key, lines, listed=row)


def host_price(settings: Settings) -> Price | None:
    """Return what an hour of the host costs, or None where [host] is not set."""
    if settings.host is None:
        return None
    host = settings.host
    return Price("host", _share(hourly_usd(host), Decimal(1)), PER_HOST_HOUR, host.where, _since(host))


def _since(rate: HourlyRate) -> str:
    return rate.since.isoformat() if rate.since else ""


def hourly_usd(rate: HourlyRate) -> Decimal:
    """Return USD per powered-on hour, overhead included, energy apart where it is owned."""
    if rate.owned:
        return amortised_usd(rate.owned)
    return (rate.usd_per_hour or Decimal(0)) + rate.overhead_usd_per_month / HOURS_PER_MONTH


def amortised_usd(owned: Owned) -> Decimal:
    """Return (purchase - residual) / (lifetime x 8760 h x availability) + monthly overhead / 730 h, USD per hour."""
    hours = owned.lifetime_years * HOURS_PER_YEAR * owned.availability
    return (owned.purchase_usd - owned.residual_usd) / hours + owned.overhead_usd_per_month / HOURS_PER_MONTH


def formula(rate: HourlyRate) -> str:
    """Return how the rate is come by, with its inputs and where they stand."""
    own = rate.owned
    monthly = own.overhead_usd_per_month if own else rate.overhead_usd_per_month
    overhead = f" + {monthly} USD / 730 h overhead" if monthly else ""
    if own is None:
        return f"rented at {rate.usd_per_hour} USD/h{overhead} ({safe(rate.where)})"
    return (
        f"({own.purchase_usd} - {own.residual_usd}) USD / ({own.lifetime_years} years x 8760 h"
        f" x availability {own.availability}){overhead} ({safe(rate.where)})"
    )


def _share(usd: Decimal, share: Decimal) -> Decimal:
    """Return `usd * share` to 1e-12 USD, without trailing zeros: the same price always reads the same."""
    return Decimal(f"{(usd * share).quantize(_PRECISION).normalize():f}")


def _plain(usd: Decimal) -> str:
    return f"{usd.quantize(Decimal('1e-6')).normalize():f}"


def _toml(name: str) -> str:
    return safe(name, 80).replace("\\", "\\\\").replace('"', '\\"')


class PriceBook:
    """The prices of one state of pricing.toml over the defaults; two books with the same content are equal."""

    def __init__(self, settings: Settings, listing: Listing | None = None) -> None:
        """Put `settings` over the list prices of `listing`; None is the shipped one, read when it is first needed."""
        self.settings = settings
        self._listing = listing
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
            self._listing = shipped()
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

    def api_costs_like(self, other: PriceBook) -> bool:
        """Say whether every model costs the same by both, at every time."""
        one, two = self.settings, other.settings
        same = (one.models, one.providers, one.zone) == (two.models, two.providers, two.zone)
        return same and self._lists_like(other)

    def _lists_like(self, other: PriceBook) -> bool:
        return (self._listing is other._listing) or self.listing == other.listing

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
        if asked not in self._rates:
            if len(self._rates) >= _RATES_KEPT:
                self._rates.clear()
            self._rates[asked] = gpu_rate(self._calendar.at(ts), name, memory_total_bytes, slices)
        return self._rates[asked]

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

    def explain_host(self, ts: float) -> tuple[str, ...]:
        """Return formula, inputs and their sources of the host's $/hour, a sentence a line."""
        price, host = self.host_price(ts), self._calendar.at(ts).host
        if price is None or host is None:
            return ("no price for the host: set usd_per_hour under [host] in pricing.toml",)
        return (f"$/hour = {formula(host)} = {_plain(price.usd)} USD/h",)

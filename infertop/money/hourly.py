"""What an hour of something costs that is rented or owned, and of the host."""

from __future__ import annotations

from decimal import Decimal

from infertop.money.lines import Price
from infertop.money.settings import HourlyRate, Owned, Settings
from infertop.readings.safe import safe

HOURS_PER_YEAR = 8760
HOURS_PER_MONTH = 730
PER_HOST_HOUR = "host hour"
_PRECISION = Decimal("1e-12")


def host_price(settings: Settings) -> Price | None:
    """Return what an hour of the host costs, or None where [host] is not set."""
    if settings.host is None:
        return None
    host = settings.host
    return Price("host", shared_usd(hourly_usd(host), Decimal(1)), PER_HOST_HOUR, host.where, since_of(host))


def since_of(rate: HourlyRate) -> str:
    """Return the date from which a rate holds as a price says it, or nothing."""
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


def shared_usd(usd: Decimal, share: Decimal) -> Decimal:
    """Return `usd * share` to 1e-12 USD, without trailing zeros: the same price always reads the same."""
    return Decimal(f"{(usd * share).quantize(_PRECISION).normalize():f}")


def plain(usd: Decimal) -> str:
    """Return USD to a millionth, without trailing zeros."""
    return f"{usd.quantize(Decimal('1e-6')).normalize():f}"

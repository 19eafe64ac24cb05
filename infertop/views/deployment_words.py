"""Figures of deployments as sentences say them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from zoneinfo import ZoneInfo

from infertop.money.deployments.declared import Deployment
from infertop.money.gpu_rate import GpuRate
from infertop.money.quote import Quote
from infertop.readings.registry import TOKEN_CLASSES

_MILLION = 1_000_000
_CENT = Decimal("0.01")


def dollars(usd: Decimal) -> str:
    """Return an amount: to the cent, below one to four digits."""
    return f"${usd:,.2f}" if not usd or abs(usd) >= _CENT else f"${usd:.4g}"


def percent(share: Decimal) -> str:
    """Return a share of the whole to three digits: "64 %", "5.56 %", "1,240 %"."""
    hundredths = share * 100
    if hundredths >= 1000:
        return f"{hundredths:,.0f} %"
    return f"{float(f'{hundredths:.3g}'):g} %"


def amount(value: Decimal) -> str:
    """Return a count as a person reads it: "1,500", "11.4 M"."""
    if value >= 10 * _MILLION:
        return f"{value / _MILLION:,.1f} M"
    return f"{value:,.0f}" if value >= 100 else f"{float(f'{value:.3g}'):g}"


def list_price(quotes: Iterable[Quote], used: Iterable[str]) -> str:
    """Return the prices of the classes that were used, and where they are from."""
    used = set(used)
    said = []
    for quote in {(each.provider, each.matched): each for each in quotes}.values():
        prices = (
            f"{name} {dollars(unit.usd * _MILLION / unit.per)}"
            for name in TOKEN_CLASSES
            if name in used and (unit := quote.prices.get(name)) is not None
        )
        said.append(f"{quote.matched}: {', '.join(prices)} per 1M tokens ({source_of(quote)})")
    return "; ".join(said[:3])


def source_of(quote: Quote) -> str:
    """Return where a quote's prices are from, since when, and what was made of them."""
    since = f" since {quote.since}" if quote.since else ""
    return f"{quote.source}{since}{''.join(f', {flag}' for flag in quote.flags)}"


def hourly_source(rate: GpuRate) -> str:
    """Return what an hour of a GPU costs and where that is from, or that it has no price."""
    price = rate.price
    if price is None:
        return rate.lines[0]
    default = ", default: nobody set it" if price.default else ""
    return f"{dollars(price.usd)}/h ({price.source}{default}{', its energy apart' if rate.owned else ''})"


def existence(deployment: Deployment, zone: ZoneInfo) -> tuple[str, ...]:
    """Return a line that says from when to when a deployment exists, none where that is always."""
    said = [f"{word} {day}" for word, day in (("since", deployment.since), ("until", deployment.until)) if day]
    return (f"it exists {' '.join(said)} ({zone})",) if said else ()

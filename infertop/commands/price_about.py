"""What the price book is, and what is laid over it: `infertop prices` without a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infertop.commands.price_text import age_days, wrapped
from infertop.commands.priced_line import plain
from infertop.commands.setup import Setup
from infertop.money.book.corrections import corrections
from infertop.money.hourly import formula
from infertop.money.rates import PriceBook
from infertop.money.settings import Energy, ModelPrices
from infertop.readings.safe import safe


def about_lines(setup: Setup, book: PriceBook, now: float) -> Iterator[str]:
    """Iterate over the lines."""
    listing = book.listing
    models = listing.models()
    providers = len({each.provider for each in models})
    yield f"list prices    {listing.name} of genai-prices {listing.version}, {age_days(book, now)} days old"
    yield f"               {len(models):,} models of {providers} providers"
    yield "               newer, from an installed genai-prices: infertop prices --refresh"
    held = [each for each in corrections() if listing.reason(each.provider, each.model)]
    yield f"corrections    {len(held)} in force" + (
        f" of {len(corrections())}" if len(held) < len(corrections()) else ""
    )
    for each in held:
        yield from wrapped(f"{each.provider} {each.model}: {each.why}")
    yield from _own(setup, book)


def _own(setup: Setup, book: PriceBook) -> Iterator[str]:
    loaded, settings = setup.watcher.current, book.settings
    yield f"your prices    {safe(loaded.path) if loaded.path else 'none: there is no pricing.toml'}"
    for notice in loaded.notices:
        yield from wrapped(notice)
    for model in settings.models:
        yield from wrapped(f"{model.where}  model {model.pattern}{_entry(model)}")
    for each in settings.providers:
        since = f" from {each.since}" if each.since else ""
        none = "" if book.listing.provider(each.provider) else ", but no list is of that name: it changes nothing"
        yield from wrapped(f"{each.where}  provider {each.provider}: list prices x {plain(each.factor)}{since}{none}")
    for rate in (*settings.gpus, *((settings.host,) if settings.host else ())):
        since = f" from {rate.since}" if rate.since else ""
        yield from wrapped(f"{rate.where}  {rate.name}: {formula(rate)}{since}")
    if settings.energy:
        yield from wrapped(f"{settings.energy.where}  energy {_energy(settings.energy)}")
    for deployment in settings.deployments:
        yield f"  {safe(deployment.where)}  deployment {safe(deployment.name, 60)}"


def _energy(energy: Energy) -> str:
    told = [f"{plain(energy.usd_per_kwh)} USD/kWh"]
    told += [f"{_clock(each.start)}-{_clock(each.end)} {plain(each.usd_per_kwh)}" for each in energy.tariffs]
    since = f" from {energy.since}" if energy.since else ""
    return f"{', '.join(told)} x PUE {energy.pue}{since}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _entry(model: ModelPrices) -> str:
    told = [f" of {model.provider}"] if model.provider else []
    told.append(": " + ", ".join(f"{each.name} {plain(each.usd)}" for each in (*model.prices, *model.calls)))
    told += [f", above {tier.above:,} other prices" for tier in model.tiers]
    told += [f", {each.name}{f' x {plain(each.factor)}' if each.factor is not None else ''}" for each in model.variants]
    told += [f", from {model.since}"] if model.since else []
    return "".join(told)


def about_json(book: PriceBook, now: float) -> dict[str, Any]:
    """Return what the book is, for a script."""
    listing = book.listing
    held = [each for each in corrections() if listing.reason(each.provider, each.model)]
    return {
        "schema": 1,
        "name": listing.name,
        "version": listing.version,
        "date": listing.date,
        "age_days": age_days(book, now),
        "models": len(listing.models()),
        "corrections": [{"provider": each.provider, "model": each.model, "reason": each.why} for each in held],
    }

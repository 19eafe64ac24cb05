"""What pricing.toml says that a million tokens of a model cost, by class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from infertop.money.lines import Price
from infertop.money.settings import ClassPrice, ModelPrices

LOCAL = "local"
PER = "1M tokens"
# A class without a price of its own costs what the class it is a kind of costs (in this order, so that it chains).
_FALLBACK = (
    ("cache_read", "input"),
    ("cache_write_5m", "input"),
    ("cache_write_1h", "cache_write_5m"),
    ("reasoning", "output"),
)


def model_prices(
    models: Iterable[ModelPrices], model: str, provider: str, ts: float, zone: ZoneInfo, *, batch: bool = False
) -> Mapping[str, Price]:
    """Return USD per 1M tokens by token class for `model` of `provider` at `ts`, empty where there is none.

    Entries with the exact name go before globs, those that name the provider before those that do not; then the
    file's order holds. An entry counts from the first moment of its `from` date in `zone`.
    """
    entry = _entry(models, model, provider, datetime.fromtimestamp(ts, zone).date().isoformat())
    if entry is None:
        return {}
    since = entry.since.isoformat() if entry.since else ""
    usd = {each.name: each for each in (_batch(entry) if batch else entry.prices)}
    for missing, kind in _FALLBACK:
        if missing not in usd and kind in usd:
            usd[missing] = usd[kind]
    return {name: Price(f"{model} {each.name}", each.usd, PER, each.where, since) for name, each in usd.items()}


def _entry(models: Iterable[ModelPrices], model: str, provider: str, today: str) -> ModelPrices | None:
    fitting = (
        each
        for each in models
        if (each.pattern == model or fnmatchcase(model, each.pattern))
        and (not each.provider or fnmatchcase(provider, each.provider))
        and (each.since is None or each.since.isoformat() <= today)
    )
    return min(fitting, key=lambda each: (each.pattern != model, not each.provider), default=None)


def _batch(entry: ModelPrices) -> tuple[ClassPrice, ...]:
    """Return the batch prices: a class that the table leaves out costs what it costs otherwise."""
    batch = next((each for each in entry.variants if each.name == "batch"), None)
    if batch is None:
        return entry.prices
    own = {each.name: each for each in batch.prices}
    factor = batch.factor if batch.factor is not None else Decimal(1)
    return tuple(own.get(each.name) or ClassPrice(each.name, each.usd * factor, each.where) for each in entry.prices)

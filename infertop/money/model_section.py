"""[model."NAME"]: what tokens and calls of a model cost, by provider, date, size of prompt and way of processing."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from infertop.money import checks
from infertop.money.schema import Key, Reader, Table, spelt
from infertop.money.section_parts import DAY, FREE_OR_MORE, as_it_is, dotted, repeated
from infertop.money.settings import VARIANTS, ClassPrice, ModelPrices, Tier, Variant
from infertop.money.toml_lines import Path
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES

_ENTRIES_LIMIT = 5000
_TIERS_LIMIT = 16
_TOKENS_LIMIT = 1_000_000_000
_FACTOR = checks.number(above=Decimal(0), most=Decimal(10))


_ABOVE = Key(checks.whole(_TOKENS_LIMIT, "tokens"), required=True)
_TIER = {"above": _ABOVE} | dict.fromkeys(TOKEN_CLASSES, FREE_OR_MORE)
_VARIANT = {"tiers": Key(as_it_is)} | dict.fromkeys(TOKEN_CLASSES, FREE_OR_MORE)
_MODEL = (
    {"provider": Key(checks.text), "from": DAY}
    | _VARIANT
    | dict.fromkeys(VARIANTS, Key(as_it_is))
    | dict.fromkeys(CALL_UNITS, FREE_OR_MORE)
)


def read_models(reader: Reader, raw: object) -> tuple[ModelPrices, ...]:
    """Read all [model."NAME"] and [[model."NAME"]]; no two may be for the same models, provider and date."""
    stated = reader.named_tables(raw, ("model",))
    if len(stated) > _ENTRIES_LIMIT:
        reader.wrong(("model",), f"has more than {_ENTRIES_LIMIT} entries")
        return ()
    read = [(path, _model(reader, each, path)) for path, each in stated]
    entries = [(path, entry) for path, entry in read if entry]
    for path, other in repeated(
        (path, (each.pattern.lower(), each.provider.lower(), each.since)) for path, each in entries
    ):
        where = f"{spelt(other)} ({reader.where(other)})"
        reader.wrong(path, f"has the provider and the date of {where}: keep one, or set provider or from")
    return tuple(entry for _, entry in entries)


def _model(reader: Reader, raw: object, path: Path) -> ModelPrices | None:
    table = reader.table(raw, path, _MODEL, dotted(path))
    prices, calls = _prices(reader, table, TOKEN_CLASSES), _prices(reader, table, CALL_UNITS)
    tiers = _tiers(reader, table)
    variants = tuple(filter(None, (_variant(reader, table, name) for name in VARIANTS if name in table.values)))
    if not table.good:
        return None
    if not prices and not calls and not any(each.prices for each in variants):
        reader.wrong(path, "has no price: set input and output, in USD per million tokens")
        return None
    return ModelPrices(
        pattern=str(path[1]),
        where=reader.where(path),
        prices=prices,
        since=table.get("from"),
        calls=calls,
        tiers=tiers,
        variants=variants,
        **table.given("provider"),
    )


def _prices(reader: Reader, table: Table, names: Collection[str]) -> tuple[ClassPrice, ...]:
    given = table.given(*names)
    return tuple(ClassPrice(name, usd, reader.where((*table.path, name))) for name, usd in given.items())


def _variant(reader: Reader, table: Table, name: str) -> Variant | None:
    """Read `batch = 0.5`, or `batch = { input = 1.25 }`: a factor on the prices beside it, or prices of its own."""
    raw, at = table.get(name), (*table.path, name)
    if isinstance(raw, dict):
        own = reader.table(raw, at, _VARIANT)
        prices = _prices(reader, own, TOKEN_CLASSES)
        if own.good and not prices:
            reader.wrong(at, "has no price: set input and output, in USD per million tokens")
        return Variant(name, reader.where(at), prices=prices, tiers=_tiers(reader, own))
    factor = reader.table({name: raw}, table.path, {name: Key(_FACTOR)}).get(name)
    if factor is not None and table.good and not table.given(*TOKEN_CLASSES):
        reader.wrong(at, "is a factor on prices that this entry does not set: set input and output beside it")
    return None if factor is None else Variant(name, reader.where(at), factor)


def _tiers(reader: Reader, table: Table) -> tuple[Tier, ...]:
    """Read `tiers = [{ above = 200000, input = 6 }]`: ascending, each for classes that have a price below it."""
    at = (*table.path, "tiers")
    stated = reader.tables(table.get("tiers"), at)
    if len(stated) > _TIERS_LIMIT:
        reader.wrong(at, f"has more than {_TIERS_LIMIT} tiers")
        return ()
    tiers: list[Tier] = []
    for path, raw in stated:
        tier = _tier(reader, raw, path, table)
        if tier and tiers and tier.above <= tiers[-1].above:
            reader.wrong((*path, "above"), f"must be above {tiers[-1].above}, that of the tier before it")
        elif tier:
            tiers.append(tier)
    return tuple(tiers)


def _tier(reader: Reader, raw: object, path: Path, below: Table) -> Tier | None:
    table = reader.table(raw, path, _TIER)
    if not table.good:
        return None
    prices = _prices(reader, table, TOKEN_CLASSES)
    if not prices:
        reader.wrong(path, "has no price: set those that differ, in USD per million tokens")
    for each in prices:
        if below.good and each.name not in below.values:
            reader.wrong((*path, each.name), f"needs {spelt((*below.path, each.name))}, which smaller prompts pay")
    return Tier(table.get("above"), prices)

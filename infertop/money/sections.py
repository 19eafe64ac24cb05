"""The sections of pricing.toml: which keys each takes, and how it becomes settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from infertop.money import checks
from infertop.money.gpu_rates import family_key
from infertop.money.periods import PeriodKind
from infertop.money.schema import BROKEN, Key, Reader, Table, shown, spelt
from infertop.money.settings import (
    ALERT_AT,
    ASSIGN_CONDITIONS,
    ASSIGN_RESULTS,
    DIMENSIONS,
    UTC,
    Alert,
    Assignment,
    Budget,
    ClassPrice,
    Conditions,
    Energy,
    HourlyRate,
    ModelPrices,
    Owned,
    Settings,
    Tariff,
)
from infertop.money.source_section import read_source
from infertop.money.toml_lines import Path
from infertop.readings.registry import TOKEN_CLASSES

_ONE = Decimal(1)
_FREE_OR_MORE = checks.number(least=Decimal(0))
_ABOVE_0 = checks.number(above=Decimal(0))
_RATIO = checks.number(least=Decimal("0.01"), most=_ONE)
_SHARE = checks.number(above=Decimal(0), most=Decimal(10), note=": 0.5 is 50 % of the limit")

_SECTIONS = ("timezone", "gpu", "host", "energy", "model", "budget", "assign", "alert", "source")
_OWNED = ("purchase_usd", "lifetime_years", "residual_usd", "availability", "overhead_usd_per_month")
_RATE = {
    "usd_per_hour": Key(_FREE_OR_MORE),
    "purchase_usd": Key(_ABOVE_0),
    "lifetime_years": Key(checks.number(least=Decimal("0.01"), most=Decimal(100))),
    "residual_usd": Key(_FREE_OR_MORE),
    "availability": Key(_RATIO),
    "overhead_usd_per_month": Key(_FREE_OR_MORE),
}
_ENERGY = {
    "usd_per_kwh": Key(_FREE_OR_MORE, required=True),
    "pue": Key(checks.number(least=_ONE, most=Decimal(10))),
    "tariff": Key(lambda raw: raw),
}
_TARIFF = {
    "from": Key(checks.clock, required=True),
    "to": Key(checks.clock, required=True),
    "usd_per_kwh": Key(_FREE_OR_MORE, required=True),
}
_CLASS_PRICES = {name: Key(_FREE_OR_MORE) for name in TOKEN_CLASSES}
_MODEL = {"provider": Key(checks.text), "batch": Key(lambda raw: raw), "from": Key(checks.day)} | _CLASS_PRICES
_BATCH = {"batch": Key(checks.number(least=Decimal(0), most=Decimal(10)))}
_BUDGET = {
    "name": Key(checks.text, required=True),
    "limit_usd": Key(_ABOVE_0, required=True),
    "period": Key(checks.choice([each.value for each in PeriodKind]), required=True),
    "alert_at": Key(checks.list_of(_SHARE, most=20)),
} | {name: Key(checks.text) for name in DIMENSIONS}
_ASSIGN = {name: Key(checks.text) for name in (*ASSIGN_CONDITIONS, *ASSIGN_RESULTS)}
_ALERT = {"request_usd": Key(_ABOVE_0), "sigma": Key(checks.number(above=Decimal(0), most=Decimal(100)))}


def read_settings(reader: Reader, raw: Mapping[str, Any], kinds: Mapping[str, Collection[str]] | None) -> Settings:
    """Return what a parsed pricing.toml says; what is wrong with it is noted in `reader`, and left out."""
    top = reader.table(
        raw, (), {name: Key(checks.zone if name == "timezone" else lambda raw: raw) for name in _SECTIONS}
    )
    gpus = [_rate(reader, each, path, str(path[-1])) for path, each in reader.named_tables(raw.get("gpu"), ("gpu",))]
    models = [_model(reader, each, path) for path, each in reader.named_tables(raw.get("model"), ("model",))]
    budgets = [_budget(reader, each, path) for path, each in reader.tables(raw.get("budget"), ("budget",))]
    rules = [_assignment(reader, each, path) for path, each in reader.tables(raw.get("assign"), ("assign",))]
    stated = reader.tables(raw.get("source"), ("source",))
    sources = [read_source(reader, each, path, kinds) for path, each in stated]
    _no_two(reader, "budget", [_name(each) for _, each in reader.tables(raw.get("budget"), ("budget",))])
    _no_two(
        reader, "source", [read.name if read else _name(each) for read, (_, each) in zip(sources, stated, strict=True)]
    )
    _no_two_for_one_gpu(reader, raw.get("gpu"))
    return Settings(
        zone=top.get("timezone", UTC),
        gpus=tuple(filter(None, gpus)),
        host=_rate(reader, raw["host"], ("host",), "host") if "host" in raw else None,
        energy=_energy(reader, raw["energy"]) if "energy" in raw else None,
        models=tuple(filter(None, models)),
        budgets=tuple(filter(None, budgets)),
        assignments=tuple(filter(None, rules)),
        alert=Alert(**reader.table(raw.get("alert", {}), ("alert",), _ALERT).values),
        sources=tuple(filter(None, sources)),
    )


def _rate(reader: Reader, raw: object, path: Path, name: str) -> HourlyRate | None:
    table = reader.table(raw, path, _RATE, _dotted(path))
    if not table.good:
        return None
    rented, owned = "usd_per_hour" in table.values, table.given(*_OWNED)
    if rented and owned:
        reader.wrong(path, f"is rented (usd_per_hour) and owned ({next(iter(owned))}) at once: keep one")
    elif rented:
        return HourlyRate(name, reader.where((*path, "usd_per_hour")), usd_per_hour=table.get("usd_per_hour"))
    elif "purchase_usd" not in owned or "lifetime_years" not in owned:
        reader.wrong(path, "needs usd_per_hour (rented), or purchase_usd and lifetime_years (owned)")
    elif owned.get("residual_usd", Decimal(0)) > owned["purchase_usd"]:
        reader.wrong((*path, "residual_usd"), "must not be above purchase_usd")
    else:
        return HourlyRate(name, reader.where((*path, "purchase_usd")), owned=Owned(**owned))
    return None


def _dotted(path: Path) -> Any:
    """Return what to say of [model.gpt-4.1], which TOML reads as the table "1" in model.gpt-4."""

    def hint(name: str, value: object) -> str:
        whole = f"{path[-1]}.{name}"
        return f'; a name with a dot needs quotes: [{path[0]}."{whole}"]' if isinstance(value, dict) else ""

    return hint


def _energy(reader: Reader, raw: object) -> Energy | None:
    path: Path = ("energy",)
    table = reader.table(raw, path, _ENERGY)
    tariffs = [_tariff(reader, each, at) for at, each in reader.tables(table.get("tariff"), (*path, "tariff"))]
    _no_overlap(reader, tariffs)
    if not table.good:
        return None
    return Energy(
        where=reader.where((*path, "usd_per_kwh")),
        tariffs=tuple(filter(None, tariffs)),
        **table.given("usd_per_kwh", "pue"),
    )


def _tariff(reader: Reader, raw: object, path: Path) -> Tariff | None:
    table = reader.table(raw, path, _TARIFF)
    if not table.good:
        return None
    start, end = table.get("from"), table.get("to")
    if start == end:
        reader.wrong(path, "has no hours: from and to are the same")
        return None
    return Tariff(start, end, table.get("usd_per_kwh"), reader.where((*path, "usd_per_kwh")))


def _no_overlap(reader: Reader, tariffs: list[Tariff | None]) -> None:
    taken: dict[int, int] = {}
    for index, each in enumerate(tariffs):
        if each is None:
            continue
        length = (each.end - each.start) % 1440
        for minute in range(each.start, each.start + length):
            other = taken.setdefault(minute % 1440, index)
            if other != index:
                reader.wrong(("energy", "tariff", index), f"overlaps energy.tariff[{other}]")
                break


def _model(reader: Reader, raw: object, path: Path) -> ModelPrices | None:
    table = reader.table(raw, path, _MODEL, _dotted(path))
    batch = table.get("batch")
    at = (*path, "batch")
    own = reader.table(batch, at, _CLASS_PRICES) if isinstance(batch, dict) else None
    factor = reader.table({"batch": batch}, path, _BATCH).get("batch") if batch is not None and own is None else None
    prices = _class_prices(reader, table)
    if not table.good:
        return None
    if not prices:
        reader.wrong(path, "has no price: set input and output, in USD per million tokens")
    return ModelPrices(
        pattern=str(path[-1]),
        where=reader.where(path),
        prices=prices,
        batch=factor,
        batch_prices=_class_prices(reader, own) if own else (),
        since=table.get("from"),
        **table.given("provider"),
    )


def _class_prices(reader: Reader, table: Table) -> tuple[ClassPrice, ...]:
    given = table.given(*TOKEN_CLASSES)
    return tuple(ClassPrice(name, usd, reader.where((*table.path, name))) for name, usd in given.items())


def _budget(reader: Reader, raw: object, path: Path) -> Budget | None:
    table = reader.table(raw, path, _BUDGET)
    if not table.good:
        return None
    return Budget(
        period=PeriodKind(table.get("period")),
        where=reader.where((*path, "limit_usd")),
        conditions=_pairs(table, DIMENSIONS),
        alert_at=tuple(sorted(set(table.get("alert_at", ALERT_AT)))),
        **table.given("name", "limit_usd"),
    )


def _assignment(reader: Reader, raw: object, path: Path) -> Assignment | None:
    table = reader.table(raw, path, _ASSIGN)
    results = _pairs(table, ASSIGN_RESULTS)
    if table.good and not results:
        reader.wrong(path, f"sets nothing: give one of {', '.join(ASSIGN_RESULTS)}")
    return Assignment(_pairs(table, ASSIGN_CONDITIONS), results, reader.where(path)) if results else None


def _pairs(table: Table, names: Collection[str]) -> Conditions:
    return tuple(table.given(*names).items())


def _name(raw: object) -> str | None:
    name = raw.get("name") if isinstance(raw, dict) else None
    return name if isinstance(name, str) and name != BROKEN else None


def _no_two(reader: Reader, section: str, names: list[str | None]) -> None:
    """Note every entry whose name another one has already."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        other = index if name is None else first.setdefault(name, index)
        if other != index:
            line = reader.where((section, other))
            reader.wrong((section, index), f'has the name "{shown(name or "")}" of {section}[{other}] ({line})')


def _no_two_for_one_gpu(reader: Reader, raw: object) -> None:
    """Note every family that is priced twice under two spellings ("H100" and "h100")."""
    first: dict[str, str] = {}
    for name in raw if isinstance(raw, dict) else ():
        key = family_key(name)
        other = name if key is None else first.setdefault(key, name)
        if other != name:
            reader.wrong(("gpu", name), f"is the same GPU as {spelt(('gpu', other))}: keep one")

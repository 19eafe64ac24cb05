"""[gpu."NAME"] and [host]: what an hour of them costs, rented or owned, and since when."""

from __future__ import annotations

from decimal import Decimal

from infertop.money import checks
from infertop.money.schema import Key, Reader, Table, spelt
from infertop.money.section_parts import ABOVE_0, DAY, FREE_OR_MORE, dotted, repeated
from infertop.money.settings import HourlyRate, Owned
from infertop.money.toml_lines import Path

_OVERHEAD = "overhead_usd_per_month"
_OWNED = ("purchase_usd", "lifetime_years", "residual_usd", "availability")
_RATE = {
    "usd_per_hour": FREE_OR_MORE,
    "purchase_usd": ABOVE_0,
    "lifetime_years": Key(checks.number(least=Decimal("0.01"), most=Decimal(100))),
    "residual_usd": FREE_OR_MORE,
    "availability": Key(checks.number(least=Decimal("0.01"), most=Decimal(1))),
    _OVERHEAD: FREE_OR_MORE,
    "from": DAY,
}


def read_gpus(reader: Reader, raw: object) -> tuple[HourlyRate, ...]:
    """Read all [gpu."NAME"] and [[gpu."NAME"]]; one GPU must not have two rates from the same day."""
    read = [(path, read_rate(reader, each, path, str(path[1]))) for path, each in reader.named_tables(raw, ("gpu",))]
    rates = [(path, rate) for path, rate in read if rate]
    if len(rates) < 2:
        return tuple(rate for _, rate in rates)
    from infertop.money.gpu_rates import family_key  # one rate is like no other, and the first paint waits for this

    for path, other in repeated((path, (family_key(rate.name) or rate.name, rate.since)) for path, rate in rates):
        dates = ", or give them different dates (from)" if len(path) > 2 else ""
        reader.wrong(path, f"is the same GPU as {spelt(other)}: keep one{dates}")
    return tuple(rate for _, rate in rates)


def read_host(reader: Reader, raw: object) -> HourlyRate | None:
    """Read [host]."""
    return read_rate(reader, raw, ("host",), "host")


def read_rate(reader: Reader, raw: object, path: Path, name: str) -> HourlyRate | None:
    """Read what an hour of something costs that is rented or owned."""
    table = reader.table(raw, path, _RATE, dotted(path))
    if not table.good:
        return None
    rented, owned = "usd_per_hour" in table.values, table.given(*_OWNED)
    if rented and owned:
        reader.wrong(path, f"is rented (usd_per_hour) and owned ({next(iter(owned))}) at once: keep one")
    elif rented:
        where = reader.where((*path, "usd_per_hour"))
        return HourlyRate(name, where, since=table.get("from"), **table.given("usd_per_hour", _OVERHEAD))
    elif "purchase_usd" not in owned or "lifetime_years" not in owned:
        reader.wrong(path, "needs usd_per_hour (rented), or purchase_usd and lifetime_years (owned)")
    elif owned.get("residual_usd", Decimal(0)) > owned["purchase_usd"]:
        reader.wrong((*path, "residual_usd"), "must not be above purchase_usd")
    else:
        return _owned(reader, table, name)
    return None


def _owned(reader: Reader, table: Table, name: str) -> HourlyRate:
    where = reader.where((*table.path, "purchase_usd"))
    return HourlyRate(name, where, owned=Owned(**table.given(*_OWNED, _OVERHEAD)), since=table.get("from"))

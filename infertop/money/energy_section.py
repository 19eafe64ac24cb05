"""[energy]: what a kWh costs, by the time of day."""

from __future__ import annotations

from decimal import Decimal

from infertop.money import checks
from infertop.money.schema import Key, Reader
from infertop.money.section_parts import DAY, as_it_is
from infertop.money.settings import Energy, Tariff
from infertop.money.toml_lines import Path

_USD_PER_KWH = Key(checks.number(least=Decimal(0)), required=True)
_ENERGY = {
    "usd_per_kwh": _USD_PER_KWH,
    "pue": Key(checks.number(least=Decimal(1), most=Decimal(10))),
    "from": DAY,
    "tariff": Key(as_it_is),
}
_TARIFF = {
    "from": Key(checks.clock, required=True),
    "to": Key(checks.clock, required=True),
    "usd_per_kwh": _USD_PER_KWH,
}


def read_energy(reader: Reader, raw: object) -> Energy | None:
    """Read [energy] with its tariffs, whose hours must not overlap."""
    path: Path = ("energy",)
    table = reader.table(raw, path, _ENERGY)
    tariffs = [_tariff(reader, each, at) for at, each in reader.tables(table.get("tariff"), (*path, "tariff"))]
    _no_overlap(reader, tariffs)
    if not table.good:
        return None
    return Energy(
        where=reader.where((*path, "usd_per_kwh")),
        tariffs=tuple(filter(None, tariffs)),
        since=table.get("from"),
        pue_where=reader.where((*path, "pue")) if "pue" in table.values else "",
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

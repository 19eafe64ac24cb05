"""[provider."NAME"]: the negotiated rate, a factor on a provider's list prices."""

from __future__ import annotations

from decimal import Decimal

from infertop.money import checks
from infertop.money.model_prices import GLOB
from infertop.money.schema import Key, Reader, spelt
from infertop.money.section_parts import DAY, dotted, repeated
from infertop.money.settings import ProviderFactor
from infertop.money.toml_lines import Path
from infertop.readings.model import LOCAL

_ENTRIES_LIMIT = 1000
_PROVIDER = {
    "factor": Key(checks.number(above=Decimal(0), most=Decimal(10), note=": 0.9 is 10 % off"), required=True),
    "from": DAY,
}


def read_providers(reader: Reader, raw: object) -> tuple[ProviderFactor, ...]:
    """Read all [provider."NAME"] and [[provider."NAME"]]; no two may be for the same provider and date."""
    stated = reader.named_tables(raw, ("provider",))
    if len(stated) > _ENTRIES_LIMIT:
        reader.wrong(("provider",), f"has more than {_ENTRIES_LIMIT} entries")
        return ()
    read = [(path, _provider(reader, each, path)) for path, each in stated]
    entries = [(path, entry) for path, entry in read if entry]
    for path, other in repeated((path, (each.provider.lower(), each.since)) for path, each in entries):
        reader.wrong(path, f"has the date of {spelt(other)} ({reader.where(other)}): keep one, or set from")
    return tuple(entry for _, entry in entries)


def _provider(reader: Reader, raw: object, path: Path) -> ProviderFactor | None:
    table = reader.table(raw, path, _PROVIDER, dotted(path))
    if not GLOB.isdisjoint(str(path[1])):
        reader.wrong(path, "must be the name of one provider: a glob is not taken here")
    if str(path[1]).lower() == LOCAL:
        reader.wrong(path, "is what you serve yourself: it has no list prices that a factor could be on")
    if not table.good:
        return None
    return ProviderFactor(str(path[1]), table.get("factor"), reader.where((*path, "factor")), table.get("from"))

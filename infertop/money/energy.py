"""What a kWh costs that a GPU of one's own uses: the tariff of the hour, times the PUE of the site."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infertop.money.lines import Price
from infertop.money.settings import Energy, Tariff

PER = "kWh"
# Without [energy]. A round figure near what households and offices pay; marked as a default wherever it is used.
DEFAULT_USD_PER_KWH = Decimal("0.15")
DEFAULT_SOURCE = "default 0.15 USD/kWh"


class EnergyTerms(NamedTuple):
    """What the price of a kWh at the GPU is made of: USD per kWh at the meter, where that stands, and the PUE.

    `hours` are those of the tariff in force ("22:00-06:00"), empty without one; `pue_source` is empty where nobody
    set it.
    """

    usd_per_kwh: Decimal
    pue: Decimal
    source: str
    pue_source: str
    hours: str
    since: str
    default: bool = False


def energy_price(energy: Energy | None, ts: float, zone: ZoneInfo) -> Price:
    """Return the price of a kWh measured at the GPU at `ts`: USD per kWh of the tariff in force, times the PUE.

    The first [[energy.tariff]] whose hours contain the time of day in `zone` holds, else `usd_per_kwh`.
    """
    terms = energy_terms(energy, ts, zone)
    return Price("energy", terms.usd_per_kwh * terms.pue, PER, terms.source, terms.since, terms.default)


def energy_terms(energy: Energy | None, ts: float, zone: ZoneInfo) -> EnergyTerms:
    """Return what the price of a kWh at `ts` is made of."""
    if energy is None:
        return EnergyTerms(DEFAULT_USD_PER_KWH, Decimal(1), DEFAULT_SOURCE, "", "", "", default=True)
    tariff = _tariff(energy, ts, zone)
    usd, where = (energy.usd_per_kwh, energy.where) if tariff is None else (tariff.usd_per_kwh, tariff.where)
    hours = "" if tariff is None else f"{_clock(tariff.start)}-{_clock(tariff.end)}"
    since = energy.since.isoformat() if energy.since else ""
    return EnergyTerms(usd, energy.pue, where, energy.pue_where, hours, since)


def explain(energy: Energy | None, ts: float, zone: ZoneInfo) -> str:
    """Return formula and inputs of the price of a kWh at `ts`."""
    terms, price = energy_terms(energy, ts, zone), energy_price(energy, ts, zone)
    if terms.default:
        return f"energy = {price.usd} USD/kWh ({price.source}; set [energy] in pricing.toml)"
    where = f"{terms.source}, {terms.hours}" if terms.hours else terms.source
    return f"energy = {terms.usd_per_kwh} USD/kWh ({where}) x PUE {terms.pue} = {price.usd} USD/kWh at the GPU"


def _tariff(energy: Energy, ts: float, zone: ZoneInfo) -> Tariff | None:
    if not energy.tariffs:
        return None
    local = datetime.fromtimestamp(ts, zone)
    minute = local.hour * 60 + local.minute
    return next((each for each in energy.tariffs if _holds(each, minute)), None)


def _holds(tariff: Tariff, minute: int) -> bool:
    if tariff.start < tariff.end:
        return tariff.start <= minute < tariff.end
    return minute >= tariff.start or minute < tariff.end


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"

"""What a kWh costs that a GPU of one's own uses: the tariff of the hour, times the PUE of the site."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from infertop.money.lines import Price
from infertop.money.settings import Energy, Tariff

PER = "kWh"
# Without [energy]. A round figure near what households and offices pay; marked as a default wherever it is used.
DEFAULT_USD_PER_KWH = Decimal("0.15")
DEFAULT_SOURCE = "default 0.15 USD/kWh"


def energy_price(energy: Energy | None, ts: float, zone: ZoneInfo) -> Price:
    """Return the price of a kWh measured at the GPU at `ts`: USD per kWh of the tariff in force, times the PUE.

    The first [[energy.tariff]] whose hours contain the time of day in `zone` holds, else `usd_per_kwh`.
    """
    if energy is None:
        return Price("energy", DEFAULT_USD_PER_KWH, PER, DEFAULT_SOURCE, default=True)
    tariff = _tariff(energy, ts, zone)
    usd = energy.usd_per_kwh if tariff is None else tariff.usd_per_kwh
    where = energy.where if tariff is None else tariff.where
    return Price("energy", usd * energy.pue, PER, where, energy.since.isoformat() if energy.since else "")


def explain(energy: Energy | None, ts: float, zone: ZoneInfo) -> str:
    """Return formula and inputs of the price of a kWh at `ts`."""
    price = energy_price(energy, ts, zone)
    if energy is None:
        return f"energy = {price.usd} USD/kWh ({price.source}; set [energy] in pricing.toml)"
    tariff = _tariff(energy, ts, zone)
    usd = energy.usd_per_kwh if tariff is None else tariff.usd_per_kwh
    hours = "" if tariff is None else f", {_clock(tariff.start)}-{_clock(tariff.end)}"
    return f"energy = {usd} USD/kWh ({price.source}{hours}) x PUE {energy.pue} = {price.usd} USD/kWh at the GPU"


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

"""What an hour of a GPU or of the host costs, so that it can be worked out by hand from what is shown.

Every line of arithmetic is digits, + - x / and brackets between two " = ".
"""

from __future__ import annotations

from decimal import Decimal

from infertop.money.energy import EnergyTerms
from infertop.money.gpu_power import Drawn, PowerBy
from infertop.money.gpu_rate import GpuRate
from infertop.money.gpu_rates import DefaultRate
from infertop.money.hourly import HOURS_PER_MONTH, HOURS_PER_YEAR
from infertop.money.lines import Price
from infertop.money.settings import HourlyRate
from infertop.readings.safe import safe
from infertop.views.costs import GpuCost
from infertop.views.facts import Facts
from infertop.views.origin import origin
from infertop.views.tellers import teller
from infertop.views.wording import amount, enough, number, read_ago

_USD_H = "USD/h"


def gpu_lines(facts: Facts, cost: GpuCost) -> tuple[str, ...]:
    """Return formula, inputs, prices with their sources and ages of a GPU's $/hour; what to do where it has none."""
    price = cost.rate.price
    if price is None or cost.usd_per_hour is None:
        return cost.rate.lines
    if cost.energy is None:
        return _sum(cost.rate, cost.usd_per_hour, facts)
    hardware = float(price.usd)
    if cost.drawn is None:
        return (
            f"$/h = hardware = {amount(cost.usd_per_hour)} {_USD_H}; its energy is unknown and not in it",
            *_hardware(cost.rate, hardware, facts),
            f"energy: {teller(facts, cost.meter)} tells neither energy nor power nor a power limit of this GPU",
        )
    parts = enough(cost.usd_per_hour, lambda one, other: one + other, hardware, cost.energy_usd_per_hour, digits=6)
    terms = facts.prices.energy_terms(facts.now)
    return (
        f"$/h = hardware + energy = {' + '.join(parts)} = {amount(cost.usd_per_hour)} {_USD_H}",
        *_hardware(cost.rate, hardware, facts),
        *_energy(facts, cost, cost.drawn, terms),
    )


def host_lines(facts: Facts) -> tuple[str, ...]:
    """Return formula and inputs of the host's $/hour; what to do where it has none."""
    rate, price = facts.prices.host_rate(facts.now), facts.prices.host_price(facts.now)
    if rate is None or price is None:
        return ("the host has no price: set usd_per_hour under [host] in pricing.toml",)
    words, digits = _entry(rate)
    from_ = origin(facts, rate.where, price.since)
    lines = [f"$/h = {words}{_equation(digits, float(price.usd))}", *_inputs(rate), f"  {from_}"]
    if rate.owned is not None:
        lines.append("  the host's power is not metered: its energy is not in it")
    return tuple(lines)


def _sum(rate: GpuRate, usd_per_hour: float, facts: Facts) -> tuple[str, ...]:
    """Return the lines of what is rented, or has the default rate."""
    if rate.hourly is not None and rate.price is not None:
        words, digits = _entry(rate.hourly, rate.part)
        head, from_ = f"$/h = {words}{_equation(digits, usd_per_hour)}", origin(facts, *_place(rate.price))
        return (head, *_inputs(rate.hourly), f"  {from_}", *_slices(rate), "  a rent has its energy in it")
    if rate.listed is not None and rate.listed.usd_per_hour is not None and rate.price is not None:
        digits = _shared(_plain(rate.listed.usd_per_hour), rate.part)
        words = "default rate x slices" if rate.part else "default rate"
        head = f"$/h = {words}{_equation(digits, usd_per_hour)}"
        what, under, paste = rate.lines[-1].partition("under ")
        to_do = (f"  {what}{under}", f"    {paste}") if paste else (f"  {what}",)
        return (head, *_listed(rate.listed, rate.price.source, facts), *_slices(rate), *to_do)
    return rate.lines


def _place(price: Price) -> tuple[str, str]:
    return price.source, price.since


def _equation(digits: str, value: float) -> str:
    """Return " = digits = value", the value alone where that is all there is to it."""
    result = amount(value)
    return f" = {result} {_USD_H}" if digits == result else f" = {digits} = {result} {_USD_H}"


def _entry(rate: HourlyRate, part: tuple[int, int] | None = None) -> tuple[str, str]:
    """Return the formula of an entry of pricing.toml in words and in digits."""
    owned = rate.owned
    words, digits = "rent", _plain(rate.usd_per_hour or Decimal(0))
    monthly = rate.overhead_usd_per_month
    if owned is not None:
        monthly = owned.overhead_usd_per_month
        words = "(purchase - residual) / (years x 8760 h x availability)"
        paid, hours = (owned.purchase_usd, owned.residual_usd), (owned.lifetime_years, owned.availability)
        digits = (
            f"({_plain(paid[0])} - {_plain(paid[1])}) / ({_plain(hours[0])} x {HOURS_PER_YEAR} x {_plain(hours[1])})"
        )
    if monthly:
        words, digits = f"{words} + overhead / 730 h", f"{digits} + {_plain(monthly)} / {HOURS_PER_MONTH}"
        if part:
            words, digits = f"({words})", f"({digits})"
    return (f"{words} x slices" if part else words), _shared(digits, part)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _shared(digits: str, part: tuple[int, int] | None) -> str:
    return f"{digits} x {part[0]} / {part[1]}" if part else digits


def _inputs(rate: HourlyRate) -> tuple[str, ...]:
    """Return the inputs of an entry with their units."""
    own = rate.owned
    monthly = own.overhead_usd_per_month if own else rate.overhead_usd_per_month
    overhead = (f"  overhead {_plain(monthly)} USD a month",) if monthly else ()
    if own is None:
        return (f"  rent {_plain(rate.usd_per_hour or Decimal(0))} USD an hour", *overhead)
    years, on = _plain(own.lifetime_years), _plain(own.availability * 100)
    bought = f"  bought for {_plain(own.purchase_usd)} USD, worth {_plain(own.residual_usd)} USD after {years} years"
    return (f"{bought}, on {on} % of the time", *overhead)


def _listed(row: DefaultRate, source: str, facts: Facts) -> tuple[str, ...]:
    lines = [f"  default rate of a {row.key}, nobody set it: {origin(facts, source)}"]
    if row.low is not None and row.high is not None:
        lines.append(f"  on offer from {row.low} to {row.high} USD/h")
    return (*lines, f"  read from: {safe(row.note)}")


def _slices(rate: GpuRate) -> tuple[str, ...]:
    if rate.part is None:
        return ()
    return (f"  slices: {rate.part[0]} of the {rate.part[1]} compute slices of the whole GPU, by MIG",)


def _hardware(rate: GpuRate, usd: float, facts: Facts) -> tuple[str, ...]:
    """Return the lines of an owned GPU's hardware."""
    if rate.hourly is None or rate.price is None:
        return rate.lines
    words, digits = _entry(rate.hourly, rate.part)
    return (
        f"hardware = {words}",
        # All its digits where there are few dollars: its inputs are exact, and its price has twelve decimals.
        f"  = {digits} = {number(usd, 6 if usd >= 0.01 else 12)} {_USD_H}",
        *_inputs(rate.hourly),
        f"  {origin(facts, *_place(rate.price))}",
        *_slices(rate),
    )


def _energy(facts: Facts, cost: GpuCost, drawn: Drawn, terms: EnergyTerms) -> tuple[str, ...]:
    """Return the lines of an owned GPU's energy."""
    kilowatts = _shared(number(drawn.whole_watts / 1000), drawn.part)
    words = "kW x slices" if drawn.part else "kW"
    hours = f", tariff of {terms.hours} {facts.timezone}" if terms.hours else ""
    where, result = origin(facts, terms.source, terms.since), number(cost.energy_usd_per_hour)
    lines = [
        f"energy = {words} x PUE x USD/kWh",
        f"  = {kilowatts} x {_plain(terms.pue)} x {_plain(terms.usd_per_kwh)} = {result} {_USD_H}",
        f"  {_power(facts, cost, drawn)}",
        f"  a kWh {_plain(terms.usd_per_kwh)} USD{hours}: {where}",
    ]
    if terms.default:
        return (*lines, "  PUE 1 (nobody set it): set both under [energy] in pricing.toml")
    if not terms.pue_source:
        return (*lines, "  PUE 1 (nobody set it): set pue under [energy] in pricing.toml")
    return (*lines, f"  PUE {_plain(terms.pue)}: {origin(facts, terms.pue_source, terms.since)}")


def _power(facts: Facts, cost: GpuCost, drawn: Drawn) -> str:
    """Return the power with how it was measured, over how long and how long ago."""
    of = " of the whole GPU" if drawn.part else ""
    watts = f"power {number(drawn.whole_watts, 3)} W{of}"
    age, of_meter = read_ago(facts.age_of(cost.meter)), teller(facts, cost.meter)
    if drawn.by is PowerBy.LIMIT:
        return f"{watts}, estimated: its {drawn.by}; {of_meter} tells neither energy nor power, {age}"
    seconds = facts.meters.covered(cost.meter, "gpu_info")
    over = f"mean of the last {number(seconds, 1)} s by" if seconds else "the first of"
    return f"{watts}: {over} {of_meter}'s {drawn.by}, {age}"

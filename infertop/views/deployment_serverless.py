"""A row for serverless GPU seconds: what an hour is billed, beside a dedicated GPU."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from infertop.money.deployments import serverless as formulas
from infertop.money.deployments.declared import Deployment, Serverless
from infertop.views.deployment_traffic import Traffic, declared, measured
from infertop.views.deployment_words import amount, dollars, hourly_source, percent
from infertop.views.facts import Facts
from infertop.views.shapes import DeploymentRow, ModelRow

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Dedicated:
    """GPUs that would run all the time instead: USD an hour of all of them, None where that is unknown."""

    usd: Decimal | None
    name: str
    source: str


def serverless_row(facts: Facts, each: Deployment, terms: Serverless, rows: tuple[ModelRow, ...]) -> DeploymentRow:
    """Return the row of serverless seconds; requests that are measured go before those that are declared.

    The seconds of a request are those declared: what a client waits is only taken for them where nothing is.
    """
    metered = measured(each, rows, facts.prices)
    told = metered.requests_per_hour is not None
    traffic = metered if told else declared(each, terms.requests_per_hour, terms.tokens)
    seconds = terms.seconds_per_request or metered.seconds_per_request
    hour = None
    if traffic.requests_per_hour is not None and seconds is not None:
        hour = formulas.hour(terms, traffic.requests_per_hour, seconds)
    dedicated = _dedicated(facts, terms)
    pays = _break_even(terms, hour, dedicated)
    per_million = _per_million(hour, traffic)
    return DeploymentRow(
        name=each.name,
        kind=each.kind,
        provider=each.provider,
        model=each.model,
        usd_per_hour=None if hour is None else float(hour.usd),
        usd_per_million_tokens=None if per_million is None else float(per_million),
        utilization=None if hour is None else float(formulas.utilisation(hour.busy, terms.workers)),
        break_even=None if pays is None else float(pays),
        against=dedicated.name if dedicated else "",
        traffic=traffic.how,
        counts=False,
        basis="estimated" if hour and (hour.estimated or not terms.seconds_per_request) else "computed",
        price_source=each.where,
        verdict=_verdict(terms, hour, dedicated, pays),
        lines=_lines(each, terms, traffic, seconds, hour, dedicated),
    )


def _dedicated(facts: Facts, terms: Serverless) -> Dedicated | None:
    """Return what the same number of workers costs by the hour, at a stated price or the GPU's rate."""
    hardware = terms.dedicated
    if hardware is None:
        return None
    count = terms.workers * hardware.count
    many = f"{count} x " if count > 1 else ""
    named = f"{many}dedicated {hardware.gpu or 'GPUs'}" if many else f"a dedicated {hardware.gpu or 'GPU'}"
    if hardware.usd_per_hour is not None:
        stated = hardware.usd_per_hour
        return Dedicated(stated * terms.workers, named, f"{many}{dollars(stated)}/h, declared")
    rate = facts.prices.gpu_rate(hardware.gpu, ts=facts.now)
    usd = None if rate.price is None else rate.price.usd * count
    return Dedicated(usd, named, f"{many}{hourly_source(rate)}")


def _break_even(terms: Serverless, hour: formulas.Hour | None, dedicated: Dedicated | None) -> Decimal | None:
    if dedicated is None or dedicated.usd is None:
        return None
    if hour is None or not hour.busy:
        return formulas.break_even(dedicated.usd, terms.usd_per_second * terms.workers)
    if hour.estimated and hour.fits:
        return formulas.break_even_by_traffic(terms, dedicated.usd, hour.busy / hour.requests)
    return formulas.break_even_at(dedicated.usd, formulas.utilisation(hour.busy, terms.workers), hour.usd)


def _per_million(hour: formulas.Hour | None, traffic: Traffic) -> Decimal | None:
    tokens = sum(traffic.tokens.values(), Decimal(0))
    return hour.usd / tokens * _MILLION if hour and tokens and not traffic.mix else None


def _verdict(terms: Serverless, hour: formulas.Hour | None, dedicated: Dedicated | None, pays: Decimal | None) -> str:
    said = ""
    if dedicated and pays is not None:
        always = pays >= 1
        said = f"cheaper than {dedicated.name} {'at any' if always else f'below {percent(pays)}'} use"
    if hour is None:
        unknown = "its traffic is unknown: declare requests_per_hour and seconds_per_request"
        return "; ".join(filter(None, (said, unknown)))
    if not hour.fits:
        least = math.ceil(hour.busy / formulas.HOUR)
        served = "a worker" if terms.workers == 1 else f"{terms.workers} workers"
        return f"{served} cannot serve that much: set workers to {least} or more"
    if not hour.requests:
        return "; ".join(filter(None, (said, "no request: it costs nothing now")))
    now = f"now {percent(formulas.utilisation(hour.busy, terms.workers))}: it costs {dollars(hour.usd)}/h"
    if dedicated and dedicated.usd is not None:
        now += f", {dedicated.name} {dollars(dedicated.usd)}/h"
    return "; ".join(filter(None, (said, now)))


def _lines(
    each: Deployment,
    terms: Serverless,
    traffic: Traffic,
    seconds: Decimal | None,
    hour: formulas.Hour | None,
    dedicated: Dedicated | None,
) -> tuple[str, ...]:
    rate = f"{terms.usd_per_second:f}"
    lines = [f"{rate} USD/s ({each.where}) = {dollars(terms.usd_per_second * formulas.HOUR)} for a whole hour"]
    if hour is None or seconds is None:
        lines.append(f"traffic: {traffic.told}")
    else:
        from_latency = "" if terms.seconds_per_request else ", taken from the latency that was measured"
        told = f"{amount(hour.requests)} requests an hour ({traffic.told}) x {amount(seconds)} s{from_latency}"
        lines.append(f"busy: {told} = {amount(hour.busy)} s, {percent(formulas.utilisation(hour.busy))} of an hour")
        lines += _starts(terms, hour)
        lines.append(f"$/h = {amount(hour.billed)} s billed, {_rates(terms, hour)} = {dollars(hour.usd)}")
        if hour.requests:
            lines.append(f"$/request = {dollars(hour.usd / hour.requests)}")
    if dedicated:
        lines.append(f"compared with {dedicated.name}: {dedicated.source}")
        if dedicated.usd is not None:
            lines.append(f"it is cheaper where more than {_most(terms, dedicated.usd)} of an hour is billed")
    return (*lines, "shown beside what is spent, never added: its bill is not read")


def _most(terms: Serverless, dedicated_usd: Decimal) -> str:
    """Return d / (3600 r) with its figures."""
    share = formulas.break_even(dedicated_usd, terms.usd_per_second * terms.workers)
    full = dollars(terms.usd_per_second * terms.workers * formulas.HOUR)
    return f"{dollars(dedicated_usd)} / {full}" + (f" = {percent(share)}" if share is not None else "")


def _starts(terms: Serverless, hour: formulas.Hour) -> list[str]:
    lines = []
    how = "estimated for requests at random" if terms.cold_starts_per_hour is None else "declared"
    if terms.cold_start_seconds:
        what = f"{amount(hour.starting)} s billed" if terms.cold_start_billed else "not billed"
        lines.append(
            f"cold starts: {amount(hour.cold_starts)} an hour ({how}) x {amount(terms.cold_start_seconds)} s, {what}"
        )
    if terms.idle_seconds:
        what = f"{amount(hour.idle)} s billed ({how})" if terms.idle_billed else "not billed"
        lines.append(f"waiting {amount(terms.idle_seconds)} s for the next request: {what}")
    if terms.round_up_to_seconds:
        lines.append(f"rounded up to {amount(terms.round_up_to_seconds)} s: {amount(hour.rounding)} s more")
    return lines


def _rates(terms: Serverless, hour: formulas.Hour) -> str:
    if not hour.idle or terms.idle_usd_per_second == terms.usd_per_second:
        return f"at {terms.usd_per_second:f} USD/s"
    return f"at {terms.usd_per_second:f} and, while it waits, {terms.idle_usd_per_second:f} USD/s"

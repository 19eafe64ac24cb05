"""How the figures of budgets were come by."""

from __future__ import annotations

from datetime import datetime
from math import exp

from infertop.money.budget_plan import Plan
from infertop.money.budgets import Status
from infertop.readings.safe import safe
from infertop.views.facts import Facts
from infertop.views.origin import origin
from infertop.views.shapes import BudgetRow, BurnRow, Explained
from infertop.views.wording import amount, enough, span, usd

_LAST_TS = 253_370_764_800  # the year 9999


def budget_figures(facts: Facts, found: Status, row: BudgetRow) -> dict[str, Explained]:
    """Return the explanations of a budget's columns."""
    budget = found.budget
    limit: tuple[str, ...] = (f"{usd(row.limit_usd)} a {budget.period}: {origin(facts, budget.where)}",)
    name: tuple[str, ...] = (f"what counts: {safe(row.scope, 80) or 'everything'}; {origin(facts, budget.where)}",)
    shares = ", ".join(f"{share:.0%}" for share in budget.alert_at)
    levels = f"told once each at {shares} of the limit" if shares else "it tells nothing before it is over"
    if budget.origin:
        own = f"{safe(budget.origin, 40)}'s own limit: it keeps that itself, by its own count, and by days in UTC"
        name, limit = (*name, own), (*limit, own)
    period = f"the {budget.period} from {_when(facts, found.start)} to {_when(facts, found.end)}"
    return {
        **dict.fromkeys(
            ("spent_usd", "own_count", "unread"),
            Explained(f"spent  {usd(row.spent_usd)}", _spent(facts, found, row, period)),
        ),
        "fraction": Explained("share", (*_fraction(row), levels)),
        "limit_usd": Explained(f"limit  {usd(row.limit_usd)}", limit),
        "burn_usd_per_hour": Explained(f"now/h  {usd(row.burn_usd_per_hour)}", _burn(facts, row)),
        "burns": Explained("of plan", _burns(row)),
        **dict.fromkeys(
            ("forecast_usd", "over"), Explained(f"ends at  {usd(row.forecast_usd[1], 2)}", _forecast(facts, found, row))
        ),
        **dict.fromkeys(("exhausted_at", "crossings"), Explained("next", _exhausted(facts, found, row))),
        "level": Explained("level", (f"{row.level or 'unknown, as what is spent'}: {levels}",)),
        "resets_at": Explained("resets", (f"{period} in {facts.timezone}",)),
        "coverage": Explained("seen", _coverage(row)),
        **dict.fromkeys(("name", "budget", "period", "scope", "origin"), Explained("budget", name)),
    }


def _when(facts: Facts, ts: float) -> str:
    if not 0 <= ts < _LAST_TS:
        return "-"
    return datetime.fromtimestamp(ts, facts.prices.timezone).strftime("%Y-%m-%d %H:%M")


def _zone(facts: Facts, row: BudgetRow) -> str:
    return "UTC" if row.origin else facts.timezone


def _spent(facts: Facts, found: Status, row: BudgetRow, period: str) -> tuple[str, ...]:
    if row.own_count:
        return f"what {safe(row.origin, 40)} says itself was spent of it; the ledger may differ", f"  {period}"
    lines = [
        f"the ledger's lines since the {row.period} began in {_zone(facts, row)}, {origin(facts, found.budget.where)}"
    ]
    if row.spent_usd is None:
        lines.insert(0, "unknown: nothing that counts towards it has a price, or nobody recorded")
    lines += [f"  {period}", *_unread(row)]
    return tuple(lines) if row.origin else (*lines, *(f"  {line}" for line in _coverage(row)))


def _unread(row: BudgetRow) -> tuple[str, ...]:
    names = ", ".join(safe(each, 40) for each in row.unread[:3])
    return (f"{names}: what was before is still being read back; more may have been spent",) if names else ()


def _coverage(row: BudgetRow) -> tuple[str, ...]:
    if row.origin:
        return ("a provider tells of all that was used, recorded here or not",)
    if row.coverage is None:
        return ("how much of today was recorded is not known",)
    return (f"{row.coverage:.0%} of today was recorded: what ran besides is not in it",)


def _fraction(row: BudgetRow) -> tuple[str, ...]:
    if row.fraction is None or row.spent_usd is None:
        return ("unknown: nothing that counts towards it has a price, or nobody recorded",)
    texts = enough(row.fraction, lambda spent, limit: spent / limit, row.spent_usd, row.limit_usd)
    return (f"spent / limit = {texts[0]} / {texts[1]} = {amount(row.fraction)}",)


def _burn(facts: Facts, row: BudgetRow) -> tuple[str, ...]:
    meaning = "what the hour costs now of what it is about: models all-in, unheld GPUs, reserved throughput"
    if row.burn_usd_per_hour is None:
        return ("unknown: nothing of it has a price now", meaning)
    if row.origin:
        return (f"{amount(row.burn_usd_per_hour)} USD/h, over the newest minutes that the provider has told whole",)
    window = f"over the last {facts.meters.window:.0f} s"
    return (f"{amount(row.burn_usd_per_hour)} USD/h, {window}", meaning)


def _burns(row: BudgetRow) -> tuple[str, ...]:
    meaning = (
        "spent an hour / planned an hour; the plan is the limit, divided over the period as a week's hours usually are",
        "1.0x: the limit is reached as the period ends; no rhythm is known in the first days: evenly",
    )
    return (*(_window(each) for each in row.burns), *meaning) if row.burns else ("not known yet", *meaning)


def _window(burn: BurnRow) -> str:
    of_plan = "" if burn.of_plan is None else f", {amount(burn.of_plan, 2)} times the plan"
    usual = "" if burn.usual_usd_per_hour is None else f"; usually {usd(burn.usual_usd_per_hour, 2)}/h"
    if burn.usd_per_hour is None:
        return f"last {span(burn.seconds)}: unknown, for most of it nothing was read{usual}"
    part = burn.known_seconds is not None and burn.known_seconds < burn.seconds
    known = f" over the {span(burn.known_seconds or 0)} that are known" if part else ""
    return f"last {span(burn.seconds)}: {usd(burn.usd_per_hour, 2)}/h{known}{of_plan}{usual}"


def _forecast(facts: Facts, found: Status, row: BudgetRow) -> tuple[str, ...]:
    if row.unread:
        return ("unknown: what is spent is known in part", *_unread(row))
    if found.plan is not None:
        return _planned(found.plan, row)
    mid, spent, burn = row.forecast_usd[1], row.spent_usd, row.burn_usd_per_hour
    if mid is None or spent is None or burn is None:
        return ("unknown: what is spent, or what the hour costs now, is",)
    hours = (found.end - facts.now) / 3600
    texts = enough(mid, lambda one, rate, left: one + rate * left, spent, burn, hours)
    return (
        "forecast = spent + now/h x hours left; with a day of history it knows more, and an interval",
        f"  = {texts[0]} + {texts[1]} x {texts[2]} = {amount(mid)} USD",
    )


def _planned(plan: Plan, row: BudgetRow) -> tuple[str, ...]:
    low, mid, high = row.forecast_usd
    spent, forecast = row.spent_usd, plan.forecast
    assert forecast is not None
    if low is None or mid is None or high is None or spent is None:
        return ("unknown",)
    left = max(0.0, mid - spent)
    sums = enough(mid, lambda one, more: one + more, spent, left)
    factor = exp(forecast.spread)
    edges = [
        (edge, enough(edge, lambda one, more, g, f: one + (more + g) * f - g, spent, left, forecast.grain, f))
        for edge, f in ((low, 1 / factor), (high, factor))
        if edge > spent
    ]
    ways = ", ".join(f"{name} {share:.0%}" for name, share in forecast.weights)
    lines = [
        "ends at = spent + the rest by the rhythm of the week, at a level that goes from the last hours' to the usual",
        f"  = {sums[0]} + {sums[1]} = {amount(mid)} USD",
        "80 % of the truths lie between spent + (rest + g) / f - g, or spent, and spent + (rest + g) x f - g",
        f"  f = {amount(factor, 3)}, as forecasts of before were off; g = 1 % of what as many hours take in the mean",
        *(f"  = {e[0]} + ({e[1]} + {e[2]}) x {e[3]} - {e[2]} = {amount(edge)} USD" for edge, e in edges),
        f"stands on {span(forecast.history_hours * 3600.0)} of hourly spend, tried at {forecast.trials} moments"
        f" for {span(forecast.tested_hours * 3600.0)} ahead",
        f"ways, by how well each did: {ways}",
    ]
    if row.over is not None:
        lines.append(f"the limit is reached with a probability of {row.over:.0%}")
    return tuple(lines)


def _exhausted(facts: Facts, found: Status, row: BudgetRow) -> tuple[str, ...]:
    if found.plan is not None:
        meaning = "when spent + what is forecast hour by hour reaches the share; - where that is after the period's end"
        times = [f"{name}: {_when(facts, when)} in {facts.timezone}" for name, when in row.crossings]
        return (*times, meaning)
    meaning = "when spent reaches the limit if now/h goes on; - where that is after the period's end"
    spent, burn = row.spent_usd, row.burn_usd_per_hour
    if row.exhausted_at is None or spent is None or not burn:
        return (meaning,)
    hours = (row.exhausted_at - facts.now) / 3600
    texts = enough(hours, lambda limit, one, rate: (limit - one) / rate, row.limit_usd, spent, burn)
    digits = f"({texts[0]} - {texts[1]}) / {texts[2]} = {amount(hours)} hours from now"
    return (f"(limit - spent) / now/h = {digits}", meaning)

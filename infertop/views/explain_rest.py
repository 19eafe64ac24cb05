"""How the figures of budgets and sources were come by."""

from __future__ import annotations

from datetime import datetime

from infertop.money.budgets import Status
from infertop.readings.safe import safe
from infertop.views.explain_api import age_line
from infertop.views.facts import Facts
from infertop.views.origin import origin
from infertop.views.shapes import BudgetRow, Explained, SourceRow
from infertop.views.wording import amount, enough, number, read_ago, span, usd

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
            ("spent_usd", "own_count"), Explained(f"spent  {usd(row.spent_usd)}", _spent(facts, found, row, period))
        ),
        "fraction": Explained("share", (*_fraction(row), levels)),
        "limit_usd": Explained(f"limit  {usd(row.limit_usd)}", limit),
        "burn_usd_per_hour": Explained(f"now/h  {usd(row.burn_usd_per_hour)}", _burn(facts, row)),
        "forecast_usd": Explained(f"ends at  {usd(row.forecast_usd[1], 2)}", _forecast(facts, found, row)),
        "exhausted_at": Explained("gone", _exhausted(facts, found, row)),
        "level": Explained("level", (f"{row.level}: {levels}",)),
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
        lines.insert(0, "unknown: nothing with a price counts towards it yet")
    lines.append(f"  {period}")
    return tuple(lines) if row.origin else (*lines, *(f"  {line}" for line in _coverage(row)))


def _coverage(row: BudgetRow) -> tuple[str, ...]:
    if row.origin:
        return ("a provider tells of all that was used, recorded here or not",)
    if row.coverage is None:
        return ("how much of today was recorded is not known",)
    return (f"{row.coverage:.0%} of today was recorded: what ran besides is not in it",)


def _fraction(row: BudgetRow) -> tuple[str, ...]:
    if row.fraction is None or row.spent_usd is None:
        return ("unknown: nothing with a price counts towards it yet",)
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


def _forecast(facts: Facts, found: Status, row: BudgetRow) -> tuple[str, ...]:
    mid, spent, burn = row.forecast_usd[1], row.spent_usd, row.burn_usd_per_hour
    if mid is None or spent is None or burn is None:
        return ("unknown: what is spent, or what the hour costs now, is",)
    hours = (found.end - facts.now) / 3600
    texts = enough(mid, lambda one, rate, left: one + rate * left, spent, burn, hours)
    return (
        "forecast = spent + now/h x hours left; a first estimate, without an interval",
        f"  = {texts[0]} + {texts[1]} x {texts[2]} = {amount(mid)} USD",
    )


def _exhausted(facts: Facts, found: Status, row: BudgetRow) -> tuple[str, ...]:
    meaning = "when spent reaches the limit if now/h goes on; - where that is after the period's end"
    spent, burn = row.spent_usd, row.burn_usd_per_hour
    if row.exhausted_at is None or spent is None or not burn:
        return (meaning,)
    hours = (row.exhausted_at - facts.now) / 3600
    texts = enough(hours, lambda limit, one, rate: (limit - one) / rate, row.limit_usd, spent, burn)
    digits = f"({texts[0]} - {texts[1]}) / {texts[2]} = {amount(hours)} hours from now"
    return (f"(limit - spent) / now/h = {digits}", meaning)


def _aged(facts: Facts, row: SourceRow, age: str) -> str:
    window = facts.api.windows.get(row.name)
    if window is None or window.told is None:
        return f"the last reading that could be used: {age}"
    return age_line(facts, row.name, window)


def _counted(row: SourceRow) -> tuple[str, ...]:
    rule = "where several tell of the same requests, one counts: who serves them, else a gateway, else a log;"
    set_by = "  counts = true or false in its [[source]] stands above that"
    return (safe(row.note) or ("part of totals" if row.counts else "part of no total"), rule, set_by)


def source_figures(facts: Facts, row: SourceRow) -> dict[str, Explained]:
    """Return the explanations of a source's columns."""
    age = read_ago(facts.age_of(row.name))
    name = Explained(
        "source", (f"{safe(row.name, 80)}: {safe(row.kind)} at {safe(row.address, 80) or 'this machine'}",)
    )
    states = "up: read within five intervals; stale: not; down: it refused; auth: it wants a key; absent: not here"
    took = "not polled yet" if row.poll_seconds is None else f"{number(row.poll_seconds * 1000, 2)} ms: the last poll"
    return {
        "state": Explained("state", (f"{row.state}, {age}", states)),
        "age_seconds": Explained("age", (_aged(facts, row, age),)),
        "interval_seconds": Explained(
            "every", (f"polled every {span(row.interval_seconds)}: --interval, interval_seconds or + and -",)
        ),
        "poll_seconds": Explained("poll", (took,)),
        "failures": Explained("failed", (f"{row.failures} polls in a row without an answer; each waits longer",)),
        "rejected": Explained(
            "odd", (f"{row.rejected} lines or fields of the last page could not be read and were left out",)
        ),
        **dict.fromkeys(("counts", "note"), Explained("counts", _counted(row))),
        "detail": Explained("what to do", (safe(row.detail) or "nothing: it answers",)),
        **dict.fromkeys(("name", "source", "kind", "address"), name),
    }

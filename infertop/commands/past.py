"""From the recorder's sums to what views show of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from infertop.commands.minutes import (
    as_told,
    closed_minutes,
    counted_alone,
    deployments_in,
    minute_usd_per_hour,
    token_layers,
    usd_layers,
)
from infertop.commands.unread import of_budget
from infertop.history.allowed import spent_by_own_count, with_names
from infertop.history.summary import Recent, Summary, Totals
from infertop.money.baseline import Baselines
from infertop.money.budget_plan import Plan
from infertop.money.budgets import Status, matches, status
from infertop.money.deployments.booked import model_of, usd_per_hour
from infertop.money.dimensions import assign
from infertop.money.lines import NANO
from infertop.money.settings import Budget, Settings
from infertop.readings.model import LOCAL
from infertop.views.api_rates import ApiRates
from infertop.views.costs import Costs, total
from infertop.views.facts import Past
from infertop.views.shapes import Event

HOST = "host"


def past(
    summary: Summary,
    settings: Settings,
    costs: Costs,
    baselines: Baselines,
    events: Sequence[Event],
    now: float,
    api: ApiRates | None = None,
    plans: Mapping[str, Plan] | None = None,
    unread: frozenset[str] = frozenset(),
) -> Past:
    """Return the past as of the recorder's last tick; what is running now comes from `costs` and `api`.

    `plans` say what is to be expected of each budget, by its name; `unread` sources have not told all of it yet.
    """
    closed = closed_minutes(summary)
    api = api or ApiRates()
    rows = tuple(as_told(minute_usd_per_hour(minute), minute, api) for minute in closed)
    own_count = spent_by_own_count(summary.accounts, (each.name for each in settings.budgets), now)
    return Past(
        totals={(source, model): _shown(row) for (source, model), row in summary.today.items() if model is not None},
        today_usd=_usd(summary.today_usd_nano),
        month_usd=_usd(summary.month_usd_nano),
        minutes=tuple(float(minute.start) for minute in closed),
        usd_by_place=rows,
        usd_per_hour=usd_layers(counted_alone(rows, closed), deployments_in(closed)),
        tokens_per_second=token_layers(closed, api),
        budgets=tuple(
            _status(budget, summary, settings, costs, api, now, own_count, (plans or {}).get(budget.name), unread)
            for budget in (*settings.budgets, *summary.allowances)
        ),
        usual=baselines.usual((), "usd_per_hour"),
        marks=baselines.marks(),
        events=tuple(events),
        coverage=summary.coverage_today,
        unpriced=_unpriced(summary),
        unassigned=_unassigned(summary),
    )


def _unpriced(summary: Summary) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for (source, model), row in summary.today.items():
        if model is not None and row.unpriced_tokens and (source, model) not in summary.apart:
            found[model] = found.get(model, 0) + row.unpriced_tokens
    return found


def _unassigned(summary: Summary) -> Mapping[str, float]:
    """Return the share of today's dollars that nobody was assigned, by dimension."""
    usd_nano = summary.today_usd_nano
    if usd_nano is None or usd_nano <= 0:
        return {}
    return {name: (nano or 0) / usd_nano for name, nano in summary.unassigned.items()}


def _usd(nano: int | None) -> float | None:
    return None if nano is None else nano / NANO


def _shown(row: Totals) -> Mapping[str, float | None]:
    return {**{name: float(count) for name, count in row.quantities.items()}, "usd": _usd(row.usd_nano)}


def _status(
    budget: Budget,
    summary: Summary,
    settings: Settings,
    costs: Costs,
    api: ApiRates,
    now: float,
    own_count: Mapping[str, int],
    plan: Plan | None,
    unread: frozenset[str],
) -> Status:
    spent, own = summary.budgets.get(budget.name), own_count.get(budget.name) if budget.origin else None
    nano = own if own is not None else spent.usd_nano if spent else None
    burnt = burn(budget, settings, costs, told_of(budget, summary.recent.get(budget.name, {}), api))
    left = of_budget(budget, unread, summary.providers) if own is None else ()
    found = status(budget, nano, burnt, now, budget.zone(settings.zone), plan, left)
    return replace(found, budget=with_names(budget, summary.names), own_count=own is not None)


def told_of(budget: Budget, recent: Recent, api: ApiRates) -> float | None:
    """Return what providers and logs tell that a budget with conditions costs an hour; None where they tell nothing."""
    of_origin = {value for name, value in budget.conditions if name == "source" and budget.origin}
    return total(
        sum(nano for minute, nano in recent.get(source, {}).items() if window.start <= minute < window.until)
        / NANO
        * 3600
        / window.seconds
        for source, window in api.windows.items()
        if window.until is not None and (source in recent or source in of_origin)
    )


def burn(budget: Budget, settings: Settings, costs: Costs, told: float | None = None) -> float | None:
    """Return what is being spent an hour now on what the budget is about, None where nothing of it has a price.

    `told` is what statements say of one with conditions.
    """
    if not budget.conditions:
        return costs.total
    parts: dict[tuple[str, str, str | None], float | None] = {
        (source, LOCAL, model): cost.all_in for (source, model), cost in costs.models.items()
    }
    if costs.gpus:
        parts[costs.gpus[0].meter, LOCAL, None] = costs.unheld
    if all(cost.gpus for cost in costs.models.values()):
        parts[HOST, LOCAL, None] = costs.host  # carried by no model
    for each in costs.deployments:
        parts[each.name, each.provider, model_of(each)] = usd_per_hour((each,))
    if budget.origin:
        return told
    measured = total(
        usd
        for (source, provider, model), usd in parts.items()
        if matches(
            budget.conditions,
            assign({"source": source, "provider": provider, "model": model}, settings.assignments),
        )
    )
    return total((measured, told))

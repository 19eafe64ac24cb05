"""From the recorder's sums to what views show of the past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from infertop.history.summary import Key, Minute, Summary, Totals
from infertop.money.baseline import Baselines
from infertop.money.budgets import Status, matches, status
from infertop.money.dimensions import assign
from infertop.money.lines import NANO
from infertop.money.settings import Budget, Settings
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.costs import Costs, total
from infertop.views.facts import Past, Place
from infertop.views.overview import TOTAL
from infertop.views.shapes import Event

_MINUTE = 60
_SHOWN_MODELS = 8
OTHERS = "others"
UNHELD = "unheld"
HOST = "host"


def past(
    summary: Summary, settings: Settings, costs: Costs, baselines: Baselines, events: Sequence[Event], now: float
) -> Past:
    """Return the past as of the recorder's last tick; what is running now comes from `costs`."""
    closed = summary.minutes[:-1] if summary.minutes else ()
    return Past(
        totals={(source, model): _shown(row) for (source, model), row in summary.today.items() if model is not None},
        today_usd=_usd(summary.today_usd_nano),
        month_usd=_usd(summary.month_usd_nano),
        minutes=tuple(float(minute.start) for minute in closed),
        usd_per_hour=_usd_history(closed),
        tokens_per_second=_token_history(closed),
        budgets=tuple(_status(budget, summary, settings, costs, now) for budget in settings.budgets),
        usual=baselines.usual((), "usd_per_hour"),
        marks=baselines.marks(),
        events=tuple(events),
        coverage=summary.coverage_today,
    )


def _usd(nano: int | None) -> float | None:
    return None if nano is None else nano / NANO


def _shown(row: Totals) -> Mapping[str, float | None]:
    return {**{name: float(count) for name, count in row.quantities.items()}, "usd": _usd(row.usd_nano)}


def _per_hour(nano: int | None, minute: Minute) -> float | None:
    """Return the $/hour of a minute, by the part of it that was recorded; None where none was."""
    if nano is None or minute.covered_ms <= 0:
        return None
    return nano / NANO * 3_600_000 / minute.covered_ms


def minute_usd_per_hour(minute: Minute) -> dict[Key | None, float | None]:
    """Return what a minute cost an hour: in all (key None), and by source and model."""
    each: dict[Key | None, float | None] = {key: _per_hour(row.usd_nano, minute) for key, row in minute.totals.items()}
    each[None] = _per_hour(minute.usd_nano, minute)
    return each


def _usd_history(minutes: Sequence[Minute]) -> dict[str, tuple[float | None, ...]]:
    """Return $/hour by minute: in all, and by model, the dearest apart and the others together."""
    weight: dict[str, float] = defaultdict(float)
    rows: list[dict[str, float]] = []
    for minute in minutes:
        row: dict[str, float] = defaultdict(float)
        for key, usd in minute_usd_per_hour(minute).items():
            if key is not None and usd is not None:
                row[_layer(key)] += usd
                weight[_layer(key)] += usd
        rows.append(row)
    names = sorted(weight, key=lambda name: -weight[name])
    shown, rest = names[:_SHOWN_MODELS], names[_SHOWN_MODELS:]
    layers: dict[str, tuple[float | None, ...]] = {
        TOTAL: tuple(_per_hour(minute.usd_nano, minute) for minute in minutes),
        **{name: tuple(row.get(name) for row in rows) for name in shown},
    }
    if rest:
        layers[OTHERS] = tuple(sum(row.get(name, 0.0) for name in rest) for row in rows)
    return layers


def _layer(key: Key) -> str:
    """Return whose the cost is: a model's, the host's, or nobody's."""
    source, model = key
    return model or (HOST if source == HOST else UNHELD)


def _token_history(minutes: Sequence[Minute]) -> dict[str, tuple[float | None, ...]]:
    sums: list[dict[str, float]] = []
    for minute in minutes:
        row: dict[str, float] = defaultdict(float)
        for each in minute.totals.values():
            for name in TOKEN_CLASSES:
                row[name] += each.quantities.get(name, 0)
        sums.append(row)
    used = [name for name in TOKEN_CLASSES if any(row[name] for row in sums)]
    return {
        name: tuple(
            row[name] * 1000 / minute.covered_ms if minute.covered_ms else None
            for row, minute in zip(sums, minutes, strict=True)
        )
        for name in used
    }


def _status(budget: Budget, summary: Summary, settings: Settings, costs: Costs, now: float) -> Status:
    spent = summary.budgets.get(budget.name)
    return status(budget, spent.usd_nano if spent else None, burn(budget, settings, costs), now, settings.zone)


def burn(budget: Budget, settings: Settings, costs: Costs) -> float | None:
    """Return what is being spent an hour now on what the budget is about, None where nothing of it has a price."""
    if not budget.conditions:
        return costs.total
    parts: dict[Place | tuple[str, None], float | None] = {place: cost.all_in for place, cost in costs.models.items()}
    if costs.gpus:
        parts[costs.gpus[0].meter, None] = costs.unheld
    return total(
        usd
        for (source, model), usd in parts.items()
        if matches(
            budget.conditions,
            assign({"source": source, "provider": "local", "model": model}, settings.assignments),
        )
    )

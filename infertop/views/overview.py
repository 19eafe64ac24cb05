"""The overview: the headline, and the rows of every panel."""

from __future__ import annotations

from infertop.engine.collector import Health
from infertop.money.budgets import Status, scope
from infertop.money.lines import NANO
from infertop.money.overlap import Choices
from infertop.views.deployments import deployment_rows
from infertop.views.facts import Facts, Past
from infertop.views.gpu_rows import gpu_rows
from infertop.views.model_rows import model_rows
from infertop.views.shapes import BudgetRow, BurnRow, Headline, ModelRow, Overview, SourceRow, Spark, Stacked
from infertop.views.unpriced import known_api, known_total, own_unpriced

TOTAL = ""


def overview(facts: Facts, models: tuple[ModelRow, ...] | None = None) -> Overview:
    """Make the overview of this tick; `models` are the rows of models where those were made before."""
    models = model_rows(facts) if models is None else models
    past = facts.past
    return Overview(
        at=facts.now,
        timezone=facts.timezone,
        host=facts.host,
        mode=facts.mode,
        window_seconds=_measured(facts, models),
        interval_seconds=facts.interval_seconds,
        headline=headline(facts, models),
        models=models,
        gpus=gpu_rows(facts),
        budgets=tuple(budget_row(each, past.coverage) for each in past.budgets),
        sources=source_rows(facts),
        events=past.events,
        cost_history=Stacked(past.minutes, tuple((n, row) for n, row in past.usd_per_hour.items() if n != TOTAL)),
        tokens_history=Stacked(past.minutes, tuple(past.tokens_per_second.items())),
        notices=facts.notices,
        searched=facts.searched,
        recorder=facts.recorder,
        deployments=deployment_rows(facts, models),
        self_cpu_ratio=facts.meters.mean("host", "host_process_cpu_ratio"),
        self_memory_bytes=facts.meters.total("host", "host_process_memory_bytes"),
        unassigned=tuple(past.unassigned.items()),
    )


def _measured(facts: Facts, models: tuple[ModelRow, ...]) -> float:
    """Return the window as it was really measured: that of the engine with the longest, else of the GPUs' energy."""
    measured = [row.window_seconds for row in models if row.window_seconds and not row.stated]
    rises = (facts.meters.increase(each.source, "gpu_energy_joules") for each in facts.healths)
    return max(measured or (rise.seconds for rise in rises if rise), default=0.0)


def headline(facts: Facts, models: tuple[ModelRow, ...]) -> Headline:
    """Return the first lines."""
    costs, past = facts.costs, facts.past
    counting = (row for row in models if row.counts)
    rates = [rate for row in counting for rate in row.tokens_per_second.values() if rate is not None]
    usual = past.usual
    month = next((each for each in past.budgets if each.budget.period == "month" and not each.budget.conditions), None)
    total = [mark for mark in past.marks if mark.scope == () and mark.metric == "usd_per_hour"]
    return Headline(
        usd_per_hour=known_total(costs, models),
        gpu_usd_per_hour=costs.gpu,
        host_usd_per_hour=costs.host,
        api_usd_per_hour=known_api(costs, models),
        idle_usd_per_hour=costs.idle,
        unheld_usd_per_hour=costs.unheld,
        tokens_per_second=sum(rates) if rates else None,
        usual_usd_per_hour=usual.mean if usual else None,
        usual_note=f"mean of {usual.minutes} minutes" if usual else "known after an hour of history",
        marked=bool(total),
        today_usd=past.today_usd,
        month_usd=past.month_usd,
        month_forecast_usd=month.forecast_usd if month else (None, None, None),
        month_limit_usd=float(month.budget.limit_usd) if month else None,
        default_prices=costs.default_gpus,
        unpriced=costs.unpriced_gpus,
        unpriced_models=len(past.unpriced),
        unpriced_tokens=sum(past.unpriced.values()),
        trend=_last_hour(past, facts.now),
        api_age_seconds=_api_age(facts),
        unpriced_own=own_unpriced(models),
    )


def _last_hour(past: Past, now: float) -> Spark:
    """Return the total $/hour of each of the last 60 minutes; None where nobody recorded, and after the newest known.

    The minute that has just ended may not be in the ledger yet: the picture then ends with the one before it.
    """
    known = past.usd_per_hour.get(TOTAL, ())
    if not known:
        return ()
    since = max(0, round((now // 60 * 60 - past.minutes[-1]) / 60) - 2)
    return ((None,) * 60 + known + (None,) * since)[-60:]


def _api_age(facts: Facts) -> float | None:
    """Return how long ago the newest whole minutes ended of what APIs cost now, the oldest of several."""
    told = {use.source: use.window.until for use in facts.api.uses if use.counted_usd_per_hour}
    return max((facts.now - until for until in told.values() if until is not None), default=None)


def budget_row(status: Status, coverage: float | None) -> BudgetRow:
    """Return the row of a budget; `coverage` is the share of today that was recorded."""
    budget = status.budget
    return BudgetRow(
        name=budget.name,
        period=budget.period,
        limit_usd=float(budget.limit_usd),
        spent_usd=None if status.spent_nano is None else status.spent_nano / NANO,
        fraction=status.fraction,
        burn_usd_per_hour=status.burn_usd_per_hour,
        forecast_usd=status.forecast_usd,
        exhausted_at=status.exhausted_at,
        level=status.level,
        resets_at=status.end,
        scope=scope(budget.conditions),
        coverage=None if budget.origin else coverage,
        origin=budget.origin,
        own_count=status.own_count,
        crossings=status.crossings,
        over=status.over,
        burns=tuple(
            BurnRow(each.seconds, each.usd_per_hour, each.usual_usd_per_hour, each.of_plan, each.known_seconds)
            for each in status.burns
        ),
        unread=status.unread,
    )


def source_rows(facts: Facts) -> tuple[SourceRow, ...]:
    """Return a row for every source."""
    return tuple(
        SourceRow(
            name=health.source,
            kind=health.kind,
            state=health.state.value,
            age_seconds=_age(facts, health),
            detail=health.detail,
            address=health.address,
            interval_seconds=health.interval_seconds,
            poll_seconds=health.seconds,
            failures=health.failures,
            rejected=health.rejected,
            counts=health.source not in facts.choices.sources_apart,
            note=counted_note(facts.choices, health.source),
        )
        for health in facts.healths
    )


def _age(facts: Facts, health: Health) -> float | None:
    """Return how old what a source says is: of a provider that tells of use, not when it was asked last."""
    told = facts.told_ago(health.source)
    read = None if health.good_ts is None else max(0.0, facts.now - health.good_ts)
    return read if told is None or health.good_ts is None else told


def counted_note(choices: Choices, source: str) -> str:
    """Say of a source that is not, or not all, part of totals, or that is counted twice; empty for the others."""
    others, twice = choices.others(source), choices.doubles(source)
    same = f"{', '.join(others)} {'counts' if len(others) == 1 else 'count'} the same requests"
    if twice:
        return f"counts = true, though {', '.join(twice)} counts the same requests"
    if source in choices.never:
        return f"attributes only: {same if others else 'counts = false'}"
    if not others:
        return ""
    return f"{'attributes only' if source in choices.sources_apart else 'attributes in part'}: {same}"

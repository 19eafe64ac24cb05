"""One reading as plain text: for a person at a pipe, a mail or a screen reader. No escape code, ASCII but for names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from infertop.money.budgets import spent_text
from infertop.readings.safe import named, safe
from infertop.views.incident_text import KIND, unusual
from infertop.views.shapes import BudgetRow, DeploymentRow, GpuRow, Headline, ModelRow, Overview, SourceRow
from infertop.views.unpriced import unpriced_sentence

_UNKNOWN = "-"
_APART = "*"
_NAME_WIDTH = 40
_SENTENCE = 300


def plain(view: Overview) -> str:
    """Return the overview as lines; what is unknown is "-", what is estimated has "~" before it."""
    head = view.headline
    parts = [("gpu", head.gpu_usd_per_hour), ("host", head.host_usd_per_hour), ("api", head.api_usd_per_hour)]
    made_of = "  ".join(f"{name} {_usd(value)}" for name, value in parts)
    lines = [
        f"infertop  {safe(view.host)}{'  DEMO' if view.mode == 'demo' else ''}",
        f"$/hour {_usd(head.usd_per_hour)}   {made_of}   idle {_usd(head.idle_usd_per_hour)}"
        f"   unheld {_usd(head.unheld_usd_per_hour)}   today {_usd(head.today_usd)}",
        *_unpriced(head),
        "",
    ]
    for title, rows in (
        (_MODELS, [_model(row) for row in view.models]),
        (_GPUS, [_gpu(row) for row in view.gpus]),
        (_DEPLOYMENTS, [_deployment(row) for row in view.deployments]),
        (_BUDGETS, [_budget(row) for row in view.budgets]),
        (_SOURCES, [_source(row) for row in view.sources]),
    ):
        lines += [*_table(title, rows), ""] if rows else []
    if not all(row.counts for row in view.models):
        lines += [f"{_APART} counted by another source, or set not to count: part of no total", ""]
    lasting = [each for each in unusual(view.events) if each.kind == KIND]
    lines += [f"! {safe(each.text, _SENTENCE)}{_why(each.cause)}" for each in lasting]
    lines += [f"! {safe(notice)}" for notice in view.notices]
    return "\n".join(lines).rstrip("\n") + "\n"


def _unpriced(head: Headline) -> list[str]:
    said = unpriced_sentence(head)
    return [f"! {said}"] if said else []


def _why(cause: str) -> str:
    return f": {safe(cause, _SENTENCE)}" if cause else ""


_MODELS = ("MODEL", "SOURCE", "$/H", "IN/S", "CACHED/S", "OUT/S", "REQ/S", "$/REQ", "$/1M", "RUNNING", "WAITING", "AGE")
_GPUS = ("GPU", "NAME", "UTIL", "MEM GIB", "OF GIB", "WATTS", "LIMIT", "HELD DOWN BY", "$/H", "IDLE", "PRICE", "MODEL")
_DEPLOYMENTS = ("DEPLOYMENT", "KIND", "$/H", "$/1M", "USE", "BREAK-EVEN", "COUNTS", "VERDICT")
_BUDGETS = ("BUDGET", "PERIOD", "SPENT", "OF", "SHARE", "NOW/H", "ENDS AT", "LEVEL")
_SOURCES = ("SOURCE", "STATE", "AGE", "DETAIL")


def _model(row: ModelRow) -> Sequence[str]:
    about = "~" if row.basis == "estimated" and row.usd_per_hour is not None else ""
    rates = row.tokens_per_second
    return (
        named(row.model, _NAME_WIDTH),
        safe(row.source, _NAME_WIDTH) + ("" if row.counts else f" {_APART}"),
        about + _usd(row.usd_per_hour),
        *(_number(rates.get(name), 1) for name in ("input", "cache_read", "output")),
        _number(row.requests_per_second, 2),
        _number(row.usd_per_request, 6),
        _usd(row.usd_per_million.get("blended")),
        _number(row.running, 0),
        _number(row.waiting, 0),
        _age(row.age_seconds),
    )


def _gpu(row: GpuRow) -> Sequence[str]:
    return (
        safe(row.index, _NAME_WIDTH),
        safe(row.name, _NAME_WIDTH),
        _share(row.utilization),
        _gibibytes(row.memory_used_bytes),
        _gibibytes(row.memory_total_bytes),
        _number(row.power_watts, 0) if row.power_share_watts is None else "~" + _number(row.power_share_watts, 0),
        _number(row.power_limit_watts, 0),
        _UNKNOWN if row.throttle_notes is None else safe(row.throttled, _NAME_WIDTH) or "nothing",
        _usd(row.usd_per_hour),
        _usd(row.idle_usd_per_hour),
        "default" if row.price_default else safe(row.price_source, _NAME_WIDTH) or "none",
        ", ".join(named(model, _NAME_WIDTH) for model in row.models) or _UNKNOWN,
    )


def _deployment(row: DeploymentRow) -> Sequence[str]:
    about = "~" if row.basis == "estimated" and row.usd_per_hour is not None else ""
    return (
        safe(row.name, _NAME_WIDTH),
        safe(row.kind, _NAME_WIDTH),
        about + _usd(row.usd_per_hour),
        _usd(row.usd_per_million_tokens),
        _share(row.utilization),
        _share(row.break_even),
        "yes" if row.counts else "no",
        safe(row.verdict),
    )


def _budget(row: BudgetRow) -> Sequence[str]:
    return (
        safe(row.name, _NAME_WIDTH),
        row.period,
        _beside(row.spent_usd, row.limit_usd),
        _beside(row.limit_usd, row.spent_usd),
        _share(row.fraction),
        _usd(row.burn_usd_per_hour),
        _ends(row),
        safe(row.level or ("reading back" if row.unread else _UNKNOWN)),
    )


def _beside(value: float | None, other: float | None) -> str:
    """Return an amount with as many digits as tell it from the other."""
    if value is None or other is None or not (math.isfinite(value) and math.isfinite(other)):
        return _usd(value)
    return spent_text(value, other).replace(",", "")


def _ends(row: BudgetRow) -> str:
    low, mid, high = row.forecast_usd
    return _usd(mid) if low is None or high is None else f"{_usd(mid)} ({_usd(low)} to {_usd(high)})"


def _source(row: SourceRow) -> Sequence[str]:
    said = "; ".join(each for each in (row.detail, row.note) if each)
    return (safe(row.name, _NAME_WIDTH), row.state, _age(row.age_seconds), safe(said))


def _table(title: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Align the columns: the first two and the last to the left, the others to the right."""
    table = [title, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(title))]
    left = {0, 1, len(title) - 1}
    return [
        "  ".join(
            cell.ljust(widths[column]) if column in left else cell.rjust(widths[column])
            for column, cell in enumerate(row)
        ).rstrip()
        for row in table
    ]


def _usd(value: float | None) -> str:
    return _number(value, 2)


def _number(value: float | None, digits: int) -> str:
    return _UNKNOWN if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    text = _number(None if value is None else value * 100, 0)
    return text if text == _UNKNOWN else f"{text}%"


def _gibibytes(value: float | None) -> str:
    return _number(None if value is None else value / 2**30, 0)


def _age(value: float | None) -> str:
    text = _number(value, 1)
    return text if text == _UNKNOWN else f"{text}s"

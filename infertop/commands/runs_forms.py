"""Runs as a table for a person, as JSON for a script, as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infertop.commands.report_forms import APART, aligned, csv_cell, left_out
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.safe import named, safe
from infertop.views.once import number, timestamp
from infertop.views.run_shapes import RunRow, RunsPage, Spread

_RUN, _PROJECT, _MODEL = 36, 32, 32


def as_json(page: RunsPage, limit: int) -> str:
    """Return the page as JSON, in base units; unknown is null."""
    shown = {
        "schema": 1,
        "since": timestamp(page.since),
        "until": timestamp(page.until),
        "runs": page.runs,
        "usd": number(page.usd),
        "usd_per_run": _spread(page.usd_per_run),
        "requests_per_run": _spread(page.requests_per_run),
        "tokens_per_run": _spread(page.tokens_per_run),
        "requests_without_run": page.requests_without,
        "rows": [_row(row) for row in page.rows[:limit]],
    }
    return json.dumps(shown, allow_nan=False) + "\n"


def _spread(spread: Spread) -> dict[str, float | None]:
    return {"median": number(spread.median), "p95": number(spread.p95), "runs": spread.of}


def _row(row: RunRow) -> dict[str, Any]:
    return {
        "run": row.run,
        "source": row.source,
        "agent": row.agent or None,
        "project": row.project or None,
        "models": list(row.models),
        "start": timestamp(row.start),
        "end": timestamp(row.end),
        "requests": row.requests,
        "tokens": dict(row.tokens),
        "usd": number(row.usd),
        "unpriced_tokens": row.unpriced_tokens,
        "counts": row.counts,
    }


def as_csv(page: RunsPage, limit: int) -> str:
    """Return the rows as CSV in which no name can be run as a formula; what is unknown is empty."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    names = ["run", "source", "agent", "project", "models", "start", "end", "requests"]
    out.writerow([*names, *TOKEN_CLASSES, "usd", "unpriced_tokens", "counts"])
    for row in page.rows[:limit]:
        said = (row.run, row.source, row.agent, row.project, " ".join(row.models))
        usd = "" if row.usd is None else f"{row.usd:.9f}"
        when = timestamp(row.start), timestamp(row.end), "" if row.requests is None else row.requests
        tokens = (row.tokens.get(name, "") for name in TOKEN_CLASSES)
        out.writerow([*map(csv_cell, said), *when, *tokens, usd, row.unpriced_tokens, str(row.counts).lower()])
    return text.getvalue()


def as_table(page: RunsPage, limit: int) -> str:
    """Return what is usual of a run, then the dearest as aligned columns; what is unknown is "-"."""
    lines = [f"{timestamp(page.since)} to {timestamp(page.until)}", *_usual(page)]
    if page.rows:
        title = ["RUN", "PROJECT", "MODEL", "START", "CALLS", "TOKENS", "USD", ""]
        lines += ["", *aligned([title, *map(_cells, page.rows[:limit])], 4)]
    if page.runs > limit:
        lines.append(f"{page.runs - limit:,} more runs, each cheaper")
    lines += left_out(page.rows)
    return "\n".join(lines) + "\n"


def _usual(page: RunsPage) -> Iterator[str]:
    if not page.runs:
        yield "no run: nothing that was told in this time names a session"
        return
    usd, calls, tokens = page.usd_per_run, page.requests_per_run, page.tokens_per_run
    total = "" if page.usd is None else f", {page.usd:,.4f} USD"
    yield f"{page.runs:,} runs{total}; of a run:"
    yield from aligned(
        [
            ["", "MEDIAN", "P95", "OF RUNS"],
            ["usd", _usd(usd.median), _usd(usd.p95), _count(usd.of)],
            ["calls", _count(calls.median), _count(calls.p95), _count(calls.of)],
            ["tokens", _count(tokens.median), _count(tokens.p95), _count(tokens.of)],
        ],
        1,
    )
    if page.requests_without:
        yield f"{page.requests_without:,} more requests belong to no run"


def _cells(row: RunRow) -> list[str]:
    model = row.models[0] if row.models else "(none)"
    more = f" +{len(row.models) - 1}" if len(row.models) > 1 else ""
    return [
        safe(row.run, _RUN),
        safe(_end(row.project, _PROJECT) or "(none)", _PROJECT),
        named(model, _MODEL - len(more)) + more,
        timestamp(row.start) or "-",
        _count(row.requests),
        f"{row.all_tokens:,}",
        _usd(row.usd),
        "" if row.counts else APART,
    ]


def _end(path: str, most: int) -> str:
    """Return the end of a path, which tells folders apart."""
    return path if len(path) <= most else f"…{path[1 - most :]}"


def _usd(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4f}"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


FORMS: Mapping[str, Callable[[RunsPage, int], str]] = {"json": as_json, "csv": as_csv, "table": as_table}

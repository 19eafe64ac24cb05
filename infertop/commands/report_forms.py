"""A report as a table for a person, as JSON for a script, as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from infertop.history.report import Report, Row
from infertop.money.lines import NANO
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.safe import named, safe
from infertop.views.once import number, timestamp
from infertop.views.run_shapes import RunRow

# What makes a spreadsheet run a cell, in its plain and its full-width form.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NAME_WIDTH = 48
APART = "*"
"""The mark of a row that is part of no total."""


def as_json(found: Report) -> str:
    """Return the report as the design's JSON: each row has exactly the keys that were asked for."""
    shown = {
        "schema": 1,
        "since": timestamp(found.since),
        "until": timestamp(found.until),
        "by": list(found.by),
        "coverage": number(found.coverage),
        "unassigned": {key: number(share) for key, share in found.unassigned.items()},
        "rows": [
            {
                **row.keys,
                "requests": row.requests,
                "tokens": row.tokens,
                "usd": None if row.usd_nano is None else row.usd_nano / NANO,
                "unpriced_tokens": row.unpriced_tokens,
                "counts": row.counts,
                **({"prorated": True} if row.prorated else {}),
            }
            for row in found.rows
        ],
    }
    return json.dumps(shown, allow_nan=False) + "\n"


def as_csv(found: Report) -> str:
    """Return the report as CSV in which no name can be run as a formula; what is unknown is empty."""
    classes = _classes(found)
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow([*found.by, "requests", *classes, "usd", "unpriced_tokens", "counts"])
    for row in found.rows:
        usd = "" if row.usd_nano is None else f"{row.usd_nano / NANO:.9f}"
        keys = [csv_cell(row.keys[key]) for key in found.by]
        tokens = [row.tokens.get(name, "") for name in classes]
        requests = "" if row.requests is None else row.requests
        out.writerow([*keys, requests, *tokens, usd, row.unpriced_tokens, str(row.counts).lower()])
    return text.getvalue()


def csv_cell(text: str | None) -> str:
    """Return a name as a cell that no spreadsheet runs as a formula."""
    plain = safe(text or "")
    return f"'{plain}" if plain.lstrip().startswith(_FORMULA_STARTS) else plain


def as_table(found: Report) -> str:
    """Return the report as aligned columns; what is unknown is "-"."""
    classes = _classes(found)
    recorded = "nothing" if not found.coverage else f"{found.coverage:.1%}"
    title = [*(key.upper() for key in found.by), "REQUESTS", *(name.upper() for name in classes), "USD", ""]
    rows = [
        [*(named(row.keys[key] or "(none)", _NAME_WIDTH) for key in found.by), *_amounts(row, classes)]
        for row in found.rows
    ]
    lines = [f"{timestamp(found.since)} to {timestamp(found.until)}, {recorded} of it recorded"]
    lines += aligned([title, *rows], len(found.by))
    lines += [f"{share:.1%} of the dollars are given to no {key}" for key, share in found.unassigned.items()]
    lines += left_out(found.rows)
    return "\n".join(lines) + "\n"


def left_out(rows: Sequence[Row | RunRow]) -> Iterator[str]:
    """Say under a table what of its rows is in no sum, and what the mark at the end of a row means."""
    if unpriced := sum(row.unpriced_tokens for row in rows):
        yield f"{unpriced:,} tokens have no price and are in no sum of dollars"
    if not all(row.counts for row in rows):
        yield f"{APART} counted by another source, or set not to count: part of no total"


def _classes(found: Report) -> list[str]:
    return [name for name in TOKEN_CLASSES if any(name in row.tokens for row in found.rows)]


def _amounts(row: Row, classes: Sequence[str]) -> Iterable[str]:
    yield "-" if row.requests is None else f"{row.requests:,}"
    for name in classes:
        yield f"{row.tokens[name]:,}" if name in row.tokens else "-"
    yield "-" if row.usd_nano is None else f"{row.usd_nano / NANO:,.4f}"
    yield "" if row.counts else APART


def aligned(table: Sequence[Sequence[str]], names: int) -> Iterable[str]:
    """Yield rows as lines of columns, of which the first `names` are words."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        cells = [
            cell.ljust(width) if n < names else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


FORMS: Mapping[str, Callable[[Report], str]] = {"json": as_json, "csv": as_csv, "table": as_table}

"""`infertop report`: the ledger, summed."""

from __future__ import annotations

import csv
import difflib
import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from typing import Any

from infertop.commands.setup import Setup, complain, setup_or_status
from infertop.history.reader import Reader, Unreadable
from infertop.history.report import Report, Row, report, spent
from infertop.history.scopes import Scopes
from infertop.money.lines import NANO
from infertop.money.periods import period
from infertop.money.settings import DIMENSIONS
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.safe import safe
from infertop.views.once import number, timestamp
from infertop.views.since import parse_instant

KEYS = (*DIMENSIONS, "user", "gpu", "resource", "basis")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
OVER_BUDGET = 3


def run(options: Namespace) -> int:
    """Print the report; status 2 for a wrong option, 1 without a history, 3 where a budget is over and asked for."""
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    settings = setup.watcher.current.settings
    now = setup.clock.now()
    by = tuple(dict.fromkeys(key.strip() for key in options.by.split(",") if key.strip()))
    wrong = [_unknown(key) for key in by if key not in KEYS]
    try:
        since, until = (parse_instant(text, now, settings.zone) for text in (options.since, options.until))
    except ValueError as error:
        return complain([*wrong, str(error)])
    if wrong:
        return complain(wrong)
    scopes = Scopes(settings, _counting(setup))
    try:
        reader = Reader(setup.database)
        found = reader.ask(report, by, since, until, scopes)
        over = _over_budget(reader, scopes, now) if options.budget_exit else []
    except Unreadable as error:
        print(f"infertop: {error}", file=sys.stderr)
        return 1
    _PRINT[options.format](found)
    for sentence in over:
        print(f"infertop: {sentence}", file=sys.stderr)
    return OVER_BUDGET if over else 0


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, KEYS, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; known are {', '.join(KEYS)}"
    return f'--by "{safe(key, 40)}" is nothing to group by{hint}'


def _counting(setup: Setup) -> Any:
    apart = {config.name for config in setup.sources() if config.counts is False}
    return lambda source: source not in apart


def _over_budget(reader: Reader, scopes: Scopes, now: float) -> list[str]:
    """Return a sentence for each budget whose limit is reached in its running period."""
    sentences = []
    for budget in scopes.settings.budgets:
        start, _ = period(budget.period, now, scopes.settings.zone)
        nano = reader.ask(spent, budget.conditions, start, now + 60, scopes)
        if nano is not None and nano >= budget.limit_usd * NANO:
            sentences.append(f"the budget {safe(budget.name)} is over: {nano / NANO:.2f} of {budget.limit_usd} USD")
    return sentences


def _json(found: Report) -> None:
    shown = {
        "schema": 1,
        "since": timestamp(found.since),
        "until": timestamp(found.until),
        "by": list(found.by),
        "coverage": number(found.coverage),
        "rows": [
            {
                **row.keys,
                "requests": row.requests,
                "tokens": row.tokens,
                "usd": _usd(row),
                "unpriced_tokens": row.unpriced_tokens,
                "counts": row.counts,
                **({"prorated": True} if row.prorated else {}),
            }
            for row in found.rows
        ],
    }
    print(json.dumps(shown, allow_nan=False))


def _usd(row: Row) -> float | None:
    return None if row.usd_nano is None else row.usd_nano / NANO


def _csv(found: Report) -> None:
    classes = _classes(found)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([*found.by, "requests", *classes, "usd", "unpriced_tokens", "counts"])
    for row in found.rows:
        usd = "" if row.usd_nano is None else f"{row.usd_nano / NANO:.9f}"
        keys = [_cell(row.keys[key]) for key in found.by]
        tokens = [row.tokens.get(name, "") for name in classes]
        requests = "" if row.requests is None else row.requests
        out.writerow([*keys, requests, *tokens, usd, row.unpriced_tokens, str(row.counts).lower()])


def _cell(text: str | None) -> str:
    """Return a name fit for a spreadsheet: nothing that it would run as a formula."""
    plain = safe(text or "")
    return f"'{plain}" if plain.startswith(_FORMULA_STARTS) else plain


def _classes(found: Report) -> list[str]:
    return [name for name in TOKEN_CLASSES if any(name in row.tokens for row in found.rows)]


def _table(found: Report) -> None:
    classes = _classes(found)
    recorded = "nothing" if not found.coverage else f"{found.coverage:.1%}"
    print(f"{timestamp(found.since)} to {timestamp(found.until)}, {recorded} of it recorded")
    title = [*(key.upper() for key in found.by), "REQUESTS", *(name.upper() for name in classes), "USD"]
    rows = [[*(safe(row.keys[key] or "(none)", 48) for key in found.by), *_amounts(row, classes)] for row in found.rows]
    for line in _aligned([title, *rows], len(found.by)):
        print(line)
    if any(row.unpriced_tokens for row in found.rows):
        print(f"{sum(row.unpriced_tokens for row in found.rows):,} tokens have no price and are in no sum of dollars")


def _amounts(row: Row, classes: Sequence[str]) -> Iterable[str]:
    yield "-" if row.requests is None else f"{row.requests:,}"
    for name in classes:
        yield f"{row.tokens[name]:,}" if name in row.tokens else "-"
    yield "-" if row.usd_nano is None else f"{row.usd_nano / NANO:,.4f}"


def _aligned(table: list[list[str]], names: int) -> Iterable[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        cells = [
            cell.ljust(width) if n < names else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


_PRINT = {"json": _json, "csv": _csv, "table": _table}

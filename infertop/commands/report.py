"""`infertop report`: the ledger, summed."""

from __future__ import annotations

import difflib
import sys
from argparse import Namespace
from dataclasses import replace

from infertop.commands.budget_exit import GOOD, Standing, standing
from infertop.commands.choosing import choices_for
from infertop.commands.report_forms import FORMS
from infertop.commands.setup import complain, setup_or_status
from infertop.history.reader import Reader, Unreadable
from infertop.history.report import Report, report
from infertop.history.scopes import Scopes
from infertop.money.settings import DIMENSIONS
from infertop.readings.safe import safe
from infertop.views.since import parse_instant

KEYS = (*DIMENSIONS, "user", "tag", "gpu", "resource", "basis")


def run(options: Namespace) -> int:
    """Print the report; status 2 for a wrong option, 1 without a history, with --budget-exit as `standing` has it."""
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
    if until <= since:
        wrong.append(f"--until ({safe(options.until, 40)}) is not after --since ({safe(options.since, 40)})")
    if wrong:
        return complain(wrong)
    try:
        with Reader(setup.database) as reader:
            choices = reader.ask(choices_for(setup))
            scopes = Scopes(settings, choices.counts, apart=choices.spans)
            found = reader.ask(report, by, since, until, scopes)
            stands = standing(reader, scopes, now) if options.budget_exit else Standing(GOOD, ())
    except Unreadable as error:
        print(f"infertop: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(FORMS[options.format](_telling(found)))
    for sentence in stands.sentences:
        print(f"infertop: {sentence}", file=sys.stderr)
    return stands.status


def _telling(found: Report) -> Report:
    """Leave out what belongs to nobody and of which nothing is known, the time of a host without a price for one."""
    rows = (
        row
        for row in found.rows
        if any(row.keys.values()) or row.tokens or (row.requests, row.usd_nano) != (None, None)
    )
    return replace(found, rows=tuple(rows))


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, KEYS, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; known are {', '.join(KEYS)}"
    return f'--by "{safe(key, 40)}" is nothing to group by{hint}'

"""`infertop runs`: what each session of an agent took and cost, the dearest first, and what is usual."""

from __future__ import annotations

import sys
from argparse import Namespace

from infertop.commands.book import price_book
from infertop.commands.choosing import choices_for
from infertop.commands.runs_forms import FORMS
from infertop.commands.setup import complain, setup_or_status
from infertop.history.reader import Reader, Unreadable
from infertop.readings.safe import safe
from infertop.views.runs import runs_page
from infertop.views.since import parse_instant


def run(options: Namespace) -> int:
    """Print the runs; status 2 for a wrong option, 1 without a history."""
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    now, zone = setup.clock.now(), setup.watcher.current.settings.zone
    try:
        since, until = (parse_instant(text, now, zone) for text in (options.since, options.until))
    except ValueError as error:
        return complain([str(error)])
    if until <= since:
        return complain([f"--until ({safe(options.until, 40)}) is not after --since ({safe(options.since, 40)})"])
    try:
        with Reader(setup.database) as reader:
            choices = reader.ask(choices_for(setup))
            page = reader.ask(runs_page, price_book(setup), now, since, until, choices.counts)
    except Unreadable as error:
        print(f"infertop: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(FORMS[options.format](page, options.limit))
    return 0

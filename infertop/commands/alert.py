"""`infertop alert --test`: tell those whom pricing.toml names that they can be told; no database is touched."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from argparse import Namespace
from collections.abc import AsyncIterator

from infertop.alerts import command, slack, webhook
from infertop.alerts.alertmanager import alerts as for_alertmanager
from infertop.alerts.form import Alert, trial
from infertop.alerts.outcome import Outcome
from infertop.alerts.schema import ALERT
from infertop.commands.alert_check import NOBODY
from infertop.commands.setup import complain, setup_or_status
from infertop.engine.collector import Unavailable
from infertop.money import settings
from infertop.readings.safe import safe

_LINES = 10


def run(options: Namespace) -> int:
    """Send a test alert; status 0 where everybody was told, 1 where somebody was not, 2 where nobody is named."""
    if options.schema:
        print(json.dumps(ALERT, indent=2))
        return 0
    if not options.test and not options.dry_run:
        return complain(["say what to send: infertop alert --test (or --dry-run, to see what that would be)"])
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    loaded = setup.watcher.current
    for notice in loaded.notices:
        print(f"infertop: {safe(notice, 1000)}", file=sys.stderr)
    now = setup.clock.now()
    alert = trial(now, socket.gethostname())
    if options.dry_run:
        _show(alert, now)
        return 0
    said = loaded.settings.alert
    if not said.has_webhook and not said.command:
        return complain([f"nobody is named to be told: {NOBODY}"])
    return asyncio.run(_test(said, alert, now))


def _show(alert: Alert, now: float) -> None:
    """Print what would be sent, in every format."""
    for name, body in (
        ("json", alert),
        ("slack", slack.message(alert)),
        ("alertmanager", for_alertmanager(alert, now)),
    ):
        print(json.dumps({"format": name, "body": body}, indent=2))


async def _test(said: settings.Alert, alert: Alert, now: float) -> int:
    print(f"sent           {safe(alert['summary'])}")
    status = 0
    async for who, outcome in _told(said, alert, now):
        print(f"{who}  {'told' if outcome.told else 'not told'}: {safe(outcome.sentence)}")
        for line in outcome.output.splitlines()[:_LINES]:
            print(f"               | {safe(line, 200)}")
        status = status if outcome.told else 1
    return status


async def _told(said: settings.Alert, alert: Alert, now: float) -> AsyncIterator[tuple[str, Outcome]]:
    if said.has_webhook:
        try:
            found = webhook.webhook_of(said)
        except Unavailable as why:
            yield "webhook      ", Outcome(False, why.sentence)
        else:
            assert found is not None
            outcome = await webhook.send(found, found.body(alert, now), alert["id"])
            yield f"webhook        {found.shown} ({found.format})", outcome
    if said.command:
        environ = command.environment(alert, os.environ, {said.webhook_env} - {""})
        yield f"command        {command.shown(said.command)}", await command.run(said.command, alert, environ)

"""Whom pricing.toml names to be told of alerts, in a line for `infertop check`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from infertop.alerts import command
from infertop.alerts.webhook import webhook_of
from infertop.engine.collector import Unavailable
from infertop.money.settings import Alert

NOBODY = "set webhook_env, webhook_file, webhook or command in [alert] of pricing.toml"


def alert_lines(alert: Alert, environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield who is told, and a line for each who cannot be."""
    told, wrong = [], []
    try:
        webhook = webhook_of(alert, environ)
    except Unavailable as why:
        told.append("a webhook")
        wrong.append(why.sentence)
    else:
        told += [f"{webhook.shown} ({webhook.format})"] if webhook else []
    if alert.command:
        told.append(f"the command {command.shown(alert.command)}")
        wrong += filter(None, [command.missing(alert.command)])
    who = f"told to {' and '.join(told)}, at most {alert.per_hour} messages an hour to each" if told else ""
    yield f"alerts         {who or f'on the screen alone; to be told elsewhere, {NOBODY}'}"
    for sentence in wrong:
        yield f"               ! {sentence}"

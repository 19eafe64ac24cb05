"""Telling a webhook: one POST to the origin that was configured, and what its answer means.

The URL may be a secret as a whole (Slack's are), so that only its origin is ever shown.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infertop.alerts import alertmanager, slack
from infertop.alerts.form import Alert
from infertop.alerts.outcome import Outcome
from infertop.engine import faults
from infertop.engine.collector import State, Unavailable
from infertop.engine.http import Http, Reply
from infertop.engine.origin import Origin
from infertop.engine.secrets import Secret, load_secret
from infertop.money import settings
from infertop.money.alert_section import wrong_webhook

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 10.0
_PORTS = {"http": 80, "https": 443}
_SECRET_PART = 12
# Slack says what is wrong in a few words of its own: no_service, invalid_payload, channel_is_archived.
_WORDS = re.compile(rb"\s*[a-z]+(?:[_ ][a-z]+){0,7}\s*")
_NO_HEADER = re.compile(r"[^!-~]")
_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to, and in which format. `path` is all of the URL behind its origin."""

    origin: Origin
    path: Secret
    format: str

    @property
    def shown(self) -> str:
        """Its origin, fit for a terminal."""
        port = f":{self.origin.port}"
        return self.origin.url.removesuffix(port if self.origin.port == _PORTS[self.origin.scheme] else " ")

    def body(self, alert: Alert, now: float) -> object:
        """Return what an alert is in the webhook's format."""
        if self.format == "slack":
            return slack.message(alert)
        return alertmanager.alerts(alert, now) if self.format == "alertmanager" else alert


def webhook_of(alert: settings.Alert, environ: Mapping[str, str] = os.environ) -> Webhook | None:
    """Return the webhook that is configured, None where none is; raise Unavailable with what to do."""
    if not alert.has_webhook:
        return None
    named = load_secret(alert.webhook_env, alert.webhook_file, environ, what="webhook")
    url = named.reveal() if named else alert.webhook
    sentence = wrong_webhook(url)
    if sentence:
        where = "webhook" if alert.webhook else "webhook_env" if alert.webhook_env else "webhook_file"
        raise Unavailable(f"the URL of [alert] {where} {sentence}", state=State.AUTH)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    form = alert.format or _format(parts.hostname or "", parts.path)
    if form == "alertmanager" and not parts.path.rstrip("/").endswith(alertmanager.PATH):
        path = parts.path.rstrip("/") + alertmanager.PATH + (f"?{parts.query}" if parts.query else "")
    _hide(url, path)
    return Webhook(Origin.parse(f"{parts.scheme}://{parts.netloc}"), Secret(path), form)


def _hide(url: str, path: str) -> None:
    """Let no log have the URL, nor a part of it that may be a token."""
    Secret(url)
    for part in re.split(r"[/?&=]", path):
        if len(part) >= _SECRET_PART and any(ch.isdigit() for ch in part):
            Secret(part)


def _format(host: str, path: str) -> str:
    if host == "hooks.slack.com":
        return "slack"
    return "alertmanager" if path.rstrip("/").endswith(alertmanager.PATH) else "json"


async def send(
    webhook: Webhook, body: object, message: str, transport: httpx.AsyncBaseTransport | None = None
) -> Outcome:
    """Send a body once; `message` is the same whenever it is sent again."""
    http = Http(webhook.origin.url, timeout_seconds=TIMEOUT_SECONDS, transport=transport)
    headers = {"Content-Type": "application/json", "Idempotency-Key": _NO_HEADER.sub("_", message)[:200]}
    content = json.dumps(body, allow_nan=False).encode("ascii")
    try:
        reply = await http.tell(webhook.path.reveal(), content, headers)
    except Unavailable as why:
        return Outcome(False, why.sentence, again=True, retry_seconds=why.retry_seconds)
    finally:
        # The next alert is hours away: a connection that was kept would be found closed by then.
        await http.close()
    return _outcome(reply, webhook.origin.address)


def _outcome(reply: Reply, where: str) -> Outcome:
    status = reply.status
    said = reply.body[:80].decode("ascii").strip() if len(reply.body) <= 80 and _WORDS.fullmatch(reply.body) else ""
    tail = f": {said}" if said else ""
    if status < 300:
        return Outcome(True, f"HTTP {status} in {reply.seconds * 1000:.0f} ms{tail}")
    if status < 400:
        return Outcome(False, f"{where} redirects elsewhere (HTTP {status}), which is not followed: correct the URL")
    if status in _LATER or status >= 500:
        retry = faults.retry_seconds(reply.headers)
        return Outcome(False, f"{where} answers HTTP {status}{tail}", again=True, retry_seconds=retry)
    return Outcome(False, f"{where} does not take it (HTTP {status}{tail}): is the URL right?")

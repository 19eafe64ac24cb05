"""What an alert says: made from an event as it is stored, complete in itself, fit for JSON.

Its fields are a contract with whoever is told: `infertop alert --schema` prints it (schema.py).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

from infertop import __version__
from infertop.readings.safe import safe

SCHEMA = 1
FIRING, RESOLVED = "firing", "resolved"
OPENED, CLOSED = "opened", "closed"
TEST, SUMMARY = "test", "summary"
_SEVERITIES = {"alarm": "critical", "warn": "warning"}
_SENTENCE, _NAME = 1000, 512
_MOST_EFFECTS, _MOST_DIMENSIONS = 32, 16


class Effect(TypedDict):
    """What one factor does to $/hour; the effects of an alert sum to its change. Values are in `unit`."""

    factor: str
    usd_per_hour: float | None
    of: str
    before: float | None
    after: float | None
    unit: str


class Alert(TypedDict):
    """What a channel is told. Times are RFC 3339 in UTC, money is in USD, None is unknown.

    `id` is the same however often this is sent; `incident` is the same for its beginning and its end. `ends_at` is when
    what it says is over by itself, as a budget's period. `alerts` are those that a summary sums up.
    """

    schema: int
    id: str
    incident: str
    status: str
    kind: str
    severity: str
    summary: str
    scope: dict[str, str]
    metric: str
    value: float | None
    expected: float | None
    excess_usd: float | None
    excess_usd_per_hour: float | None
    since: str
    until: str | None
    ends_at: str | None
    cause: str
    effects: list[Effect]
    history_seconds: float | None
    host: str
    version: str
    alerts: list[Alert]


def alert_of(key: str, event: Mapping[str, Any], stage: str, host: str, ends_at: float | None = None) -> Alert:
    """Return what is told of the event stored under `key` at one of its stages, opened or closed."""
    why = event.get("why")
    effects = why.get("effects") if isinstance(why, Mapping) else None
    kind = _text(event.get("kind"), _NAME)
    incident = f"{kind}-{_digest(host, key)}"
    scope = event.get("scope")
    return Alert(
        schema=SCHEMA,
        id=f"{incident}-{stage}",
        incident=incident,
        status=RESOLVED if stage == CLOSED else FIRING,
        kind=kind,
        severity=_SEVERITIES.get(str(event.get("level")), "info"),
        summary=_text(event.get("text"), _SENTENCE),
        scope=_scope(scope) if isinstance(scope, Mapping) else {},
        metric=_text(event.get("metric"), _NAME),
        value=_number(event.get("value")),
        expected=_number(event.get("expected")),
        excess_usd=_number(event.get("excess_usd")),
        excess_usd_per_hour=_number(event.get("excess_usd_per_hour")),
        since=moment(_number(event.get("ts")) or 0.0),
        until=_moment(event.get("until")) if stage == CLOSED else None,
        ends_at=_moment(ends_at),
        cause=_text(event.get("cause"), _SENTENCE),
        effects=_effects(effects) if isinstance(effects, Sequence) else [],
        history_seconds=_number(event.get("history_seconds")),
        host=_text(host, _NAME),
        version=__version__,
        alerts=[],
    )


def trial(now: float, host: str) -> Alert:
    """Return an alert that says that it is none."""
    text = "this is a test: incidents and budgets will be told here"
    event = {"kind": TEST, "ts": now, "level": "info", "text": text, "scope": {"test": "infertop alert --test"}}
    return alert_of(f"test {now:.3f}", event, OPENED, host, now + 300)


def summary_of(message: str, alerts: Sequence[Alert]) -> Alert:
    """Return one alert, with the id `message`, that has all of these in it: too many came within an hour."""
    severe = any(each["severity"] == "critical" for each in alerts)
    began = sum(each["status"] == FIRING for each in alerts)
    ended = len(alerts) - began
    parts = [f"{began} began" if began else "", f"{ended} ended" if ended else ""]
    text = f"{len(alerts)} more alerts, summed up to keep to the limit an hour: {', '.join(filter(None, parts))}"
    event = {"kind": SUMMARY, "text": text, "level": "alarm" if severe else "warn"}
    whole = alert_of(message, event, OPENED if began else CLOSED, alerts[0]["host"])
    return {**whole, "id": message, "incident": message, "since": min(each["since"] for each in alerts), "until": None,
            "alerts": list(alerts)}  # fmt: skip


def summary_id(ids: Sequence[str]) -> str:
    """Return the id of the message that sums up the letters with these ids."""
    return f"summary-{_digest(*ids)}"


def moment(ts: float) -> str:
    """Return epoch seconds as RFC 3339 in UTC."""
    try:
        return datetime.fromtimestamp(ts, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return "1970-01-01T00:00:00.000Z"


def seconds(text: str | None) -> float | None:
    """Return the epoch seconds of what `moment` returned."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _moment(value: object) -> str | None:
    ts = _number(value)
    return None if ts is None else moment(ts)


def _digest(*parts: str) -> str:
    whole = "\0".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(whole).hexdigest()[:24]


def _text(value: object, limit: int) -> str:
    return "" if value is None else safe(value, limit)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def _scope(scope: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(name, 64): _text(value, _NAME) for name, value in list(scope.items())[:_MOST_DIMENSIONS]}


def _effects(effects: Sequence[Any]) -> list[Effect]:
    return [
        Effect(
            factor=_text(each.get("factor"), _NAME),
            usd_per_hour=_number(each.get("usd_per_hour")),
            of=_text(each.get("of"), _NAME),
            before=_number(each.get("before")),
            after=_number(each.get("after")),
            unit=_text(each.get("unit"), 64),
        )
        for each in effects[:_MOST_EFFECTS]
        if isinstance(each, Mapping)
    ]

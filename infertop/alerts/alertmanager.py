"""Alerts as Alertmanager's API v2 takes them: POST /api/v2/alerts, an array.

https://prometheus.io/docs/alerting/latest/alerts_api. What fires is sent again as long as it lasts, since Alertmanager
takes it for over once `endsAt` is past: the labels tell alerts apart, and so they are the same at the beginning and the
end, and at each time in between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from infertop.alerts.form import FIRING, SUMMARY, Alert, moment, seconds

PATH = "/api/v2/alerts"
LASTS_SECONDS = 300.0  # Alertmanager's own resolve_timeout
AGAIN_SECONDS = 60.0
_NAME = re.compile(r"[^a-zA-Z0-9_]")
_NAMES = {
    "incident": "InfertopIncident",
    "budget": "InfertopBudget",
    "request": "InfertopRequest",
    "test": "InfertopTest",
}


def alerts(alert: Alert, now: float) -> list[dict[str, object]]:
    """Return the body: one alert, or all that a summary has."""
    return [_alert(each, now) for each in (alert["alerts"] if alert["kind"] == SUMMARY else [alert])]


def again(lasting: Sequence[Alert], now: float) -> list[dict[str, object]]:
    """Return the body that says that all of these last."""
    return [_alert(each, now) for each in lasting]


def _alert(alert: Alert, now: float) -> dict[str, object]:
    notes = {"summary": alert["summary"], "description": alert["cause"], "id": alert["id"]}
    for name in ("value", "expected", "excess_usd", "excess_usd_per_hour"):
        value = alert[name]
        if value is not None:
            notes[name] = f"{value:.6g}"
    return {
        "labels": _labels(alert),
        "annotations": {name: text for name, text in notes.items() if text},
        "startsAt": alert["since"],
        "endsAt": moment(_ends(alert, now)),
    }


def _ends(alert: Alert, now: float) -> float:
    """Return when it is over: one that fires and is told late is told all the same."""
    if alert["status"] == FIRING:
        ends = seconds(alert["ends_at"])
        return ends if ends is not None and ends > now + AGAIN_SECONDS else now + LASTS_SECONDS
    began, ended = seconds(alert["since"]), seconds(alert["until"])
    return max(began or 0.0, min(now if ended is None else ended, now))


def _labels(alert: Alert) -> dict[str, str]:
    """Return what it is told apart by; its end has the severity of its beginning (history/outbox.py)."""
    labels = {"alertname": _NAMES.get(alert["kind"], "Infertop"), "instance": alert["host"], "job": "infertop"}
    labels |= {"severity": alert["severity"], "incident": alert["incident"], "metric": alert["metric"]}
    for name, value in alert["scope"].items():
        label = _NAME.sub("_", name)
        labels.setdefault(f"_{label}" if label[:1].isdigit() or not label else label, value)
    # A label without a value is no label.
    return {name: value for name, value in labels.items() if value}

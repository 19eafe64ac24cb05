"""Events as the history stores them."""

from __future__ import annotations

from typing import Any

from infertop.alerts.form import Alert, alert_of
from infertop.views.event_shapes import Comparison, Effect, Event, content_of

KEY = 'incident usd_per_hour 1790000000 {"model": "gpt-4o"}'
TS = 1_790_000_000.0
CAUSE = "2.6x: prompt tokens per request on gpt-4o 2,000 -> 4,300 is 51 % of it; since 14:05; +$3.98/h"
WHY = Comparison(
    {"model": "gpt-4o"},
    (TS - 3600, TS),
    (TS, TS + 600),
    2.5,
    6.48,
    (
        Effect("volume", 0.9),
        Effect("prompt tokens per request", 2.03, "gpt-4o", 2000.0, 4300.0, "tokens"),
        Effect("unit price", -0.05, "gpt-4o", 2.5, 2.4, "$/1M"),
        Effect("output tokens per request", 1.1, "gpt-4o", 200.0, 290.0, "tokens"),
    ),
)


def event(**more: Any) -> dict[str, Any]:
    """An incident that is open."""
    said: dict[str, Any] = {
        "ts": TS,
        "level": "alarm",
        "kind": "incident",
        "text": "gpt-4o: 6.48 $/h, 2.50 expected",
        "scope": {"model": "gpt-4o"},
        "metric": "usd_per_hour",
        "value": 6.48,
        "expected": 2.5,
        "state": "open",
        "excess_usd": 0.66,
        "excess_usd_per_hour": 3.98,
        "cause": CAUSE,
        "history_seconds": 86400.0,
        "why": WHY,
    }
    return content_of(Event(**{**said, **more}))


def budget(level: str = "80%", **more: Any) -> dict[str, Any]:
    """A level of a budget that was crossed."""
    return event(kind="budget", level="warn", text=f"all: 80.00 of 100 USD a day spent ({level})", state="",
                 scope={"budget": "all"}, metric="", value=None, expected=None, cause="", why=None, until=TS,
                 excess_usd=None, excess_usd_per_hour=None, history_seconds=None, **more)  # fmt: skip


def alert(stage: str = "opened", **more: Any) -> Alert:
    """What is told of it."""
    return alert_of(KEY, event(**more), stage, "gpubox")

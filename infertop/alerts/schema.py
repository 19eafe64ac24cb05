"""The JSON Schema of an alert, as webhooks and commands are given it. Fields are added, none is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT = {"type": "string"}
_NUMBER = {"type": ["number", "null"]}
_TIME = {"type": "string", "format": "date-time"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


_EFFECT = _object(factor=_TEXT, usd_per_hour=_NUMBER, of=_TEXT, before=_NUMBER, after=_NUMBER, unit=_TEXT)

ALERT: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "An alert of infertop",
    **_object(
        schema={"const": 1},
        id={**_TEXT, "description": "the same however often it is sent; also in the header Idempotency-Key"},
        incident={**_TEXT, "description": "the same for the beginning and the end of one thing"},
        status={"enum": ["firing", "resolved"]},
        kind={**_TEXT, "description": "incident, budget, request, test, or summary: of `alerts`, beyond per_hour"},
        severity={"enum": ["critical", "warning", "info"]},
        summary={**_TEXT, "description": "one sentence"},
        scope={"type": "object", "additionalProperties": _TEXT, "description": "what it is about; empty: everything"},
        metric=_TEXT,
        value=_NUMBER,
        expected=_NUMBER,
        excess_usd={**_NUMBER, "description": "what it came to beyond the expected so far"},
        excess_usd_per_hour=_NUMBER,
        since=_TIME,
        until={"type": ["string", "null"], "format": "date-time", "description": "when it ended"},
        ends_at={"type": ["string", "null"], "format": "date-time", "description": "the end of a budget's period"},
        cause={**_TEXT, "description": "one sentence; empty where it is not known"},
        effects={"type": "array", "items": _EFFECT, "description": "parts that sum to the change in $/hour"},
        history_seconds={**_NUMBER, "description": "the past that `expected` stands on"},
        host=_TEXT,
        version=_TEXT,
        alerts={"type": "array", "items": {"$ref": "#"}},
    ),
}

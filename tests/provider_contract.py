"""What a provider's OpenAPI file allows to be asked: every request of a test is held against it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parent / "payloads"
# The most buckets of a width that one page may have, as both providers document it.
MOST = {"1m": 1440, "1h": 168, "1d": 31}
MOST_COST_DAYS = {"/organization/costs": 180, "/v1/organizations/cost_report": 31}


class Contract:
    """The paths and parameters of a provider's OpenAPI file, of which `contract.json` is an extract.

    `beside` are paths that the provider documents elsewhere, with the parameters that they take.
    """

    def __init__(self, provider: str, beside: dict[str, tuple[str, ...]] | None = None) -> None:
        paths: dict[str, dict[str, Any]] = json.loads((PAYLOADS / provider / "contract.json").read_text())
        paths |= {path: {name: {} for name in names} for path, names in (beside or {}).items()}
        self._paths = [(re.compile(re.sub(r"\\?\{\w+\\?\}", "[^/]+", re.escape(path))), path) for path in paths]
        self._params = paths

    def breach(self, path: str, items: Sequence[tuple[str, str]]) -> str:
        """Return what a request does that the contract does not allow, empty where it keeps it."""
        known = next((name for pattern, name in self._paths if pattern.fullmatch(path)), None)
        if known is None:
            return f"{path} is not in the contract"
        said = self._params[known]
        asked = dict(items)
        for name, schema in said.items():
            if schema.get("required") and name not in asked:
                return f"{path} is asked without {name}"
        for name, value in items:
            if name not in said:
                return f"{path} knows no {name}"
            wrong = _wrong(said[name], value)
            if wrong:
                return f"{path}: {name}={value} {wrong}"
        width, limit = asked.get("bucket_width", ""), int(asked.get("limit", "1"))
        most = MOST_COST_DAYS.get(known) or MOST.get(width, 1000 if "claude_code" in path else 100)
        if not 1 <= limit <= most:
            return f"{path}: limit={limit} of {width or 'a list'}"
        return _unaligned(asked, width)


def _wrong(schema: dict[str, Any], value: str) -> str:
    schema = schema.get("items", schema)
    if "enum" in schema and value not in schema["enum"]:
        return f"is none of {schema['enum']}"
    kind = schema.get("type")
    if kind == "integer" and not re.fullmatch(r"\d+", value):
        return "is no integer"
    if kind == "integer" and not schema.get("minimum", 0) <= int(value) <= schema.get("maximum", int(value)):
        return "is out of range"
    if kind == "boolean" and value not in ("true", "false"):
        return "is no boolean"
    if schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
        return "is no RFC 3339 time in UTC"
    return ""


def _unaligned(asked: dict[str, str], width: str) -> str:
    seconds = {"1m": 60, "1h": 3600, "1d": 86_400}.get(width, 1)
    for name in ("start_time", "end_time", "starting_at", "ending_at"):
        said = asked.get(name, "0")
        at = int(said) if said.isdigit() else int(datetime.fromisoformat(said).timestamp())
        if at % seconds:
            return f"{name}={said} is not aligned to {width}"
    return ""

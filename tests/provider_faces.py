"""An account as OpenAI and as Anthropic show it: paths, parameters, pages, units and errors of their own."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.provider_contract import Contract
from tests.provider_world import DAY, Answer, Asked, Billed, Group, World, error

OPENAI_KEY = "sk-admin-canary-0123456789abcdef"
ANTHROPIC_KEY = "sk-ant-admin01-canary-0123456789abcdef"
_WIDTHS = {"1m": 60, "1h": 3600, "1d": DAY}
_ITEMS = {"input": "input", "cache_read": "cached input", "cache_write_5m": "cache writes", "output": "output"}
_TYPES = {
    "input": "uncached_input_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write_5m": "cache_creation.ephemeral_5m_input_tokens",
    "cache_write_1h": "cache_creation.ephemeral_1h_input_tokens",
    "output": "output_tokens",
}
_ADMIN = "/v1/organizations"


class OpenAi:
    """OpenAI's face: dollars, epoch seconds, requests are counted."""

    name = "openai"
    url = "https://api.openai.com/v1"
    key = OPENAI_KEY

    def __init__(self) -> None:
        self._contract = Contract("openai")

    def refuses(self, headers: Mapping[str, str]) -> bool:
        """Say whether the key is wrong."""
        return headers.get("authorization") != f"Bearer {self.key}"

    def breach(self, asked: Asked) -> str:
        """Hold a request against the contract."""
        return self._contract.breach(asked.path.removeprefix("/v1"), asked.items)

    def answer(self, world: World, asked: Asked) -> Answer:
        """Answer a good request."""
        path = asked.path.removeprefix("/v1")
        if path == "/organization/costs":
            return _page(world, asked, self._costs(world, asked))
        if path.startswith("/organization/usage/"):
            return _page(world, asked, self._usage(world, asked, path.rpartition("/")[2]))
        return Answer(200, self._list(world, path))

    def _usage(self, world: World, asked: Asked, family: str) -> list[dict[str, Any]]:
        groups = {value for name, value in asked.items if name == "group_by"}
        start, end = int(asked.params["start_time"]), int(asked.params["end_time"])
        said = []
        for begin, until, content in world.buckets(start, end, _WIDTHS[asked.params["bucket_width"]], family):
            rows: dict[str, tuple[dict[str, Any], Counter[str]]] = {}
            for group, counts in content.items():
                who = {
                    "project_id": group.project or None,
                    "user_id": group.user or None,
                    "api_key_id": group.key or None,
                    "model": group.model,
                    "batch": group.batch,
                    "service_tier": group.tier or "default",
                }
                who = {name: value if name in groups else None for name, value in who.items()}
                rows.setdefault(json.dumps(who), (who, Counter()))[1].update(counts)
            results = [who | _openai_counts(family, counts) for who, counts in rows.values()]
            said.append({"object": "bucket", "start_time": begin, "end_time": until, "results": results})
        return said

    def _costs(self, world: World, asked: Asked) -> list[dict[str, Any]]:
        groups = {value for name, value in asked.items if name == "group_by"}
        start, end = int(asked.params["start_time"]), int(asked.params["end_time"])
        return [
            {
                "object": "bucket",
                "start_time": day,
                "end_time": day + DAY,
                "results": list(_costs_of(world, day, groups)),
            }
            for day in range(start, end, DAY)
            if day < world.now
        ]

    def _list(self, world: World, path: str) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        if path == "/organization/projects":
            rows = [{"id": each, "name": each.replace("proj_", "Project ")} for each in _all(world, "project")]
        elif path == "/organization/users":
            rows = [{"id": each, "name": each.replace("user_", "User ")} for each in _all(world, "user")]
        elif path.endswith("/api_keys"):
            project = path.split("/")[3]
            keys = sorted({group.key for _, group in world.uses if group.project == project and group.key})
            rows = [{"id": each, "name": each.replace("key_", "Key ")} for each in keys]
        elif path.endswith("/spend_limit"):
            return {
                "threshold_amount": 500_000,
                "currency": "USD",
                "interval": "month",
                "enforcement": {"status": "enforcing"},
            }
        return {"object": "list", "data": rows, "has_more": False, "last_id": rows[-1]["id"] if rows else None}


class Anthropic:
    """Anthropic's face: cents as text, RFC 3339, requests are not counted."""

    name = "anthropic"
    url = "https://api.anthropic.com"
    key = ANTHROPIC_KEY

    def __init__(self) -> None:
        beside = {
            f"{_ADMIN}/users": ("limit", "after_id"),
            f"{_ADMIN}/spend_limits/effective": ("page",),
            f"{_ADMIN}/rate_limits": ("limit", "page"),
            f"{_ADMIN}/workspaces/{{workspace_id}}/rate_limits": ("limit", "page"),
        }
        self._contract = Contract("anthropic", beside)
        self.claude_code: dict[str, list[dict[str, Any]]] = {}

    def refuses(self, headers: Mapping[str, str]) -> bool:
        """Say whether the key or the version is wrong."""
        return headers.get("x-api-key") != self.key or headers.get("anthropic-version") != "2023-06-01"

    def breach(self, asked: Asked) -> str:
        """Hold a request against the contract."""
        return self._contract.breach(asked.path, asked.items)

    def answer(self, world: World, asked: Asked) -> Answer:
        """Answer a good request."""
        path = asked.path.removeprefix(_ADMIN)
        if path == "/cost_report":
            end = asked.params.get("ending_at")
            if end and _seconds(end) <= _seconds(asked.params["starting_at"]):
                return error(400, "Invalid date range: ending date must be after starting date")
            return _page(world, asked, self._costs(world, asked))
        if path == "/usage_report/messages":
            return _page(world, asked, self._usage(world, asked))
        if path == "/usage_report/claude_code":
            rows = self.claude_code.get(asked.params["starting_at"], [])
            return Answer(200, {"data": rows, "has_more": False, "next_page": None})
        return Answer(200, self._list(world, path))

    def _usage(self, world: World, asked: Asked) -> list[dict[str, Any]]:
        start, end = _seconds(asked.params["starting_at"]), _seconds(asked.params["ending_at"])
        groups = {value for name, value in asked.items if name == "group_by[]"}
        said = []
        for begin, until, content in world.buckets(start, end, _WIDTHS[asked.params["bucket_width"]], "completions"):
            rows: dict[str, tuple[dict[str, Any], Counter[str]]] = {}
            for group, counts in content.items():
                who = {
                    "account_id": group.user or None,
                    "api_key_id": group.key or None,
                    "context_window": "0-200k",
                    "inference_geo": "global",
                    "model": group.model,
                    "service_account_id": None,
                    "service_tier": "batch" if group.batch else group.tier or "standard",
                    "workspace_id": group.project or None,
                }
                who = {name: value if name in groups else None for name, value in who.items()}
                rows.setdefault(json.dumps(who), (who, Counter()))[1].update(counts)
            results = [who | _anthropic_counts(counts) for who, counts in rows.values()]
            said.append({"starting_at": _text(begin), "ending_at": _text(until), "results": results})
        return said

    def _costs(self, world: World, asked: Asked) -> list[dict[str, Any]]:
        start = _seconds(asked.params["starting_at"])
        end = _seconds(asked.params["ending_at"]) if "ending_at" in asked.params else int(world.now // DAY) * DAY
        return [
            {
                "starting_at": _text(day),
                "ending_at": _text(day + DAY),
                "results": [_anthropic_bill(each) for each in world.bills.get(day, ())],
            }
            for day in range(start, end, DAY)
        ]

    def _list(self, world: World, path: str) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        if path == "/workspaces":
            rows = [{"id": each, "name": each.replace("proj_", "Workspace ")} for each in _all(world, "project")]
        elif path == "/api_keys":
            rows = [{"id": each, "name": each.replace("key_", "Key ")} for each in _all(world, "key")]
        elif path == "/users":
            rows = [{"id": each, "name": each.replace("user_", "User ")} for each in _all(world, "user")]
        elif path == "/rate_limits":
            limits = [
                {"type": "requests_per_minute", "value": 4000},
                {"type": "input_tokens_per_minute", "value": 10**6},
            ]
            models = ["claude-sonnet-5", "claude-sonnet-5-20260501"]
            rows = [{"id": "rl", "group_type": "model_group", "models": models, "limits": limits}]
        return {"data": rows, "has_more": False, "last_id": rows[-1]["id"] if rows else None}


def _page(world: World, asked: Asked, buckets: list[dict[str, Any]]) -> Answer:
    """Give a page of buckets; its cursor is good for the same question only."""
    same = sorted(item for item in asked.items if item[0] != "page")
    at = 0
    if "page" in asked.params:
        query, at = json.loads(base64.urlsafe_b64decode(asked.params["page"].removeprefix("page_")))
        if [tuple(item) for item in query] != same:
            return error(400, "Invalid page: it belongs to another query")
    size = min(world.page_buckets, int(asked.params.get("limit", 7)))
    more = at + size < len(buckets)
    cursor = "page_" + base64.urlsafe_b64encode(json.dumps([same, at + size]).encode()).decode()
    body = {"object": "page", "data": buckets[at : at + size], "has_more": more, "next_page": cursor if more else None}
    return Answer(200, body)


def _openai_counts(family: str, counts: Counter[str]) -> dict[str, Any]:
    written = counts["cache_write_5m"]
    if family != "completions":
        return {"input_tokens": counts["input"], "num_model_requests": counts["requests"]}
    return {
        "input_tokens": counts["input"] + counts["cache_read"] + written,
        "input_cached_tokens": counts["cache_read"],
        "input_cache_write_tokens": written,
        "input_uncached_tokens": counts["input"],
        "output_tokens": counts["output"],
        "num_model_requests": counts["requests"],
    }


def _anthropic_counts(counts: Counter[str]) -> dict[str, Any]:
    return {
        "uncached_input_tokens": counts["input"],
        "cache_read_input_tokens": counts["cache_read"],
        "cache_creation": {
            "ephemeral_5m_input_tokens": counts["cache_write_5m"],
            "ephemeral_1h_input_tokens": counts["cache_write_1h"],
        },
        "output_tokens": counts["output"],
        "server_tool_use": {"web_search_requests": counts["web_searches"]},
    }


def _costs_of(world: World, day: int, groups: set[str]) -> Iterable[dict[str, Any]]:
    for each in world.bills.get(day, ()):
        item = each.item or (f"{each.model}, {_ITEMS[each.resource]}" if each.model and each.resource else None)
        who = {"line_item": item, "project_id": each.project, "api_key_id": each.key}
        # A dollar is a number for one row and text for the next.
        value = str(each.usd) if each.resource == "output" else float(each.usd)
        yield {name: said if name in groups else None for name, said in who.items()} | {
            "object": "organization.costs.result",
            "amount": {"value": value, "currency": "usd"},
        }


def _anthropic_bill(each: Billed) -> dict[str, Any]:
    return {
        "amount": str(each.usd * 100),
        "currency": "USD",
        "description": each.item or f"{each.model} Usage",
        "cost_type": "tokens" if each.resource in _TYPES else each.item or "session_usage",
        "token_type": _TYPES.get(each.resource or ""),
        "model": each.model,
        "workspace_id": each.project,
        "context_window": "0-200k" if each.model else None,
        "inference_geo": "global" if each.model else None,
        "service_tier": "standard" if each.model else None,
    }


def _all(world: World, name: str) -> list[str]:
    return sorted({getattr(group, name) for _, group in world.uses} - {""})


def _seconds(said: str) -> int:
    return int(datetime.fromisoformat(said).timestamp())


def _text(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


__all__ = ["Anthropic", "Group", "OpenAi", "World"]

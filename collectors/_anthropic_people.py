"""Who is who at Anthropic, and what may be used: keys, workspaces, users, members' spend limits and rate limits.

Wire format: lists of the Admin API with `after_id` and `last_id`; limits have `page` and `next_page`, money is cents.
What an organization does not have (spend limits, rate limits of old accounts) is not there, and no trouble.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from collectors._anthropic_usage import DEFAULT_WORKSPACE, PROVIDER
from collectors._money import CENT, amount
from collectors._provider_lists import Lists
from collectors._provider_pages import Cursor, Row
from collectors._provider_root import Rooted
from infertop.readings.account import Account, Allowance, Name, RateLimit

_AFTER = Cursor("last_id", "after_id")
_LISTS = (
    ("project", "/organizations/workspaces"),
    ("key", "/organizations/api_keys"),
    ("user", "/organizations/users"),
)
_PERIODS = {"daily": "day", "weekly": "week", "monthly": "month"}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"(\w{1,60})_per_(second|minute|hour|day)")
_MOST_WORKSPACES = 50


class AnthropicPeople:
    """Reads lists; it remembers which workspaces there are."""

    def __init__(self, api: Rooted) -> None:
        self._api = api
        self._workspaces: list[str] = []

    async def names(self, _ts: float) -> tuple[Account, str]:
        """Return what workspaces, keys and users are called."""
        lists = Lists(self._api, "Anthropic's")
        names = [Name("project", DEFAULT_WORKSPACE, "(default workspace)")]
        for kind, path in _LISTS:
            rows = await lists.rows(path, {"limit": 100}, _AFTER)
            if kind == "project" and rows:
                self._workspaces = [_text(row, "id") for row in rows if _text(row, "id")][:_MOST_WORKSPACES]
            names += _names(kind, rows)
        return Account(names=tuple(names)), lists.note()

    async def limits(self, _ts: float) -> tuple[Account, str]:
        """Return what members may spend, and how much of each model may be used; most set no limits of their own."""
        lists = Lists(self._api, "Anthropic's")
        allowed: list[Allowance] = []
        for row in await lists.rows("/organizations/spend_limits/effective", {}, Cursor()):
            try:
                allowed += _allowances(row)
            except ValueError as error:
                lists.notes.append(f"Anthropic's spend limits: {error}")
        places = {"": "/organizations/rate_limits"}
        places |= {each: f"/organizations/workspaces/{quote(each, safe='')}/rate_limits" for each in self._workspaces}
        rates = [
            rate
            for workspace, path in places.items()
            for row in await lists.rows(path, {}, Cursor())
            for rate in _rates(row, workspace)
        ]
        note = lists.note()
        return Account(
            allowances=tuple(allowed) if allowed or lists.whole else None,
            rate_limits=tuple(rates) if rates or lists.whole else None,
        ), note


def _names(kind: str, rows: list[Row]) -> Iterator[Name]:
    for row in rows:
        number, name = _text(row, "id"), _text(row, "name") or _text(row, "email")
        if number and name:
            yield Name(kind, number, name)


def _allowances(row: Row) -> Iterator[Allowance]:
    """Yield what a member may spend. The spend so far is "0" also where it is not known: 0 is told as unknown."""
    if row.get("amount") is None or str(row.get("currency") or "USD").upper() != "USD":
        return
    actor = row.get("actor")
    who = _text(actor, "user_id")
    spent = amount(row.get("period_to_date_spend") or "0", CENT, "period_to_date_spend")
    yield Allowance(
        name=f"Anthropic spend limit, {_text(actor, 'name') or _text(actor, 'email_address') or who or 'organization'}",
        provider=PROVIDER,
        limit_usd=amount(row["amount"], CENT, "amount"),
        period=_PERIODS.get(str(row.get("period")), "month"),
        conditions=(("provider", PROVIDER), *([("user", who)] if who else [])),
        spent_usd=spent or None,
        enforced=True,
    )


def _rates(row: Row, workspace: str) -> Iterator[RateLimit]:
    """Yield the limits of a group of models, told once for each name; other groups are limits of no model."""
    models = row.get("models") if row.get("group_type") == "model_group" else None
    names = [each for each in models if isinstance(each, str) and each] if isinstance(models, list) else [None]
    limits = row.get("limits")
    for each in limits if isinstance(limits, list) else ():
        found = _RATE.fullmatch(_text(each, "type"))
        value = each.get("value") if found else None
        if found and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            unit = found[1].replace("_", " ")
            unit = unit if names != [None] else f"{_text(row, 'group_type').replace('_', ' ')} {unit}".strip()
            where = (("project", workspace),) if workspace else ()
            for name in names:
                yield RateLimit(PROVIDER, name, unit, value, _SECONDS[found[2]], where)


def _text(row: Any, field: str) -> str:
    value = row.get(field) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""

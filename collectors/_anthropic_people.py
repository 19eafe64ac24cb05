"""Who is who at Anthropic, and what members may spend: keys, workspaces, users and effective spend limits.

Wire format: lists of the Admin API with `after_id` and `last_id`; spend limits have `page` and `next_page`, in cents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collectors._anthropic_usage import DEFAULT_WORKSPACE, PROVIDER
from collectors._money import CENT, amount
from collectors._provider_pages import Cursor, Params, Row, paged
from collectors._provider_root import Rooted
from infertop.engine.collector import State, Unavailable
from infertop.readings.account import Account, Allowance, Name

_AFTER = Cursor("last_id", "after_id")
_LISTS = (
    ("project", "/organizations/workspaces"),
    ("key", "/organizations/api_keys"),
    ("user", "/organizations/users"),
)
_PERIODS = {"daily": "day", "weekly": "week", "monthly": "month"}


class AnthropicPeople:
    """Reads lists."""

    def __init__(self, api: Rooted) -> None:
        self._api = api

    async def names(self, _ts: float) -> tuple[Account, str]:
        """Return what workspaces, keys and users are called."""
        names = [Name("project", DEFAULT_WORKSPACE, "(default workspace)")]
        notes = []
        for kind, path in _LISTS:
            try:
                rows, note = await self._list(path, {"limit": 100}, _AFTER)
            except Unavailable as error:
                if error.retry_seconds is not None or error.state is State.STALE:
                    raise
                rows, note = [], error.sentence
            names += _names(kind, rows)
            notes.append(note)
        return Account(names=tuple(names)), next(filter(None, notes), "")

    async def limits(self, _ts: float) -> tuple[Account, str]:
        """Return what members may spend; most organizations set none."""
        rows, note = await self._list("/organizations/spend_limits/effective", {}, Cursor())
        found: list[Allowance] = []
        odd = ""
        for row in rows:
            try:
                found += _allowances(row)
            except ValueError as error:
                odd = odd or f"Anthropic's spend limits: {error}"
        return Account(allowances=tuple(found)), note or odd

    async def _list(self, path: str, params: Params, cursor: Cursor) -> tuple[list[Row], str]:
        async def ask(params: Params) -> bytes:
            return (await self._api.get(path, params, accept_status=(404,))).body

        found = await paged(ask, params, f"Anthropic's {path}", cursor)
        return found.rows, found.note


def _names(kind: str, rows: list[Row]) -> Iterator[Name]:
    for row in rows:
        number, name = row.get("id"), row.get("name") or row.get("email")
        if isinstance(number, str) and number and isinstance(name, str) and name:
            yield Name(kind, number, name)


def _allowances(row: Row) -> Iterator[Allowance]:
    """Yield what a member may spend. The spend so far is "0" also where it is not known: 0 is told as unknown."""
    if row.get("amount") is None or str(row.get("currency") or "USD").upper() != "USD":
        return
    actor = row.get("actor") if isinstance(row.get("actor"), dict) else {}
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


def _text(row: Any, field: str) -> str:
    value = row.get(field) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""

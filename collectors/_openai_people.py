"""Who is who at OpenAI, and what its own limits are: projects, users, keys, spend limits, alerts and rate limits.

Wire format: openai/openai-openapi, lists under /organization with `after` and `last_id`. Thresholds are cents.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any
from urllib.parse import quote

from collectors._money import CENT, amount
from collectors._provider_pages import Cursor, Params, Row, document, paged
from collectors._provider_root import Rooted
from collectors._provider_standing import is_pause
from infertop.engine.collector import Unavailable
from infertop.readings.account import Account, Allowance, Name, RateLimit

_AFTER = Cursor("last_id", "after")
_MOST_PROJECTS = 50
_PROVIDER = "openai"
_NOT_FOUND = 404
_RATES = (
    ("max_requests_per_1_minute", "requests", 60),
    ("max_tokens_per_1_minute", "tokens", 60),
    ("max_images_per_1_minute", "images", 60),
    ("max_requests_per_1_day", "requests", 86_400),
    ("batch_1_day_max_input_tokens", "batch input tokens", 86_400),
)


class OpenAiPeople:
    """Reads lists; it remembers which projects there are."""

    def __init__(self, api: Rooted) -> None:
        self._api = api
        self._projects: list[str] = []

    async def names(self, _ts: float) -> tuple[Account, str]:
        """Return what projects, users and keys are called."""
        notes = []
        asked = {"limit": 100, "include_archived": "true"}
        projects, note = await self._or_note(self._list("/organization/projects", asked))
        notes.append(note)
        self._projects = [each["id"] for each in projects if _text(each.get("id"))][:_MOST_PROJECTS]
        names = list(_names("project", projects))
        users, note = await self._or_note(self._list("/organization/users", {"limit": 100}))
        notes.append(note)
        names += _names("user", users)
        for project in self._projects:
            path = f"/organization/projects/{quote(project, safe='')}"
            keys, note = await self._or_note(self._list(f"{path}/api_keys", {"limit": 100}))
            accounts, other = await self._or_note(self._list(f"{path}/service_accounts", {"limit": 100}))
            names += [*_names("key", keys), *_names("user", accounts)]
            notes += [note, other]
        if len(projects) > len(self._projects):
            notes.append(f"the keys of {len(projects) - len(self._projects)} of {len(projects)} projects are not named")
        return Account(names=tuple(names)), next(filter(None, notes), "")

    async def limits(self, _ts: float) -> tuple[Account, str]:
        """Return spend limits, spend alerts and rate limits of the organization and its projects."""
        allowances: list[Allowance] = []
        rates: list[RateLimit] = []
        notes = [await self._spend("/organization", "", allowances)]
        for project in self._projects:
            path = f"/organization/projects/{quote(project, safe='')}"
            notes.append(await self._spend(path, project, allowances))
            rows, note = await self._or_note(self._list(f"{path}/rate_limits", {"limit": 100}))
            rates += [rate for row in rows for rate in _rates(row, project)]
            notes.append(note)
        note = next(filter(None, notes), "")
        account = Account(
            allowances=tuple(allowances) if allowances or not note else None,
            rate_limits=tuple(rates) if rates or not note else None,
        )
        return account, note

    async def _spend(self, path: str, project: str, into: list[Allowance]) -> str:
        try:
            reply = await self._api.get(f"{path}/spend_limit", accept_status=(404,))
            if reply.status == 200:
                row = document(reply.body, f"OpenAI's {path}/spend_limit")
                into += _allowance(row, project, "limit", enforced=_enforced(row))
            alerts, note = await self._list(f"{path}/spend_alerts", {"limit": 100})
        except (Unavailable, ValueError) as error:
            return _refused(error)
        try:
            into += [each for row in alerts for each in _allowance(row, project, "alert", enforced=False)]
        except ValueError as error:
            return str(error)
        return note

    async def _list(self, path: str, params: Params) -> tuple[list[Row], str]:
        async def ask(params: Params) -> bytes:
            return (await self._api.get(path, params)).body

        found = await paged(ask, params, f"OpenAI's {path}", _AFTER)
        return found.rows, found.note

    async def _or_note(self, ask: Awaitable[tuple[list[Row], str]]) -> tuple[list[Row], str]:
        try:
            return await ask
        except Unavailable as error:
            return [], _refused(error)


def _refused(error: Exception) -> str:
    """Return why something was not read, nothing where it is not offered; what is no answer ends the chore."""
    if isinstance(error, Unavailable) and (error.status is None or is_pause(error)):
        raise error
    return "" if isinstance(error, Unavailable) and error.status == _NOT_FOUND else str(error)


def _names(kind: str, rows: list[Row]) -> Iterator[Name]:
    for row in rows:
        number, name = row.get("id"), row.get("name") or row.get("email")
        if _text(number) and _text(name):
            yield Name(kind, str(number), str(name))


def _allowance(row: Row, project: str, what: str, *, enforced: bool | None) -> Iterator[Allowance]:
    """Yield what a threshold allows; none where none is set."""
    if row.get("threshold_amount") is None:
        return
    whose = f"project {project}" if project else "organization"
    yield Allowance(
        name=f"OpenAI spend {what}, {whose}",
        provider=_PROVIDER,
        limit_usd=amount(row["threshold_amount"], CENT, "threshold_amount"),
        period=str(row.get("interval") or "month"),
        conditions=(("provider", _PROVIDER), *([("project", project)] if project else [])),
        enforced=enforced,
    )


def _enforced(row: Row) -> bool | None:
    enforcement = row.get("enforcement")
    status = enforcement.get("status") if isinstance(enforcement, dict) else None
    return status == "enforcing" if isinstance(status, str) else None


def _rates(row: Row, project: str) -> Iterator[RateLimit]:
    model = row.get("model")
    for field, unit, seconds in _RATES:
        limit = row.get(field)
        if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
            yield RateLimit(_PROVIDER, model if _text(model) else None, unit, limit, seconds, (("project", project),))


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)

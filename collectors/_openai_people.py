"""Who is who at OpenAI, and what its own limits are: projects, users, keys, spend limits, alerts and rate limits.

Wire format: openai/openai-openapi, lists under /organization with `after` and `last_id`. Thresholds are cents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from collectors._money import CENT, amount
from collectors._provider_lists import Lists
from collectors._provider_pages import Cursor, Row
from collectors._provider_root import Rooted
from infertop.readings.account import Account, Allowance, Name, RateLimit

_AFTER = Cursor("last_id", "after")
_MOST_PROJECTS = 50
_PROVIDER = "openai"
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
        """Return what projects, users, keys and service accounts are called."""
        lists = Lists(self._api, "OpenAI's")
        projects = await lists.rows("/organization/projects", {"limit": 100, "include_archived": "true"}, _AFTER)
        if projects:
            self._projects = [each["id"] for each in projects if _text(each.get("id"))][:_MOST_PROJECTS]
        names = list(_names("project", projects))
        names += _names("user", await lists.rows("/organization/users", {"limit": 100}, _AFTER))
        for project in self._projects:
            path = _path(project)
            names += _names("key", await lists.rows(f"{path}/api_keys", {"limit": 100}, _AFTER))
            names += _names("user", await lists.rows(f"{path}/service_accounts", {"limit": 100}, _AFTER))
        left = len(projects) - len(self._projects)
        if left > 0:
            lists.notes.append(f"the keys of {left} of {len(projects)} projects are not named")
        note = lists.note()
        return Account(names=tuple(names)), note

    async def limits(self, _ts: float) -> tuple[Account, str]:
        """Return spend limits, spend alerts and rate limits of the organization and its projects."""
        lists = Lists(self._api, "OpenAI's")
        allowances: list[Allowance] = []
        rates: list[RateLimit] = []
        for project in ("", *self._projects):
            path = _path(project) if project else "/organization"
            try:
                limit = await lists.one(f"{path}/spend_limit", "threshold_amount")
                allowances += _allowance(limit, project, "limit", enforced=_enforced(limit))
                for row in await lists.rows(f"{path}/spend_alerts", {"limit": 100}, _AFTER):
                    allowances += _allowance(row, project, "alert", enforced=False)
            except ValueError as error:
                lists.notes.append(f"OpenAI's spend limits: {error}")
            if project:
                rows = await lists.rows(f"{path}/rate_limits", {"limit": 100}, _AFTER)
                rates += [rate for row in rows for rate in _rates(row, project)]
        note = lists.note()
        return Account(
            allowances=tuple(allowances) if allowances or lists.whole else None,
            rate_limits=tuple(rates) if rates or lists.whole else None,
        ), note


def _path(project: str) -> str:
    return f"/organization/projects/{quote(project, safe='')}"


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

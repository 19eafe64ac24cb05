"""Anthropic's Claude Code report: what each user's Claude Code used and is estimated to cost, by UTC day and model.

Wire format: GET /v1/organizations/usage_report/claude_code of the Admin API, one day a question, money in cents. It
tells only of what is more than an hour old. What it counts was asked of the API, and stands in the messages' usage, or
is paid for by a subscription: so it only says who used what, as a source of its own that never counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from collectors._anthropic_usage import PROVIDER
from collectors._money import CENT, usd_nano
from collectors._provider_pages import Row, paged
from collectors._provider_plan import DAY, last_days
from collectors._provider_root import Rooted
from collectors._provider_time import rfc3339, utc_seconds
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.figures import count
from infertop.readings.model import Batch, Covered, Member, Statement

PATH = "/organizations/usage_report/claude_code"
_KIND = "claude_code"
_AGAIN_DAYS = 2
_MOST_ROWS = 1000
_HOUR = 3600
_NOT_FOUND = 404
_CLASSES = {
    "input": "input",
    "output": "output",
    "cache_read": "cache_read",
    "cache_creation": "cache_write_5m",
}


class AnthropicClaudeCode:
    """Reads days: the month and a week back first, the last ones after that."""

    def __init__(self, config: SourceConfig, api: Rooted, begin: Callable[[float], float]) -> None:
        self._name = f"{config.name}/claude_code"
        self._api = api
        self._begin = begin
        self._read_ts: float | None = None
        self._told = False

    async def read(self, ts: float) -> tuple[Member | None, str]:
        """Return what the days that may have changed say, as a source that does not count, and a note.

        Where nobody ever used it there is no such source.
        """
        first = last_days(self._read_ts, ts, _AGAIN_DAYS, self._begin)
        said: list[Statement] = []
        covered: list[Covered] = []
        note, wrong = "", 0
        for day in range(first, int((ts - _HOUR) // DAY) * DAY + 1, DAY):
            try:
                rows, odd = await self._day(day)
            except Unavailable as error:
                if error.status != _NOT_FOUND:
                    raise
                rows, odd = [], ""
            note = note or odd
            for number, row in enumerate(rows):
                try:
                    said += self._say(_day_of(row, day), number, row)
                except ValueError as error:
                    note, wrong = note or f"Anthropic's Claude Code report: {error}", wrong + 1
            if not odd:
                covered.append(Covered(day, day + DAY, f"{_KIND}|"))
        self._read_ts = None if note and not wrong else ts
        self._told = self._told or bool(said)
        if not self._told:
            return None, note
        batch = Batch(self._name, ts, (), (), statements=tuple(said), covered=tuple(covered), rejected=wrong)
        return Member(self._name, _KIND, "", float(_HOUR), (batch,), counts=False), note

    async def _day(self, day: int) -> tuple[list[Row], str]:
        found = await paged(
            self._api.pages(PATH), {"starting_at": rfc3339(day)[:10], "limit": _MOST_ROWS}, f"Anthropic's {PATH}"
        )
        # Of a day that was not read to its end nothing is told: a part of it would look like the whole.
        return ([], found.note) if found.note and len(found.rows) >= _MOST_ROWS else (found.rows, "")

    def _say(self, day: int, number: int, row: Row) -> Iterator[Statement]:
        dimensions = dict(_who(row))
        parts = row.get("model_breakdown")
        for place, part in enumerate(parts if isinstance(parts, list) else ()):
            if not isinstance(part, dict):
                raise ValueError("a model's part is no object")
            tokens, cost, model = part.get("tokens"), part.get("estimated_cost"), part.get("model")
            tokens = tokens if isinstance(tokens, dict) else {}
            nano = None
            if isinstance(cost, dict) and str(cost.get("currency") or "USD").upper() == "USD":
                nano = None if cost.get("amount") is None else usd_nano(cost["amount"], CENT, "estimated_cost.amount")
            yield Statement(
                source=self._name,
                key=f"{_KIND}|{day}|{number}|{place}|{dimensions.get('user', '')}|{model}",
                start=day,
                end=day + DAY,
                provider=PROVIDER,
                model=model if isinstance(model, str) and model else None,
                dimensions=dimensions,
                quantities={
                    name: count(tokens[field], f"tokens.{field}")
                    for field, name in _CLASSES.items()
                    if tokens.get(field) is not None
                },
                requests=None,
                usd_nano=nano,
                basis="estimated",
            )


def _day_of(row: Row, asked: int) -> int:
    """Return the day that a row says it is about, in epoch seconds; that which was asked for where it says none."""
    said = utc_seconds(row.get("date"))
    return asked if said is None else said // DAY * DAY


def _who(row: Row) -> Iterator[tuple[str, str]]:
    actor = row.get("actor")
    actor = actor if isinstance(actor, dict) else {}
    said: dict[str, Any] = {
        "user": actor.get("email_address"),
        "key": actor.get("api_key_name"),
        "customer_type": row.get("customer_type"),
        "terminal": row.get("terminal_type"),
    }
    yield from ((name, value[:512]) for name, value in said.items() if isinstance(value, str) and value)

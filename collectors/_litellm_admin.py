"""Who is who at a LiteLLM proxy, and what each may spend: keys and teams by their names, and their budgets.

Wire format: GET /key/list and /team/list of litellm/proxy/_types.py. They need a database and an administrator's key.
`spend` is since the budget began anew, not of all time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from collectors._money import DOLLAR, amount
from collectors._provider_buckets import dimension
from infertop.engine.collector import State, Unavailable
from infertop.readings.account import Account, Allowance, Name

if TYPE_CHECKING:
    from infertop.engine.http import Http

_HOURLY, _SOON = 3600.0, 300.0
_PAGE, _MOST_PAGES = 100, 50
_NO_DATABASE = 500
_PERIODS = {
    **dict.fromkeys(("1h", "60m", "3600s"), "hour"),
    **dict.fromkeys(("1d", "24h"), "day"),
    "7d": "week",
    **dict.fromkeys(("30d", "1mo"), "month"),
}


class LiteLlmAdmin:
    """Reads the lists, one question at a time, so that the metrics page never waits for more than one.

    `users` are the owners of keys.
    """

    def __init__(self, source: str, base: str, http: Http) -> None:
        self._source = source
        self._base = base
        self._http = http
        self._due = 0.0
        self._page = 0
        self._keys: list[Mapping[str, Any]] = []
        self.users: dict[str, str] = {}
        self.note = ""

    def rests(self, ts: float) -> bool:
        """Say whether no question is due."""
        return ts < self._due

    async def read(self, ts: float) -> Account | None:
        """Ask the next question, where one is due; return everything once the last one is answered."""
        if self.rests(ts):
            return None
        try:
            if self._page < _MOST_PAGES:
                await self._next_keys()
                return None
            teams = await self._list("/team/list", {})
            self.users = {
                key: user
                for row in self._keys
                if (key := dimension(row, "token")) and (user := dimension(row, "user_id"))
            }
            account = Account(names=tuple(self._names(teams)), allowances=tuple(self._allowances(teams)))
        except (Unavailable, ValueError) as error:
            self._begin_anew(ts + _SOON, _why(error))
            return None
        self._begin_anew(ts + _HOURLY, "")
        return account

    def _begin_anew(self, due: float, note: str) -> None:
        self._due, self.note, self._page, self._keys = due, note, 0, []

    async def _next_keys(self) -> None:
        self._page += 1
        asked: dict[str, str | int] = {"page": self._page, "size": _PAGE, "return_full_object": "true"}
        new = await self._list("/key/list", asked, "keys")
        self._keys += new
        if len(new) < _PAGE:
            self._page = _MOST_PAGES

    async def _list(self, path: str, params: Mapping[str, str | int], name: str = "") -> list[Mapping[str, Any]]:
        reply = await self._http.get(self._base + path, params)
        try:
            said = json.loads(reply.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            said = None
        rows = said.get(name) if name and isinstance(said, dict) else said
        if not isinstance(rows, list):
            raise ValueError(f"LiteLLM's {path} answers with no list")
        return [each for each in rows if isinstance(each, dict)]

    def _names(self, teams: Iterable[Mapping[str, Any]]) -> Iterator[Name]:
        for kind, rows, mark, alias in (
            ("key", self._keys, "token", "key_alias"),
            ("team", teams, "team_id", "team_alias"),
        ):
            for row in rows:
                known, name = dimension(row, mark), dimension(row, alias)
                if known and name:
                    yield Name(kind, known, name)

    def _allowances(self, teams: Iterable[Mapping[str, Any]]) -> Iterator[Allowance]:
        for kind, rows, names in (
            ("key", self._keys, ("key_alias", "token")),
            ("team", teams, ("team_alias", "team_id")),
        ):
            for row in rows:
                who = next((said for name in names if (said := dimension(row, name))), None)
                if row.get("max_budget") is None or who is None:
                    continue
                every = dimension(row, "budget_duration") or ""
                period = _PERIODS.get(every, "")
                spent = row.get("spend")
                yield Allowance(
                    name=f"LiteLLM {kind} {who}" + (f", every {every}" if every and not period else ""),
                    provider="litellm",
                    limit_usd=amount(row["max_budget"], DOLLAR, "max_budget"),
                    period=period,
                    conditions=(("source", self._source), (kind, who)),
                    spent_usd=None if spent is None else amount(spent, DOLLAR, "spend"),
                    enforced=True,
                )


def _why(error: Exception) -> str:
    """Return why names and budgets are not told, in a sentence."""
    if isinstance(error, Unavailable) and error.status == _NO_DATABASE:
        return "LiteLLM has no database that answers: keys and teams have no names here, and no budgets"
    if isinstance(error, Unavailable) and error.state is State.AUTH:
        return "names and budgets of keys and teams need an administrator's key of LiteLLM"
    return f"names and budgets are not told: {error}"

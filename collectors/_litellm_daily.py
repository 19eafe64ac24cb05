"""LiteLLM's daily activity: whole UTC days by provider, model and key, exact, and each request once.

Wire format: GET /user/daily/activity/aggregated, SpendAnalyticsPaginatedResponse of litellm/types/proxy/
management_endpoints/common_daily_activity.py. An answer divides a day by model and key, and once more by provider and
key, but not by both: so that it is asked for all, and then for each model by itself. Those of teams and tags tell the
same requests again, one of several tags once for each, and are not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from collectors._litellm_books import Amounts
from collectors._litellm_tally import FAILED, SPEND, Row, Tally, figures, label, spender
from infertop.readings.model import Statement

PATH = "/user/daily/activity/aggregated"
MOST_MODELS = 200
_DAY = 86400.0
SCOPE = "daily|"
_UNKNOWN = "unknown"


class Daily:
    """The days that were asked (their dates to when they begin, in epoch seconds), and what is said of them."""

    def __init__(self, days: Mapping[str, float], users: Mapping[str, str]) -> None:
        self._days = days
        self._users = users
        self._whole: dict[tuple[str, str], Amounts] = {}
        self._tallies: dict[str, Tally] = {}
        self._wrong: set[str] = set()
        self.models: list[str] = []

    def begin(self, said: Row) -> None:
        """Take the answer for all models; raise ValueError where it cannot be read."""
        for date, parts in self._parts(said):
            for model, row in _rows(parts, "models"):
                amounts = figures(_inner(row, "metrics"))
                if any(amounts[name] for name in amounts if name != FAILED):
                    self._whole[date, model] = amounts
        self.models = sorted({model for _, model in self._whole})
        if len(self.models) > MOST_MODELS:
            raise ValueError(f"{len(self.models)} models are more than can be read back")

    def add(self, model: str, said: Row) -> None:
        """Take the answer for one model. A day on which it does not add up to that for all is told of nobody."""
        told = {}
        for date, parts in self._parts(said):
            sums: Amounts = {}
            for provider, row in _rows(parts, "providers"):
                for key, alias, team, amounts in _keys(row):
                    who = spender(_named(provider), model, key=alias or key, team=team, user=self._users.get(key or ""))
                    self._tallies.setdefault(date, Tally()).add(who, amounts)
                    sums = {name: sums.get(name, 0) + amount for name, amount in amounts.items()}
            told[date] = sums
        for date in self._days:
            whole, sums = self._whole.get((date, model)), told.get(date, {})
            if whole is None:
                used = any(amount for name, amount in sums.items() if name != FAILED)
                self._wrong |= {date} if used else set()
            elif any(amount != sums.get(name, 0) for name, amount in whole.items() if name != SPEND):
                self._wrong.add(date)

    @property
    def left_out(self) -> int:
        """How many days are left out, because what is said of them does not add up."""
        return len(self._wrong)

    def told(self, source: str) -> list[tuple[float, list[Statement]]]:
        """Return the days of which there is something to tell: when each begins, and its statements."""
        found = []
        for date, start in self._days.items():
            if date in self._tallies and date not in self._wrong:
                said = list(self._tallies[date].statements(source, SCOPE, start, start + _DAY))
                if said:
                    found.append((start, said))
        return found

    def _parts(self, said: Row) -> Iterator[tuple[str, Row]]:
        results = said.get("results")
        if not isinstance(results, list):
            raise ValueError(f"{PATH} answers with no results")
        seen = set()
        for each in results:
            date = each.get("date") if isinstance(each, dict) else None
            if not isinstance(date, str) or date not in self._days or date in seen:
                raise ValueError(f"{PATH} answers with days that were not asked, or twice")
            seen.add(date)
            yield date, _inner(each, "breakdown")


def _keys(row: Row) -> Iterable[tuple[str | None, str | None, str | None, Amounts]]:
    """Yield key, its alias and team, and its part; what no key is named of has none."""
    rest = figures(_inner(row, "metrics"))
    for key, part in _rows(row, "api_key_breakdown"):
        amounts = figures(_inner(part, "metrics"))
        rest = {name: amount - amounts[name] for name, amount in rest.items()}
        about = part.get("metadata")
        about = about if isinstance(about, dict) else {}
        yield key, label(about.get("key_alias")), label(about.get("team_id")), amounts
    if any(amount < 0 for name, amount in rest.items() if name != SPEND):
        raise ValueError(f"{PATH} says more of keys than of all of them")
    if any(amount for name, amount in rest.items() if name != SPEND):
        yield None, None, None, rest | {SPEND: max(0, rest[SPEND])}


def _named(provider: str) -> str | None:
    return None if provider == _UNKNOWN else provider


def _rows(said: Row, name: str) -> Iterator[tuple[str, Row]]:
    rows = _inner(said, name)
    return ((key, row) for key, row in rows.items() if key and isinstance(row, dict))


def _inner(said: Row, name: str) -> Row:
    found = said.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"{PATH} answers without {name}")
    return found

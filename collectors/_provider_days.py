"""Bills that are told by the day and by model alone: each UTC day is stated whole, today so far, and asked again.

The month is read back first, seven days at least. Today is asked again every few minutes, the last days every hour.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from collectors._provider_plan import DAY, MINUTE, oldest
from collectors._provider_time import month_begin
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.account import Account
from infertop.readings.model import Batch, Covered, Statement

if TYPE_CHECKING:
    from infertop.engine.http import Http

SCOPE = "bill|"
_TODAY_SECONDS, _AGAIN_SECONDS = 300.0, 3600.0
_AGAIN_DAYS = 3
_AT_ONCE = 8
_SOON = 1.0


class Item(NamedTuple):
    """What a day's bill says of one model: tokens by class and 1e-9 USD."""

    model: str | None
    usd_nano: int
    quantities: dict[str, int]


class Days(NamedTuple):
    """What was told of some days (by their first second, UTC), a note, and how many rows could not be read."""

    by_day: dict[int, list[Item]]
    note: str = ""
    rejected: int = 0


ReadDays = Callable[[int, int], Awaitable[Days]]
"""Reads the days in [start, end), epoch seconds; a day of which it returns nothing was not told."""


class DayReader:
    """Reads one account. `most_days` are asked at once; `aside` tells what else there is, each time."""

    def __init__(
        self,
        config: SourceConfig,
        http: Http,
        read: ReadDays,
        most_days: int,
        aside: Callable[[], Awaitable[Account]] | None = None,
    ) -> None:
        self.kind = config.kind
        self.config = config
        self._http = http
        self._read = read
        self._most = most_days
        self._aside = aside
        self._asked: dict[int, float] = {}

    async def collect(self, ts: float) -> Batch:
        """Read the days that are due, at most so many; raise Unavailable where nothing at all could be read."""
        troubles: list[Unavailable] = []
        told: list[Days] = []
        for start, end in self._spans(ts)[:_AT_ONCE]:
            try:
                told.append(await self._read(start, end))
            except Unavailable as trouble:
                troubles.append(trouble)
                break
            self._asked |= dict.fromkeys(range(start, end, DAY), ts)
        account = Account()
        if self._aside:
            try:
                account = await self._aside()
            except Unavailable as trouble:
                troubles.append(trouble)
        if troubles and not told and account == Account():
            raise troubles[0]
        return self._batch(ts, told, account, troubles)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    def _batch(self, ts: float, told: list[Days], account: Account, troubles: list[Unavailable]) -> Batch:
        days = {day: items for each in told for day, items in each.by_day.items()}
        notes = [*(trouble.sentence for trouble in troubles), *(each.note for each in told if each.note)]
        left = sum((end - start) // DAY for start, end in self._spans(ts))
        if left and not troubles:
            notes.append(f"reading back: {left} days are left")
        return Batch(
            self.config.name,
            ts,
            (),
            (),
            statements=tuple(each for day, items in days.items() for each in self._say(day, items, ts)),
            notes=tuple(dict.fromkeys(notes)),
            rejected=sum(each.rejected for each in told),
            covered=tuple(Covered(day, day + DAY, SCOPE) for day in days),
            account=replace(account, complete_until=ts // DAY * DAY),
            again_seconds=_SOON if left and not troubles else None,
        )

    def _spans(self, ts: float) -> list[tuple[int, int]]:
        """Return what is due, newest first, by as many days as may be asked at once."""
        today = int(ts // DAY) * DAY
        first = oldest(month_begin, ts)
        due = [day for day in range(today, first - DAY, -DAY) if self._is_due(day, today, ts)]
        spans: list[tuple[int, int]] = []
        for day in due:
            if spans and spans[-1][0] == day + DAY and spans[-1][1] - day <= self._most * DAY:
                spans[-1] = (day, spans[-1][1])
            else:
                spans.append((day, day + DAY))
        return spans

    def _is_due(self, day: int, today: int, ts: float) -> bool:
        if day not in self._asked:
            return True
        again = _TODAY_SECONDS if day == today else _AGAIN_SECONDS
        return day >= today - _AGAIN_DAYS * DAY and ts - self._asked[day] >= again - 1

    def _say(self, day: int, items: Iterable[Item], ts: float) -> Iterable[Statement]:
        end = min(day + DAY, int(ts // MINUTE) * MINUTE)
        for each in items if end > day else ():
            yield Statement(
                source=self.config.name,
                key=f"{SCOPE}{day}|{each.model or ''}",
                start=day,
                end=end,
                provider=self.kind,
                model=each.model,
                dimensions={},
                quantities=each.quantities,
                requests=None,
                usd_nano=each.usd_nano,
                basis="billed",
            )

"""From when on what pricing.toml says holds: from the first moment of a day in the file's time zone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from infertop.money.gpu_rates import family_key
from infertop.money.settings import Settings

ALWAYS = float("-inf")


class Dated(Protocol):
    """Something of pricing.toml that holds from a day on, or always."""

    @property
    def since(self) -> date | None:
        """The day, None where it always holds."""
        ...


_Entry = TypeVar("_Entry", bound=Dated)


@lru_cache(maxsize=1024)
def begins(since: date | None, zone: ZoneInfo) -> float:
    """Return the first moment of the day `since` in `zone` in epoch seconds, minus infinity for None.

    Where the clock jumps over midnight it is the jump, where midnight comes twice it is the first.
    """
    return ALWAYS if since is None else datetime(since.year, since.month, since.day, tzinfo=zone).timestamp()


def newest(entries: Iterable[_Entry], ts: float, zone: ZoneInfo, key: Callable[[_Entry], Hashable]) -> list[_Entry]:
    """Return of the entries with the same key the one that began last at `ts`, in the order of the file."""
    found: dict[Hashable, _Entry] = {}
    for each in entries:
        start = begins(each.since, zone)
        before = found.get(key(each))
        if start <= ts and (before is None or start > begins(before.since, zone)):
            found[key(each)] = each
    return list(found.values())


class Calendar:
    """The GPU rates, the host and the energy of pricing.toml by date."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        dated: list[Dated] = [*settings.gpus]
        dated += [each for each in (settings.host, settings.energy) if each is not None]
        self._starts: Sequence[float] = sorted({begins(each.since, settings.zone) for each in dated} - {ALWAYS})
        self._periods: dict[int, Settings] = {}

    def period(self, ts: float) -> int:
        """Return the number of the period that `ts` is in: within one, every rate is the same."""
        return bisect_right(self._starts, ts)

    def at(self, ts: float) -> Settings:
        """Return the settings with those GPU rates, host and energy alone that hold at `ts`."""
        number = self.period(ts)
        if number not in self._periods:
            self._periods[number] = self._holding(ts)
        return self._periods[number]

    def _holding(self, ts: float) -> Settings:
        said = self._settings
        gpus = newest(said.gpus, ts, said.zone, lambda rate: family_key(rate.name) or rate.name)
        host = newest(filter(None, (said.host,)), ts, said.zone, lambda _: "host")
        energy = newest(filter(None, (said.energy,)), ts, said.zone, lambda _: "energy")
        return replace(said, gpus=tuple(gpus), host=host[0] if host else None, energy=energy[0] if energy else None)

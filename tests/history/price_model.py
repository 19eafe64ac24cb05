"""The rule of price edits written down slowly: one use, and every file there was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from infertop.money.rates import PriceBook
from infertop.money.settings import Energy, HourlyRate, Owned, Settings
from tests.history.stating import LISTED, UNLISTED, factor, model
from tests.money.tape import H100

HOUR = 3600
A100 = "NVIDIA A100-SXM4-80GB"
OWNED = HourlyRate(A100, "pricing.toml:90", owned=Owned(Decimal(8760), Decimal(1)))


@dataclass(frozen=True)
class Entry:
    """What a file says of one thing: USD, and from which day of July 2026 on (0: always)."""

    usd: int
    day: int = 0

    @property
    def since(self) -> date | None:
        return date(2026, 7, self.day) if self.day else None


@dataclass(frozen=True)
class File:
    """A pricing.toml: entries by kind, at most one without a day and one with; factors on the list in tenths."""

    entries: tuple[tuple[str, Entry], ...] = ()
    zone: str = "UTC"

    def of(self, kind: str, dated: bool) -> Entry | None:
        return next((each for name, each in self.entries if name == kind and bool(each.day) is dated), None)

    def settings(self) -> Settings:
        models, gpus, factors, host, energy = [], [OWNED], [], None, None
        for kind, each in self.entries:
            line = 2 + 2 * bool(each.day)
            where = f"pricing.toml:{line}"
            if kind in ("listed", "unlisted"):
                name = LISTED if kind == "listed" else UNLISTED
                models.append(model(name, line, each.since, input=str(each.usd)))
            elif kind == "factor":
                factors.append(factor(f"0.{each.usd}", line, each.since))
            elif kind == "gpu":
                gpus.append(HourlyRate("H100", where, Decimal(each.usd), since=each.since))
            elif kind == "host":
                host = HourlyRate("host", where, Decimal(each.usd), since=each.since)
            else:
                energy = Energy(Decimal(each.usd), where, since=each.since)
        return Settings(
            zone=ZoneInfo(self.zone),
            models=tuple(models),
            providers=tuple(factors),
            gpus=tuple(gpus),
            host=host,
            energy=energy,
        )


Cost = tuple[Decimal | None, str]
"""USD, and which kind of price it is: "dated", "undated", "list", "default" or "none"."""


class Model:
    """The rule, said once more and slowly, for one thing used at `ts`."""

    def __init__(self, kind: str, ts: float) -> None:
        self.kind, self.ts = kind, ts
        self.files: list[tuple[float, File]] = []
        self.cost: Cost | None = None

    def edit(self, ts: float, file: File) -> None:
        self.files.append((ts, file))
        if self.cost is not None:
            self.cost = self._after(self.cost)

    def use(self) -> None:
        """It is told by now."""
        self.cost = self._now(True) if self._now(True) != self._now(False) else self._undated()

    def _after(self, cost: Cost) -> Cost:
        now = self._now(True)
        if now != self._now(False):
            return now
        if cost[1] == "dated":
            return self._undated()
        if cost[1] in ("none", "default") and now[1] not in ("none", "default"):
            return now
        return cost

    def _undated(self) -> Cost:
        at = max((i for i, (ts, _) in enumerate(self.files) if ts <= self.ts), default=0)
        found = [self._says(file, False) for _, file in self.files[at:]]
        return next((each for each in found if each[1] not in ("none", "default")), found[0])

    def _now(self, dates: bool) -> Cost:
        return self._says(self.files[-1][1], dates)

    def _says(self, file: File, dates: bool) -> Cost:
        found = self._entry(file, self.kind, dates)
        if found:
            return Decimal(found.usd), "dated" if found.day else "undated"
        if self.kind == "listed":
            by = self._entry(file, "factor", dates)
            if by is None:
                return Decimal("2.5"), "list"
            return Decimal("2.5") * by.usd / 10, "dated" if by.day else "undated"
        return {"unlisted": (None, "none"), "host": (None, "none"), "gpu": (DEFAULT, "default")}.get(
            self.kind, (Decimal("0.15"), "default")
        )

    def _entry(self, file: File, kind: str, dates: bool) -> Entry | None:
        dated = file.of(kind, True)
        if dates and dated and dated.since:
            midnight = dated.since
            begin = datetime(midnight.year, midnight.month, midnight.day, tzinfo=ZoneInfo(file.zone))
            if begin.timestamp() <= self.ts:
                return dated
        return file.of(kind, False)


DEFAULT = PriceBook(Settings()).gpu_rate(H100, None, ts=0).price.usd  # type: ignore[union-attr]

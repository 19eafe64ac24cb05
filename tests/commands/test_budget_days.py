"""Three budgets over the days of a clock change, by a whole session with its recorder, killed twice in between."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.commands.session import Session
from infertop.money.periods import PeriodKind, period
from infertop.readings.account import Account
from infertop.readings.model import Batch, Covered, Statement
from tests.commands.runs import Meters, setup
from tests.fakes import FakeClock
from tests.history.world import rows

ZONE = ZoneInfo("Europe/Berlin")
STEP = 1800
BEGIN, NOON, END = (
    int(datetime(2026, 10, day, hour, tzinfo=ZONE).timestamp()) for day, hour in ((20, 0), (24, 12), (26, 12))
)
KILLED = (NOON + 10 * STEP, NOON + 50 * STEP)
BUDGETS = (
    ("day", PeriodKind.DAY, 40, "2"),
    ("week of gpt", PeriodKind.WEEK, 150, "1.1"),
    ("month of prod", PeriodKind.MONTH, 160, "1.1"),
)
PRICING = """
timezone = "Europe/Berlin"
[[budget]]
name = "day"
limit_usd = 40
period = "day"
[[budget]]
name = "week of gpt"
limit_usd = 150
period = "week"
model = "gpt*"
[[budget]]
name = "month of prod"
limit_usd = 160
period = "month"
key = "prod"
[alert]
webhook = "http://127.0.0.1:9/nobody"
[[source]]
kind = "openai"
name = "openai"
key_env = "KEY"
"""


def used(begin: int, end: int) -> Iterator[Statement]:
    """What two keys used: one spends 1.1 USD an hour, the other 0.9."""
    for start in range(begin, end, STEP):
        for key, model, nano in (("prod", "gpt-4o", 550_000_000), ("dev", "claude", 450_000_000)):
            name = f"u|{start}|{key}"
            yield Statement("openai", name, start, start + 60, "openai", model, {"key": key}, {}, None, nano, "billed")


class Provider:
    """Tells what was used since it was asked last."""

    def __init__(self) -> None:
        self.until = BEGIN

    def __call__(self, ts: float) -> Batch:
        begin, self.until = self.until, int(ts)
        told, covered = tuple(used(begin, self.until)), (Covered(begin, self.until, "u|"),)
        return Batch("openai", ts, (), (), None, told, covered=covered, account=Account(complete_until=ts))


async def step(run: Session, clock: FakeClock) -> None:
    clock.jump(STEP)
    await run.polling.poll_once_all(1)
    for _ in range(2):
        assert run.recorder is not None
        assert await asyncio.to_thread(run.recorder.flush)
        await run.tick()
        if run.plans.making is not None:
            await asyncio.wait([run.plans.making])
    assert await asyncio.to_thread(run.recorder.flush)


def copied(database: Path, name: str) -> Path:
    """What a kill -9 leaves: the files as they are."""
    for tail in ("", "-wal"):
        if Path(f"{database}{tail}").exists():
            shutil.copy(f"{database}{tail}", database.with_name(f"{name}{tail}"))
    return database.with_name(name)


def due() -> set[str]:
    """The levels that the sums reach in this time, as keys of events."""
    found = set()
    for name, kind, limit, hourly in BUDGETS:
        for now in range(NOON + STEP, END + 1, STEP):
            start = int(period(kind, now, ZONE)[0])
            spent = Decimal(now - max(start, BEGIN)) / 3600 * Decimal(hourly)
            for share, level in ((Decimal("0.5"), "50%"), (Decimal("0.8"), "80%"), (Decimal(1), "over")):
                found |= {f"budget {name} {start} {level}"} if spent >= share * limit else set()
    return found


async def test_each_level_is_told_once_in_each_period_over_a_clock_change_and_kills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "none")
    clock, meters, pricing = FakeClock(float(NOON)), Meters(monkeypatch), tmp_path / "pricing.toml"
    meters.says["openai"] = Provider()
    pricing.write_text(PRICING)
    database = tmp_path / "a.db"
    run = await Session.open(setup(pricing, clock, database))
    while clock.now() < END:
        await step(run, clock)
        if clock.now() in KILLED:
            left = copied(database, f"{clock.now():.0f}.db")
            await run.close()
            database = left
            run = await Session.open(setup(pricing, clock, database))
    await run.close()
    events = {key: json.loads(content) for key, content in rows(database, "SELECT key, content FROM events")}
    said = [each["text"] for each in events.values() if each["kind"] == "budget"]
    crossed = [each for each in said if " spent (" in each]
    wanted = due()
    assert {key for key in wanted if key.endswith("over")} <= events.keys()
    assert sum(each.split("(")[-1].count(",") + 1 for each in crossed) == len(wanted)
    assert {each.split(":")[0] for each in said if "heading" in each} <= {"day", "week of gpt", "month of prod"}
    letters = [name for (name,) in rows(database, "SELECT id FROM outbox")]
    assert (
        len(letters)
        == len(set(letters))
        == sum(each["level"] != "info" for each in events.values() if each["kind"] == "budget")
    )
    places = [
        (name, start, level) for name, start, level in rows(database, "SELECT budget, period, level FROM budget_levels")
    ]
    assert {f"budget {name} {start} {level}" for name, start, level in places if "forecast" not in level} >= wanted

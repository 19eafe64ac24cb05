"""Three weeks in which nothing is wrong: clocks change, nights are off, days are restated, prices are edited."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from infertop.money.detect.watched import USUAL
from tests.commands.watched_world import LOCAL, MINUTE, World

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = int(datetime(2026, 10, 12, tzinfo=UTC).timestamp())  # the clock goes back on the 25th
DAY = 86_400
EVERY = 10  # minutes: one of them is recorded, so that three weeks are a second of work


def busy(ts: int) -> float:
    """How busy people are: by the clock of Berlin, and less at weekends."""
    local = datetime.fromtimestamp(ts, BERLIN)
    hour = local.hour + local.minute / 60
    return 0.35 + 0.65 * math.exp(-(((hour - 14) / 4.5) ** 2)) * (0.5 if local.weekday() >= 5 else 1.0)


class Weeks:
    """A provider with two keys, and a GPU of one's own, told minute by minute."""

    def __init__(self, path: Path, seed: int) -> None:
        self.world = World(path, BEGIN)
        self.world.asked = replace(self.world.asked, rule=replace(USUAL, floor_usd=1.0), zone=BERLIN)
        self.world.tells = False
        self.chance = random.Random(seed)
        self.price, self.times = "a", 1.0
        self.level = 1.0

    def minute(self) -> None:
        """Close a minute of usual traffic."""
        world, chance = self.world, self.chance
        self.level = max(0.7, min(1.4, self.level * math.exp(chance.gauss(0, 0.014))))
        lines: dict[int, tuple[int, int | None]] = {}
        for key, usd in (("prod", 30.0), ("dev", 6.0)):
            tokens = round(usd * busy(world.until) * self.level * chance.gammavariate(20, 1 / 20) * 1e5 / 60)
            nano = round(tokens * 1e4 * self.times)
            lines[world.account("gpt-4o", "input", price=self.price, key=key)] = (tokens, nano)
            lines[world.account("gpt-4o", "requests", price=None, key=key)] = (tokens // 1000, None)
        share = min(1.0, busy(world.until) * chance.uniform(0.8, 1.2))
        for resource, part in (("gpu_busy", share), ("gpu_idle", 1 - share)):
            number = world.account("llama", resource, source=LOCAL, gpu="GPU-1")
            lines[number] = (round(60_000 * part), round(4.0 / 60 * 1e9 * part))
        world.minute(lines)
        world.until += (EVERY - 1) * MINUTE

    def until(self, day: float) -> None:
        """Let time pass up to a day; the work is asked every hour."""
        while self.world.until < BEGIN + day * DAY:
            self.minute()
            if self.world.until % 3600 == 0:
                self.world.watch()

    def off(self, hours: int, told: bool) -> None:
        """Record nothing for some hours; of them the provider tells later, by the hour."""
        start = self.world.until
        number = self.world.account("gpt-4o", "input", price=self.price, key="prod")
        for hour in range(hours if told else 0):
            line = (start + hour * 3600, start + (hour + 1) * 3600, number, 10**9, 10**13)
            self.world.connection.execute("INSERT INTO lines VALUES (?,?,?,?,?,0)", line)
        self.world.store()
        self.world.kill()
        self.world.until += hours * 3600

    def restate(self, day: int) -> None:
        """Let the provider say another thing about a day, and its bill settle it."""
        span = (BEGIN + day * DAY, BEGIN + (day + 1) * DAY)
        provider = self.world.account("gpt-4o", "input", price=self.price, key="prod")
        self.world.connection.execute(
            "UPDATE lines SET usd_nano = usd_nano * 3, quantity = quantity * 3 WHERE start >= ? AND start < ?"
            " AND account = ?",
            (*span, provider),
        )
        bill = self.world.account("gpt-4o", "adjustment", price=None)
        self.world.connection.execute("INSERT INTO lines VALUES (?,?,?,?,?,0)", (*span, bill, 0, 400 * 10**9))


def test_three_weeks_of_usual_traffic_are_without_an_incident(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path / "infertop.db", 2)
    weeks.until(4.8)
    weeks.off(10, told=True)
    weeks.until(9.5)
    weeks.restate(8)
    weeks.until(11.4)
    weeks.price, weeks.times = "b", 2.5  # the file says another price
    weeks.until(15.3)
    weeks.price, weeks.times = "c", 0.8
    weeks.off(2, told=False)
    weeks.until(21)
    assert weeks.world.opened() == []
    day = datetime.fromtimestamp(weeks.world.until, BERLIN)
    assert (day.month, day.tzname()) == (11, "CET")


def test_usual_traffic_with_a_runaway_key_have_one_incident_on_its_day(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path / "infertop.db", 1)
    weeks.until(8.4)
    assert weeks.world.opened() == []
    begun = weeks.world.until
    while weeks.world.until < begun + 6 * 3600:
        weeks.minute()
        dev = weeks.world.account("gpt-4o", "input", price="a", key="dev")
        weeks.world.connection.execute(
            "UPDATE lines SET quantity = quantity * 8, usd_nano = usd_nano * 8 WHERE start = ? AND account = ?",
            (weeks.world.until - EVERY * MINUTE, dev),
        )
        weeks.world.watch()
    weeks.until(9)
    opened = [each.fault for each in weeks.world.steps if each.opened]
    assert [dict(each.scope) for each in opened] == [{"key": "dev"}]
    assert begun <= opened[0].since < begun + 3600

"""What a provider bills settles what was computed: by its own days, once they are final, to the cent."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.history.accounts import Accounts
from infertop.history.bills import bill_days
from infertop.history.settled import settlement
from infertop.money.settlement import ADJUSTMENT, Drift
from tests.provider_rig import NOW, Rig
from tests.provider_world import DAY, HOUR, Answer, Asked, Billed, Group, error

TODAY = int(NOW // DAY) * DAY
B = Group(key="key_b", project="proj_b", model="gpt-4o-mini")


@pytest.fixture(params=["openai", "anthropic"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(request.param, tmp_path / "x.db")
    for days in range(1, 6):
        made.world.use(TODAY - days * DAY + 3 * HOUR, input=10**6, cache_read=40_000, output=50_000, requests=9)
        made.world.use(TODAY - days * DAY + 9 * HOUR, B, input=1234, cache_write_5m=77, output=7, requests=1)
    yield made
    await made.collector.close()
    assert made.world.breaches == []


def billed(rig: Rig, day: int) -> int:
    return int(sum(each.usd for each in rig.world.bills[day]) * 10**9)


def adjusted(rig: Rig, day: int) -> int:
    rows = [row for row in rig.rows() if row[2] == ADJUSTMENT and day <= row[5] < day + DAY]
    return sum(row[4] or 0 for row in rows)


def drifts(rig: Rig, day: int) -> list[Drift]:
    with closing(sqlite3.connect(rig.path)) as connection:
        found = bill_days(connection, day, day + DAY)
        return [d for each in found for d in settlement(connection, Accounts(connection), each).drifts]


async def test_days_that_are_final_cost_what_was_billed_and_others_what_was_computed(rig: Rig) -> None:
    for days in range(1, 6):
        rig.world.bill(TODAY - days * DAY, "1.25")
    tokens = rig.world.truth()
    await rig.poll()
    final = {"openai": 2, "anthropic": 3}[rig.provider]
    for days in range(1, 6):
        day = TODAY - days * DAY
        computed = rig.world.usd_nano(day, day + DAY)
        assert rig.day_usd(day) == (billed(rig, day) if days >= final else computed)
        assert sum(each.nano for each in drifts(rig, day)) == billed(rig, day) - computed
    assert sum(rig.ledger().values()) == sum(n for key, n in tokens.items() if not skip(rig, key))


def skip(rig: Rig, key: tuple[str, str, str, str]) -> bool:
    return rig.provider == "anthropic" and key[3] == "requests"


async def test_a_day_settles_when_its_time_is_over(rig: Rig) -> None:
    day = TODAY - DAY
    rig.world.bill(day, "0.9")
    await rig.poll()
    assert adjusted(rig, day) == 0
    wait = {"openai": DAY, "anthropic": 2 * DAY}[rig.provider]
    await rig.poll(day + DAY + wait - rig.now - 60)
    assert adjusted(rig, day) == 0
    await rig.poll(120)
    assert rig.day_usd(day) == billed(rig, day)


async def test_a_bill_that_changes_within_three_days_is_heard(rig: Rig) -> None:
    day = TODAY - 3 * DAY
    rig.world.bill(day, "1.1")
    await rig.poll()
    rig.world.bill(day, "1.3")
    rig.world.bills[day].append(Billed(Decimal("-0.5"), "gpt-4o", "input", "key_a", "proj_a"))
    await rig.poll(HOUR)
    assert rig.day_usd(day) == billed(rig, day)


async def test_what_is_never_metered_stands_without_a_model(rig: Rig) -> None:
    day = TODAY - 4 * DAY
    rig.world.bill(day)
    rig.world.bills[day].append(Billed(Decimal("3.5"), project="proj_a", item="Vector storage"))
    await rig.poll()
    assert rig.day_usd(day) == billed(rig, day)
    assert sum(row[4] or 0 for row in rig.rows() if row[0] is None) == 3_500_000_000


async def test_a_bill_by_another_spelling_settles_the_model(rig: Rig) -> None:
    day = TODAY - 4 * DAY
    rig.world.bill(day, "2")
    rig.world.bills[day] = [
        Billed(each.usd, f"{each.model}-2024-08-06", each.resource, each.key, each.project)
        for each in rig.world.bills[day]
    ]
    await rig.poll()
    assert rig.day_usd(day) == billed(rig, day)
    assert all(row[0] is not None for row in rig.rows())


async def test_days_are_the_providers_and_not_the_users(rig: Rig) -> None:
    day = TODAY - 4 * DAY
    for at in (0, 60, DAY - 60):
        rig.world.use(day + at, output=1000, requests=1)
    rig.world.use(day - 60, output=5000, requests=1)
    rig.world.use(day + DAY, output=7000, requests=1)
    rig.world.bill(day, "1.5")
    await rig.poll()
    assert rig.day_usd(day) == billed(rig, day)
    assert adjusted(rig, day - DAY) == adjusted(rig, day + DAY) == 0
    zone = ZoneInfo("America/Los_Angeles")
    local = datetime.fromtimestamp(day, zone).replace(hour=0, minute=0, second=0)
    begin = local.timestamp()
    assert begin % DAY
    inside = rig.usd_nano(begin, begin + DAY) - sum(
        row[4] or 0 for row in rig.rows() if row[2] == ADJUSTMENT and begin <= row[5] < begin + DAY
    )
    assert inside == rig.world.usd_nano(begin, begin + DAY)


MONTHS = {
    "the first minutes of a month in UTC": datetime(2026, 12, 1, 0, 5, tzinfo=ZoneInfo("UTC")),
    "the first minutes of a month in Kiritimati": datetime(2026, 12, 1, 0, 5, tzinfo=ZoneInfo("Pacific/Kiritimati")),
    "the last minutes of a month in Honolulu": datetime(2026, 11, 30, 23, 55, tzinfo=ZoneInfo("Pacific/Honolulu")),
    "the day on which clocks go back": datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York")),
    "the day on which clocks go forward": datetime(2026, 3, 29, 3, 30, tzinfo=ZoneInfo("Europe/Berlin")),
}


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("name", MONTHS)
async def test_the_users_month_is_read_from_its_first_minute_wherever_he_is(
    provider: str, name: str, tmp_path: Path
) -> None:
    local = MONTHS[name]
    begin = local.replace(day=1, hour=0, minute=0).timestamp()
    rig = Rig(provider, tmp_path / "x.db", local.timestamp() + 600)
    at = begin
    while at < rig.now:
        rig.world.use(at, input=100, output=3)
        at += 47 * 60
    await rig.poll()
    assert rig.usd_nano() == rig.world.usd_nano()
    assert rig.usd_nano(begin) == rig.world.usd_nano(begin)
    assert rig.world.breaches == []
    await rig.collector.close()


async def test_keys_are_left_out_where_they_are_refused(tmp_path: Path) -> None:
    rig = Rig("openai", tmp_path / "x.db")
    day = TODAY - 3 * DAY
    rig.world.use(day + HOUR, input=10**6)
    rig.world.bill(day, "1.2")

    def refuse(asked: Asked) -> Answer | None:
        by_key = ("group_by", "api_key_id") in asked.items and "cost" in asked.path
        return error(400, "start_time must be >= 1764979200") if by_key else None

    rig.world.faults = [refuse]
    await rig.poll()
    assert rig.day_usd(day) == billed(rig, day)
    assert rig.notes == ()
    asked = [each for each in rig.world.asked if "cost" in each.path]
    await rig.poll(HOUR)
    again = [each for each in rig.world.asked if "cost" in each.path][len(asked) :]
    assert len(again) == 1
    await rig.collector.close()


async def test_keys_are_not_asked_for_where_they_would_be_refused(tmp_path: Path) -> None:
    rig = Rig("openai", tmp_path / "x.db", datetime(2025, 12, 9, tzinfo=ZoneInfo("UTC")).timestamp())
    await rig.poll()
    (asked,) = [each for each in rig.world.asked if "cost" in each.path]
    assert ("group_by", "api_key_id") not in asked.items
    assert ("group_by", "line_item") in asked.items
    await rig.collector.close()


async def test_a_range_that_anthropic_takes_for_invalid_is_asked_again_without_an_end(tmp_path: Path) -> None:
    rig = Rig("anthropic", tmp_path / "x.db")
    day = TODAY - 3 * DAY
    rig.world.use(day + HOUR, input=10**6)
    rig.world.bill(day, "1.2")
    sentence = "Invalid date range: ending date must be after starting date"
    rig.world.faults = [
        lambda asked: error(400, sentence) if "cost" in asked.path and "ending_at" in asked.params else None
    ]
    await rig.poll()
    assert rig.day_usd(day) == billed(rig, day)
    await rig.collector.close()


async def test_priority_tier_is_never_in_anthropics_bill_and_stays_as_computed(tmp_path: Path) -> None:
    rig = Rig("anthropic", tmp_path / "x.db")
    day = TODAY - 4 * DAY
    rig.world.use(day + HOUR, input=10**6)
    rig.world.bill(day, "1.2")
    rig.world.use(day + HOUR, Group(tier="priority"), input=10**6)
    await rig.poll()
    assert rig.day_usd(day) == billed(rig, day) + 2_500_000_000
    await rig.collector.close()


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_bill_is_what_was_used_and_no_hundred_times_that(provider: str, tmp_path: Path) -> None:
    rig = Rig(provider, tmp_path / "x.db")
    day = TODAY - 4 * DAY
    rig.world.use(day + HOUR, input=10**6)
    rig.world.bill(day)
    await rig.poll()
    (drift,) = drifts(rig, day)
    assert (drift.billed_nano, drift.computed_nano) == (2_500_000_000, 2_500_000_000)
    assert (rig.day_usd(day), adjusted(rig, day)) == (2_500_000_000, 0)
    await rig.collector.close()

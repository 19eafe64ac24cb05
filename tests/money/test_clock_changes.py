"""What people do by the clock is no anomaly on the days on which clocks are changed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from infertop.money.detect.detector import Detector
from infertop.money.detect.watched import Watched

BERLIN = ZoneInfo("Europe/Berlin")
CHANGES = {"spring": datetime(2026, 3, 29, 1, tzinfo=UTC), "autumn": datetime(2026, 10, 25, 1, tzinfo=UTC)}
Rhythm = Callable[[datetime], float]


def shift(local: datetime) -> float:
    return 10.0 if 8 <= local.hour < 20 else 4.0


def office(local: datetime) -> float:
    return 10.0 if local.weekday() < 5 and 8 <= local.hour < 18 else 10 / 7


def waves(local: datetime) -> float:
    weekend = 0.4 if local.weekday() >= 5 else 1.0
    return 10 * (1 + 0.6 * math.sin((local.hour + local.minute / 60 - 9) / 12 * math.pi)) * weekend


def values(change: datetime, rhythm: Rhythm, step: int) -> Iterator[tuple[float, float]]:
    """Ten days by ten minutes, and from the eve of the change on three days at `step`."""
    rng = random.Random(7)
    at, until = change - timedelta(days=11), change + timedelta(days=2)
    while at < until:
        yield at.timestamp(), rhythm(at.astimezone(BERLIN)) * math.exp(rng.gauss(0, 0.1))
        at += timedelta(seconds=step if at >= change - timedelta(days=1) else 600)


def incidents(change: datetime, rhythm: Rhythm, step: int, zone: tzinfo | None) -> int:
    """How many were opened from the eve of the change on."""
    watched, eve = Watched(zone=zone), (change - timedelta(days=1)).timestamp()
    found = [watched.add(*each) for each in values(change, rhythm, step)]
    return sum(each is not None and each.until is None and each.opened >= eve for each in found)


@pytest.mark.parametrize("season", CHANGES)
@pytest.mark.parametrize("rhythm", [shift, office, waves])
@pytest.mark.parametrize("step", [60, 600])
def test_a_rhythm_of_local_hours_goes_on_over_a_change_of_clocks(season: str, rhythm: Rhythm, step: int) -> None:
    assert incidents(CHANGES[season], rhythm, step, BERLIN) == 0


@pytest.mark.parametrize("step", [60, 600])
def test_in_utc_the_hour_that_begins_sooner_is_a_rise(step: int) -> None:
    assert incidents(CHANGES["spring"], shift, step, None) >= 1


@pytest.mark.parametrize("season", CHANGES)
def test_points_of_local_hours_are_expected_at_them(season: str) -> None:
    def left(zone: tzinfo | None) -> float:
        detector = Detector(zone)
        verdicts = [(value, detector.add(ts, value)) for ts, value in values(CHANGES[season], shift, 600)]
        return sum(abs(value - each.plan) for value, each in verdicts[-288:] if each)

    assert left(BERLIN) < 0.8 * left(None)

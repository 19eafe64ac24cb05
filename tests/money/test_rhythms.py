"""What comes again at the same time of day, and what stands out of noise: when each is told."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator

import pytest

from infertop.money.detect.watched import Watched

BEGIN = 1_772_409_600  # a Monday's midnight
SLOT, HOUR, DAY = 600, 3600, 86400


def opened(values: Iterable[float]) -> Iterator[int]:
    """Yield the seconds after BEGIN at which an incident was opened, of values by ten minutes."""
    watched = Watched()
    for at, value in enumerate(values):
        change = watched.add(BEGIN + at * SLOT, value)
        if change and change.until is None:
            yield at * SLOT


def usual_day(seconds: int, rng: random.Random) -> float:
    weekend = 0.4 if seconds // DAY % 7 >= 5 else 1.0
    season = 1 + 0.6 * math.sin((seconds % DAY / HOUR - 9) / 12 * math.pi)
    return 10 * season * weekend * math.exp(rng.gauss(0, 0.1))


@pytest.mark.parametrize("times", [8, 35])
def test_a_job_of_every_quiet_night_is_no_incident_once_two_nights_had_it(times: float) -> None:
    rng = random.Random(times)
    night = range(2 * HOUR, 3 * HOUR)
    values = [usual_day(at, rng) + (3 * times if at % DAY in night else 0) for at in range(0, 21 * DAY, SLOT)]

    assert all(each < 2 * DAY for each in opened(values))


@pytest.mark.parametrize("apart", [DAY, 7 * DAY])
@pytest.mark.parametrize("times", [3, 10])
def test_the_same_surge_a_day_or_a_week_later_is_told_again_and_the_third_is_a_rhythm(apart: int, times: float) -> None:
    rng = random.Random(apart + times)
    begins = [9 * DAY + 10 * HOUR + each * apart for each in range(3)]
    surges = [range(each, each + 2 * HOUR) for each in begins]
    values = [
        usual_day(at, rng) * (times if any(at in each for each in surges) else 1) for at in range(0, 25 * DAY, SLOT)
    ]
    told = list(opened(values))

    assert [any(each in surge for each in told) for surge in surges] == [True, True, False]


@pytest.mark.parametrize("seed", range(5))
def test_three_times_as_much_is_told_within_three_hours_in_noise_that_bursts_all_the_time(seed: int) -> None:
    rng = random.Random(seed)
    noise = [10 * math.exp(rng.gauss(0, 0.4)) for _ in range(11 * 144)]
    since = 9 * 144 + seed
    risen = [value * (3 if at >= since else 1) for at, value in enumerate(noise)]

    assert not list(opened(noise))
    assert next(opened(risen)) < since * SLOT + 3 * HOUR


def test_what_stands_out_of_noise_is_told_with_what_was_usual_and_what_it_came_to_since_it_rose() -> None:
    rng = random.Random(1)
    since, watched, found = 9 * 144, Watched(), None
    for at in range(11 * 144):
        found = watched.add(BEGIN + at * SLOT, 10 * math.exp(rng.gauss(0, 0.4)) * (3 if at >= since else 1)) or found
        if found:
            break

    assert found
    assert found.since == pytest.approx(BEGIN + since * SLOT, abs=HOUR)
    assert found.expected == pytest.approx(11, rel=0.3)
    assert found.excess == pytest.approx(22 * (found.opened - found.since) / HOUR, rel=0.4)

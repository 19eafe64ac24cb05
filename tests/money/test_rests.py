"""What an incident came to, where it rested for a few values and went on."""

from __future__ import annotations

import pytest

from infertop.money.detect.watched import Watched

BEGIN, HOUR = 1_772_409_600, 3600


@pytest.mark.parametrize("step", [60, 600])
def test_times_in_which_it_rested_are_part_of_what_it_came_to(step: int) -> None:
    watched, closed = Watched(), None
    past, long = 24 * HOUR // step, 6 * HOUR // step
    values = [10.0] * past + [12.0 if at % 12 in (7, 8) else 40.0 for at in range(long)] + [10.0] * 30
    for at, value in enumerate(values):
        change = watched.add(BEGIN + at * step, value)
        closed = change if change and change.until else closed

    assert closed
    assert closed.until == BEGIN + (past + long) * step
    assert closed.hours == pytest.approx((closed.until - closed.since) / HOUR)
    assert closed.points == long
    assert closed.mean[0] == pytest.approx(sum(values[past : past + long]) / long)
    assert closed.excess == pytest.approx((closed.mean[0] - closed.mean[1]) * closed.hours)

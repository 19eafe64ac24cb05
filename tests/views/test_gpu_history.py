"""The course of one GPU over the window."""

from __future__ import annotations

import pytest

from infertop.views.gpu_history import BINS, gpu_history
from infertop.views.gpu_rows import gpu_rows
from tests.money.tape import START, Gpu, nvml
from tests.views.world import WINDOW, World


def world() -> World:
    """A minute in which a GPU was busy for its second half, beside one that tells little."""
    made = World()
    for second in range(61):
        busy = 0.9 if second > 30 else 0.1
        made.poll(nvml(START + second, Gpu("GPU-0", busy, watts=700.0 * busy), Gpu("GPU-1", None)))
    return made


def test_each_meter_has_its_course_in_bins_that_end_with_the_last_whole_one() -> None:
    told = gpu_history(world().facts(), "GPU-0")
    assert set(told.meters) == {"gpu_utilization", "gpu_power_watts"}
    assert (len(told.times), told.times[-1] + WINDOW / BINS) == (BINS, START + 60)
    assert told.meters["gpu_utilization"][2:13] == pytest.approx((0.1,) * 11)
    assert told.meters["gpu_power_watts"][-13:] == pytest.approx((630.0,) * 13)


def test_it_is_the_trend_of_its_row() -> None:
    facts = world().facts()
    row = next(row for row in gpu_rows(facts) if row.uuid == "GPU-0")
    assert gpu_history(facts, "GPU-0").meters["gpu_utilization"] == row.trend


def test_what_a_meter_does_not_tell_is_left_out_and_an_unknown_gpu_is_an_error() -> None:
    facts = world().facts()
    assert gpu_history(facts, "GPU-1").meters == {}
    with pytest.raises(KeyError):
        gpu_history(facts, "GPU-2")

"""When an AMD GPU is said to be throttled, and why."""

import pytest

from infertop.readings.throttle import throttles
from tests.amd.standin import metrics
from tests.collectors.amd_reading import NOW, collector, read, said


async def test_it_is_throttled_where_its_throttled_time_grew_by_a_hundredth_of_all_time(amdsmi):
    async with collector() as amd:
        assert "gpu_throttle_reasons" not in said(await amd.collect(NOW))
        amdsmi.gpus[0]["gpu_metrics_info"] = metrics(
            accumulation_counter=1_001_000, ppt_residency_acc=5_500, hbm_thm_residency_acc=9, vr_thm_residency_acc=11
        )
        now = said(await amd.collect(NOW + 1))
        assert throttles(now["gpu_throttle_reasons"]) == ("power cap", "regulator thermal")
        assert said(await amd.collect(NOW + 2))["gpu_throttle_reasons"] == 0.0


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (1 << 0, ("power cap",)),
        (1 << 16, ("current limit",)),
        (1 << 34 | 1 << 36, ("socket thermal", "memory thermal")),
        (1 << 38, ("regulator thermal",)),
        (1 << 47, ("processor hot",)),
        (1 << 57, ("throttled",)),
        (True, ("throttled",)),
        (False, ()),
        (0, ()),
    ],
)
async def test_an_older_gpu_is_throttled_by_its_status(amdsmi, status, words):
    amdsmi.gpus[0]["gpu_metrics_info"] = {"indep_throttle_status": status, "throttle_status": "N/A"}
    assert throttles((await read())["gpu_throttle_reasons"]) == words

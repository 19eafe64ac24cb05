"""What is read of an AMD GPU, in base units, and what is not told."""

import pytest

from infertop.readings.registry import METRICS
from infertop.readings.throttle import throttles
from tests.amd.standin import mi300x, process, release_6
from tests.collectors.amd_reading import FIRST, NOW, SECOND, collector, held, read, said


async def test_reads_every_meter_of_a_gpu_in_base_units(amdsmi):
    async with collector() as amd:
        await amd.collect(NOW)
        batch = await amd.collect(NOW + 1)
    assert said(batch) == pytest.approx(
        {
            "gpu_info": 1.0,
            "gpu_utilization": 0.87,
            "gpu_memory_utilization": 0.41,
            "gpu_memory_used_bytes": 150 * 2**30,
            "gpu_memory_total_bytes": 192 * 2**30,
            "gpu_power_watts": 612.0,
            "gpu_power_limit_watts": 750.0,
            "gpu_energy_joules": 15258.999824523926,
            "gpu_temperature_celsius": 61.0,
            "gpu_sm_clock_hertz": 2050e6,
            "gpu_memory_clock_hertz": 1300e6,
            "gpu_throttle_reasons": 0.0,
        }
    )
    infos = [each for each in batch.series if each.metric == "gpu_info"]
    assert [(each.label("gpu"), each.label("index"), each.label("name")) for each in infos] == [
        (FIRST, "0", "AMD Instinct MI300X"),
        (SECOND, "1", "AMD Instinct MI300X"),
    ]
    assert held(batch) == {4242: float(80 << 30), 4243: 0.0}


async def test_every_series_is_of_the_registry_with_its_labels_and_stays_the_same_object(amdsmi):
    async with collector() as amd:
        await amd.collect(NOW)
        first, second = await amd.collect(NOW + 1), await amd.collect(NOW + 2)
    for each in first.series:
        assert {label for label, _ in each.labels} <= set(METRICS[each.metric].labels), each
    assert second.series is first.series


async def test_releases_before_6_4_say_the_same_by_other_keys(amdsmi):
    amdsmi.gpus = [release_6(mi300x(0))]
    got = await read()
    assert got["gpu_energy_joules"] == pytest.approx(15258.999824523926)
    assert got["gpu_power_watts"] == 612.0
    assert got["gpu_temperature_celsius"] == 61.0
    assert got["gpu_sm_clock_hertz"] == 2050e6
    assert got["gpu_memory_clock_hertz"] == 1300e6
    assert throttles(got["gpu_throttle_reasons"]) == ("power cap",)


async def test_what_is_not_told_is_absent_and_never_0(amdsmi):
    silent = dict.fromkeys(mi300x(), None)
    amdsmi.gpus = [{**silent, "gpu_device_bdf": "0000:0c:00.0"}]
    async with collector() as amd:
        batch = await amd.collect(NOW)
    (only,) = batch.series
    assert (only.metric, only.label("gpu"), only.label("name")) == ("gpu_info", "AMD-0000:0c:00", "AMD GPU")


async def test_numbers_that_stand_for_not_told_are_not_told(amdsmi):
    amdsmi.gpus = [
        {
            **mi300x(0),
            "gpu_activity": {"gfx_activity": 65535, "umc_activity": "N/A", "mm_activity": "N/A"},
            "power_info": {"current_socket_power": 4294967295, "average_socket_power": 0, "power_limit": "N/A"},
            "power_cap_info": {"power_cap": 0},
            "energy_count": {"energy_accumulator": 2**64 - 1, "counter_resolution": 15.259, "timestamp": 0},
            "gpu_vram_usage": {"vram_total": 0, "vram_used": 0},
        }
    ]
    assert set(await read()) == {"gpu_info", "gpu_temperature_celsius", "gpu_sm_clock_hertz", "gpu_memory_clock_hertz"}


async def test_a_power_limit_is_in_microwatts_or_in_watts(amdsmi):
    amdsmi.gpus[0]["power_cap_info"] = {"power_cap": 750}
    assert (await read())["gpu_power_limit_watts"] == 750.0
    amdsmi.gpus[0]["power_cap_info"] = None
    assert (await read())["gpu_power_limit_watts"] == 750.0


async def test_temperature_and_clocks_come_from_calls_of_their_own_where_there_is_no_table(amdsmi):
    amdsmi.gpus[0] |= {
        "gpu_metrics_info": None,
        "temp_metric": {"EDGE": "N/A", "HOTSPOT": 58},
        "clock_info": {"GFX": {"clk": 2104, "max_clk": 2104}, "MEM": {"cur_clk": 900}},
    }
    got = await read()
    assert got["gpu_temperature_celsius"] == 58.0
    assert (got["gpu_sm_clock_hertz"], got["gpu_memory_clock_hertz"]) == (2104e6, 900e6)
    assert "gpu_throttle_reasons" not in got


async def test_the_parts_of_a_partitioned_gpu_are_one_gpu_with_all_their_processes(amdsmi):
    parts = [
        {**mi300x(0), "gpu_device_bdf": f"0000:0c:00.{part}", "gpu_process_list": [process(100 + part, 1 << 30)]}
        for part in range(4)
    ]
    parts[1]["gpu_process_list"] = [process(100, 1 << 30)]
    parts[1]["gpu_activity"] = {"gfx_activity": 13, "umc_activity": "N/A", "mm_activity": "N/A"}
    for part in parts[2:]:
        part["gpu_activity"] = dict.fromkeys(part["gpu_activity"], "N/A")
    amdsmi.gpus = [*parts, mi300x(1)]
    async with collector() as amd:
        batch = await amd.collect(NOW)
    assert [each.label("gpu") for each in batch.series if each.metric == "gpu_info"] == [FIRST, SECOND]
    assert held(batch) == {100: float(2 << 30), 102: float(1 << 30), 103: float(1 << 30)}
    assert said(batch)["gpu_utilization"] == pytest.approx(0.5)
    assert said(batch)["gpu_memory_total_bytes"] == 192 * 2**30


async def test_cards_with_the_same_uuid_are_two_gpus(amdsmi):
    amdsmi.gpus[1]["gpu_device_uuid"] = FIRST
    async with collector() as amd:
        batch = await amd.collect(NOW)
    found = [each.label("gpu") for each in batch.series if each.metric == "gpu_info"]
    assert found == [FIRST, f"{FIRST}-0000:0d:00"]


async def test_a_chip_whose_market_name_is_a_number_has_its_boards_name(amdsmi):
    amdsmi.gpus = [
        {
            **mi300x(0),
            "gpu_asic_info": {"market_name": "0x74a1"},
            "gpu_board_info": {"product_name": "AMD INSTINCT MI300X OAM"},
        }
    ]
    async with collector() as amd:
        batch = await amd.collect(NOW)
    assert batch.series[0].label("name") == "AMD INSTINCT MI300X OAM"


async def test_the_name_and_user_of_a_process_of_this_machine_are_told(amdsmi, monkeypatch):
    monkeypatch.setattr("collectors._process_names.is_boxed", lambda: False)
    import getpass
    import os

    amdsmi.gpus[0]["gpu_process_list"] = [process(os.getpid(), 1)]
    async with collector() as amd:
        batch = await amd.collect(NOW)
    (info,) = [each for each in batch.series if each.metric == "gpu_process_info" and each.label("gpu") == FIRST]
    assert info.label("user") == getpass.getuser()
    assert info.label("name")

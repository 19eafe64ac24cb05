"""What is read of a GPU through NVML, in base units, and what is not told."""

import asyncio

import pytest

from infertop.readings.registry import METRICS
from tests.collectors.nvml_machine import H100, NOW, SECOND, collector, gpus, read


async def test_reads_every_meter_of_a_gpu_in_base_units(machine):
    machine.set(gpu__0__energy_mj="123456789012")
    async with collector() as nvml:
        batch = await nvml.collect(NOW)
    got = {metric: value for (metric, gpu, pid), value in read(batch).items() if gpu == H100 and pid is None}
    assert got == pytest.approx(
        {
            "gpu_info": 1.0,
            "gpu_utilization": 0.87,
            "gpu_memory_utilization": 0.41,
            "gpu_memory_used_bytes": 76e9,
            "gpu_memory_total_bytes": 85899345920.0,
            "gpu_power_watts": 512.345,
            "gpu_power_limit_watts": 700.0,
            "gpu_energy_joules": 123456789.012,
            "gpu_temperature_celsius": 61.0,
            "gpu_sm_clock_hertz": 1980e6,
            "gpu_memory_clock_hertz": 2619e6,
            "gpu_throttle_reasons": 4.0,
        }
    )
    assert batch.source == "nvml"
    assert batch.ts == NOW
    assert batch.notes == ()


async def test_every_series_is_of_the_registry_with_its_labels(machine):
    async with collector() as nvml:
        for name in ("h100x2.txt", "rtx4090.txt", "a100mig.txt", "h100mig.txt"):
            machine.become(name)
            for series in (await nvml.collect(NOW)).series:
                assert {label for label, _ in series.labels} <= set(METRICS[series.metric].labels), series


async def test_a_gpu_says_its_name_and_index(machine):
    async with collector() as nvml:
        infos = [each for each in (await nvml.collect(NOW)).series if each.metric == "gpu_info"]
    assert [(each.label("gpu"), each.label("index"), each.label("name")) for each in infos] == [
        (H100, "0", "NVIDIA H100 80GB HBM3"),
        (SECOND, "1", "NVIDIA H100 80GB HBM3"),
    ]


async def test_the_series_are_the_same_object_until_the_shape_changes(machine):
    async with collector() as nvml:
        await nvml.collect(NOW)
        await asyncio.sleep(0.11)  # GPM wants its samples that far apart
        first = await nvml.collect(NOW + 1)
        machine.set(gpu__0__power_mw=400000)
        second = await nvml.collect(NOW + 2)
        machine.set(gpu__0__power_mw="!3")
        third = await nvml.collect(NOW + 3)
    assert second.series is first.series
    assert second.values != first.values
    assert third.series is not first.series
    assert ("gpu_power_watts", H100, None) not in read(third)


async def test_what_is_not_supported_is_absent_and_never_0(machine):
    keys = "util mem_total mem_used power_mw limit_mw energy_mj temp sm_clock mem_clock reasons procs putil gpm mig"
    machine.set(**{f"gpu__{n}__{key}": "!3" for n in (0, 1) for key in (*keys.split(), "gprocs", "mpsprocs")})
    async with collector() as nvml:
        batch = await nvml.collect(NOW)
    assert {series.metric for series in batch.series} == {"gpu_info"}
    assert gpus(batch) == {H100, SECOND}


@pytest.mark.parametrize("code", [3, 4, 10, 13, 999])
async def test_an_error_of_one_call_leaves_the_others(machine, code):
    machine.set(gpu__0__power_mw=f"!{code}", gpu__0__util=f"!{code}")
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert ("gpu_power_watts", H100, None) not in got
    assert ("gpu_utilization", H100, None) not in got
    assert got["gpu_temperature_celsius", H100, None] == 61.0


async def test_power_and_energy_come_from_field_values_where_the_calls_fail(machine):
    machine.set(gpu__0__power_mw=None, gpu__0__energy_mj=None, gpu__0__field__186=510000, gpu__0__field__83=7000)
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert got["gpu_power_watts", H100, None] == pytest.approx(510.0)
    assert got["gpu_energy_joules", H100, None] == pytest.approx(7.0)


async def test_what_drivers_answer_instead_of_an_error_is_absent(machine):
    machine.set(gpu__0__power_mw=2**32 - 1, gpu__0__util=4294967295)
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert ("gpu_power_watts", H100, None) not in got
    assert ("gpu_utilization", H100, None) not in got


async def test_memory_is_read_by_the_old_call_where_the_new_one_is_missing(machine):
    machine.set(gpu__0__mem_v2="!13")
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert got["gpu_memory_used_bytes", H100, None] == 76.6e9


async def test_a_gpu_without_memory_of_its_own_has_no_memory_series(machine):
    machine.set(gpu__0__mem_total=0, gpu__0__mem_used=0)
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert ("gpu_memory_total_bytes", H100, None) not in got
    assert ("gpu_memory_used_bytes", H100, None) not in got


async def test_a_power_reading_of_0_is_a_reading(machine):
    machine.set(gpu__0__power_mw=0)
    async with collector() as nvml:
        assert read(await nvml.collect(NOW))["gpu_power_watts", H100, None] == 0.0


async def test_gpm_says_the_share_of_busy_multiprocessors_from_the_second_poll_on(machine):
    async with collector() as nvml:
        first = read(await nvml.collect(NOW))
        await asyncio.sleep(0.11)
        second = read(await nvml.collect(NOW + 1))
        machine.set(gpu__0__gpm__2="1.0")
        third = read(await nvml.collect(NOW + 1))  # too soon for another sample
    assert ("gpu_sm_occupancy", H100, None) not in first
    assert second["gpu_sm_occupancy", H100, None] == pytest.approx(0.835)
    assert second["gpu_utilization", H100, None] == pytest.approx(0.87)
    assert third["gpu_sm_occupancy", H100, None] == second["gpu_sm_occupancy", H100, None]


async def test_gpm_stands_in_where_utilization_is_not_supported(machine):
    machine.set(gpu__0__util="!3")
    async with collector() as nvml:
        await nvml.collect(NOW)
        await asyncio.sleep(0.11)
        got = read(await nvml.collect(NOW + 1))
    assert got["gpu_utilization", H100, None] == pytest.approx(0.86)

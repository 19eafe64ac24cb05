"""GPUs that come and go, may not be seen or are slow to answer."""

import pytest

from infertop.engine.collector import State, Unavailable
from tests.collectors.nvml_machine import H100, NOW, SECOND, collector, gpus, read


async def test_a_gpu_that_is_lost_leaves_the_others_and_comes_back(machine):
    async with collector() as nvml:
        assert gpus(await nvml.collect(NOW)) == {H100, SECOND}
        machine.set(gpu__0__handle="!15")
        lost = await nvml.collect(NOW + 1)
        machine.set(gpu__0__handle=None)
        back = await nvml.collect(NOW + 2)
    assert gpus(lost) == {SECOND}
    assert lost.notes == ("GPU 0 cannot be read: GPU is lost",)
    assert gpus(back) == {H100, SECOND}
    assert back.notes == ()


async def test_a_gpu_lost_between_two_calls_hands_over_no_half_reading(machine):
    machine.set(gpu__0__temp="!15")
    async with collector() as nvml:
        batch = await nvml.collect(NOW)
    assert gpus(batch) == {SECOND}


async def test_all_gpus_lost_is_a_sentence(machine):
    machine.set(gpu__0__handle="!15", gpu__1__handle="!15")
    async with collector() as nvml:
        with pytest.raises(Unavailable, match="fallen off the bus") as caught:
            await nvml.collect(NOW)
    assert caught.value.state is State.DOWN


async def test_a_changed_order_moves_nothing(machine):
    async with collector() as nvml:
        before = read(await nvml.collect(NOW))
        text = machine.path.read_text()
        machine.write(text.replace("gpu.0.", "gpu.x.").replace("gpu.1.", "gpu.0.").replace("gpu.x.", "gpu.1."))
        after = read(await nvml.collect(NOW + 1))
    for metric in ("gpu_power_watts", "gpu_temperature_celsius", "gpu_utilization"):
        assert after[metric, H100, None] == before[metric, H100, None]
        assert after[metric, SECOND, None] == before[metric, SECOND, None]


async def test_a_changed_count_is_followed(machine):
    async with collector() as nvml:
        machine.set(count=1)
        assert gpus(await nvml.collect(NOW)) == {H100}
        machine.set(count=2)
        assert gpus(await nvml.collect(NOW + 1)) == {H100, SECOND}


async def test_gpus_that_may_not_be_seen_are_named_together(machine):
    machine.set(count=4, gpu__2__handle="!4", gpu__3__handle="!4")
    async with collector() as nvml:
        assert (await nvml.collect(NOW)).notes == ("GPU 2, 3 cannot be read: Insufficient Permissions",)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("collectors._nvml_session._SLOW_SECONDS", 0.1)


async def test_a_gpu_that_is_slow_to_wake_is_read_again(machine, impatient):
    machine.set(gpu__1__power_mw="~0.2:71000")
    async with collector() as nvml:
        await nvml.collect(NOW)
        assert gpus(await nvml.collect(NOW + 1)) == {H100, SECOND}


async def test_a_gpu_that_is_slow_and_alone_is_read_all_the_same(machine, impatient):
    machine.set(count=1, gpu__0__power_mw="~0.2:71000")
    async with collector() as nvml:
        for second in range(3):
            assert gpus(await nvml.collect(NOW + second)) == {H100}


async def test_a_slow_gpu_is_left_alone_for_a_minute_and_the_others_go_on(machine, impatient):
    async with collector() as nvml:
        await nvml.collect(NOW)
        machine.set(gpu__1__power_mw="~0.2:71000")
        assert gpus(await nvml.collect(NOW + 1)) == {H100, SECOND}
        rested = await nvml.collect(NOW + 2)
        assert gpus(rested) == {H100}
        assert rested.notes == ("GPU 1 is slow to answer and is read once a minute",)
        machine.set(gpu__1__power_mw="71000")
        assert gpus(await nvml.collect(NOW + 63)) == {H100, SECOND}

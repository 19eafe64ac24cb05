import time

import psutil
import pytest

from collectors.host import Host, _cpu_seconds, _shares
from infertop.engine.collector import SourceConfig, Unavailable


@pytest.fixture
async def host():
    made = Host(SourceConfig(kind="host", name="host"))
    yield made
    await made.close()


def work(seconds):
    """Work for long enough to move the clocks of processes and processors, which tick every 10 ms."""
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass


async def test_the_first_poll_knows_memory_and_no_shares_of_time(host):
    batch = await host.collect(100.0)
    values = {series.metric: value for series, value in zip(batch.series, batch.values, strict=True)}
    assert set(values) == {"host_memory_used_bytes", "host_memory_total_bytes", "host_process_memory_bytes"}
    assert values["host_memory_total_bytes"] == psutil.virtual_memory().total
    assert 0 < values["host_process_memory_bytes"] < values["host_memory_used_bytes"]


async def test_later_polls_know_processor_use_and_keep_the_series_object(host):
    await host.collect(100.0)
    work(0.1)
    second = await host.collect(101.0)
    work(0.1)
    third = await host.collect(101.5)
    values = {series.metric: value for series, value in zip(second.series, second.values, strict=True)}
    assert 0 < values["host_cpu_utilization"] <= 1
    assert 0.05 <= values["host_process_cpu_ratio"] < 1
    assert third.series is second.series


def test_time_of_guests_is_not_counted_twice():
    times = {"user": 60.0, "nice": 0.0, "system": 20.0, "idle": 15.0, "iowait": 5.0, "guest": 50.0}
    assert _cpu_seconds(times) == (100.0, 80.0)


def test_no_time_between_two_polls_gives_no_shares():
    assert _shares((1.0, 10.0, 5.0, 1.0), (1.0, 10.0, 5.0, 1.0)) == {}


async def test_a_system_that_refuses_is_a_sentence(host, monkeypatch):
    def refuse():
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(psutil, "virtual_memory", refuse)
    with pytest.raises(Unavailable, match="cannot be read: Permission denied"):
        await host.collect(1.0)

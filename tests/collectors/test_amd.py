import asyncio
import math
import sys
import threading
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors._amd_library import load, number
from collectors._amd_session import Session
from collectors.amd import Amd
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.readings.registry import METRICS
from infertop.readings.throttle import throttles
from tests.amd.standin import (
    DRIVER_NOT_LOADED,
    NO_PERM,
    NOT_INIT,
    AmdSmiLibraryException,
    Standin,
    metrics,
    mi300x,
    process,
    release_6,
)

NOW = 1_800_000_000.0
FIRST, SECOND = mi300x(0)["gpu_device_uuid"], mi300x(1)["gpu_device_uuid"]


@pytest.fixture
def amdsmi(monkeypatch):
    made = Standin(mi300x(0), mi300x(1))
    monkeypatch.setitem(sys.modules, "amdsmi", made)
    return made


@asynccontextmanager
async def collector(deadline=3.0):
    made = Amd(SourceConfig(kind="amd", name="amd"), deadline=deadline)
    try:
        yield made
    finally:
        await made.close()


async def read(*, polls=1):
    """Return what the last of some polls says of the first GPU's own meters, by metric."""
    async with collector() as amd:
        for at in range(polls):
            batch = await amd.collect(NOW + at)
    return said(batch)


def said(batch, gpu=FIRST):
    pairs = zip(batch.series, batch.values, strict=True)
    return {each.metric: value for each, value in pairs if each.label("gpu") == gpu and each.label("pid") is None}


def held(batch, gpu=FIRST):
    pairs = zip(batch.series, batch.values, strict=True)
    return {
        int(each.label("pid")): value
        for each, value in pairs
        if each.metric == "gpu_process_memory_bytes" and each.label("gpu") == gpu
    }


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


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [
        (DRIVER_NOT_LOADED, State.ABSENT, "modprobe amdgpu"),
        (NO_PERM, State.DOWN, "`render` and `video`"),
        (18, State.DOWN, "cannot be started: AMDSMI_STATUS_18"),
    ],
)
async def test_a_start_that_fails_says_what_to_do(amdsmi, code, state, words):
    amdsmi.fails = code
    async with collector() as amd:
        with pytest.raises(Unavailable, match=words) as problem:
            await amd.collect(NOW)
        assert problem.value.state is state
        amdsmi.fails = None
        assert said(await amd.collect(NOW + 1))


async def test_a_library_that_was_shut_down_is_opened_again(amdsmi):
    async with collector() as amd:
        await amd.collect(NOW)
        amdsmi.fails = NOT_INIT
        with pytest.raises(Unavailable, match="opened again"):
            await amd.collect(NOW + 1)
        amdsmi.fails = None
        assert said(await amd.collect(NOW + 2))
        assert amdsmi.initialised == 1
    assert amdsmi.initialised == 0


async def test_a_machine_without_an_amd_gpu_says_so(amdsmi):
    amdsmi.gpus = []
    async with collector() as amd:
        with pytest.raises(Unavailable, match="no AMD GPU") as problem:
            await amd.collect(NOW)
    assert problem.value.state is State.ABSENT


async def test_a_driver_that_hangs_is_named_and_does_not_hold_up_anybody(amdsmi):
    amdsmi.hangs = threading.Event()
    try:
        async with asyncio.timeout(2), collector(deadline=0.05) as amd:
            with pytest.raises(Unavailable, match="has not answered for") as problem:
                await amd.collect(NOW)
            assert problem.value.state is State.STALE
            amdsmi.hangs.set()
    finally:
        amdsmi.hangs.set()


def test_without_the_bindings_it_says_how_to_install_them(monkeypatch):
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=r"infertop\[amd\]") as problem:
        load()
    assert problem.value.state is State.ABSENT


def test_bindings_without_their_library_are_not_imported_because_they_would_print(monkeypatch, tmp_path, capsys):
    (tmp_path / "amdsmi.py").write_text("print('to the screen')\n")
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Unavailable, match=r"libamd_smi\.so is not found"):
        load()
    assert capsys.readouterr().out == ""
    assert "amdsmi" not in sys.modules


def test_bindings_of_another_release_than_the_library_say_so(monkeypatch, tmp_path):
    (tmp_path / "amdsmi.py").write_text("raise AttributeError('undefined symbol: amdsmi_get_x\\x1b[2J')\n")
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("collectors._amd_library._is_there", lambda _: True)
    with pytest.raises(Unavailable, match="does not fit") as problem:
        load()
    assert "\x1b" not in problem.value.sentence


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("N/A"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=3,
)
hostile = st.fixed_dictionaries(
    {
        call: anything
        | st.just(AmdSmiLibraryException(2))
        | (st.fixed_dictionaries(dict.fromkeys(value, anything)) if isinstance(value, dict) else anything)
        | st.lists(st.fixed_dictionaries(dict.fromkeys(process(1, 1), anything)), max_size=2)
        for call, value in mi300x().items()
    }
)


@settings(max_examples=15, deadline=None)
@given(hostile, hostile)
def test_whatever_the_library_answers_readings_are_finite_and_not_negative(one, other):
    amdsmi = Standin(one, other)
    session = Session(load=lambda: amdsmi)
    for ts in (NOW, NOW + 1):
        rows = session.read(ts).rows
        for series, value in rows:
            assert isinstance(value, float)
            assert math.isfinite(value)
            assert value >= 0
            assert METRICS[series.metric].unit != "ratio" or value <= 1
        assert len({series for series, _ in rows}) == len(rows)
        amdsmi.gpus.reverse()


@pytest.mark.parametrize("told", [True, "N/A", "12", None, -1, math.nan, math.inf, 10**400, 101, [], {}])
def test_only_a_number_in_range_is_a_number(told):
    assert number({"key": told}, "key", most=100.0) is None

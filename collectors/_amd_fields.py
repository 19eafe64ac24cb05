"""What amdsmi says of one GPU: which call fills which metric, and in which unit it answers (amdsmi.h).

A release may lack a call or a key, a GPU may answer "N/A": the metric is then absent, never 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collectors._amd_library import Library, ask, number
from infertop.readings.throttle import (
    CURRENT_LIMIT,
    MEMORY_HOT,
    POWER_CAP,
    PROCESSOR_HOT,
    REGULATOR_HOT,
    SOCKET_HOT,
    UNTOLD,
)

Found = Iterator[tuple[str, float]]
_MIB = 2.0**20
_MOST_MIB = 2.0**24
_MOST_WATTS = 10_000.0
_MOST_CELSIUS = 200.0
_MOST_MHZ = 20_000.0
_MOST_COUNT = 2.0**63
# Power limits are in microwatts on bare metal and in watts in a virtual machine's host: no GPU is limited to 10 mW.
_MOST_MICROWATTS = _MOST_WATTS * 1e6

# Counters of the time in which a throttler was active, in the unit of accumulation_counter (MI300 and later).
_RESIDENCIES = {
    "ppt_residency_acc": POWER_CAP,
    "prochot_residency_acc": PROCESSOR_HOT,
    "socket_thm_residency_acc": SOCKET_HOT,
    "vr_thm_residency_acc": REGULATOR_HOT,
    "hbm_thm_residency_acc": MEMORY_HOT,
}
_ALL_TIME = "accumulation_counter"
_LEAST_RESIDENCY = 0.01
# Bits of indep_throttle_status (amdgpu_smu.h, SMU_THROTTLER_*_BIT), first and last of each kind.
_STATUS = (
    (0, 7, POWER_CAP),
    (16, 23, CURRENT_LIMIT),
    (32, 33, SOCKET_HOT),
    (34, 34, MEMORY_HOT),
    (35, 37, SOCKET_HOT),
    (38, 41, REGULATOR_HOT),
    (42, 43, SOCKET_HOT),
    (44, 45, REGULATOR_HOT),
    (46, 47, PROCESSOR_HOT),
)


def activity(library: Library, handle: object) -> Found:
    """Yield the shares of time in which shaders ran and memory was accessed."""
    answer = ask(library, "amdsmi_get_gpu_activity", handle)
    for metric, key in (("gpu_utilization", "gfx_activity"), ("gpu_memory_utilization", "umc_activity")):
        percent = number(answer, key, most=100.0)
        if percent is not None:
            yield metric, percent / 100


def memory(library: Library, handle: object) -> Found:
    """Yield the memory in use and in all, which are told in MiB."""
    answer = ask(library, "amdsmi_get_gpu_vram_usage", handle)
    used, total = (number(answer, key, most=_MOST_MIB) for key in ("vram_used", "vram_total"))
    if used is not None and total and used <= total:
        yield "gpu_memory_used_bytes", used * _MIB
        yield "gpu_memory_total_bytes", total * _MIB


def power(library: Library, handle: object) -> Found:
    """Yield watts, the limit in watts, and joules. No GPU draws, may draw or has used 0: that is not told."""
    answer = ask(library, "amdsmi_get_power_info", handle)
    keys = ("socket_power", "current_socket_power", "average_socket_power")
    watts = next((each for key in keys if (each := number(answer, key, most=_MOST_WATTS))), None)
    if watts is not None:
        yield "gpu_power_watts", watts
    capped = ask(library, "amdsmi_get_power_cap_info", handle)
    limit = number(capped, "power_cap", most=_MOST_MICROWATTS) or number(answer, "power_limit", most=_MOST_MICROWATTS)
    if limit:
        yield "gpu_power_limit_watts", limit if limit <= _MOST_WATTS else limit / 1e6
    energy = ask(library, "amdsmi_get_energy_count", handle)
    count = number(energy, "energy_accumulator", "power", most=_MOST_COUNT)
    microjoules = number(energy, "counter_resolution", most=1e6)
    if count and microjoules:
        yield "gpu_energy_joules", count * microjoules / 1e6


def metrics(library: Library, handle: object) -> Mapping[str, Any]:
    """Return the driver's table of what it measures, empty where there is none."""
    answer = ask(library, "amdsmi_get_gpu_metrics_info", handle)
    return answer if isinstance(answer, Mapping) else {}


def temperature_and_clocks(library: Library, handle: object, table: Mapping[str, Any]) -> Found:
    """Yield degrees Celsius and hertz, from the table or else from calls of their own."""
    celsius = number(table, "temperature_edge", "temperature_hotspot", most=_MOST_CELSIUS) or _sensor(library, handle)
    if celsius:
        yield "gpu_temperature_celsius", celsius
    dies = table.get("current_gfxclks")
    known = [each for one in dies if (each := number(one, most=_MOST_MHZ))] if isinstance(dies, list) else []
    shaders = sum(known) / len(known) if known else None
    shaders = shaders or number(table, "current_gfxclk", "average_gfxclk_frequency", most=_MOST_MHZ)
    memory_clock = number(table, "current_uclk", "average_uclk_frequency", most=_MOST_MHZ)
    for metric, megahertz, kind in (
        ("gpu_sm_clock_hertz", shaders, "GFX"),
        ("gpu_memory_clock_hertz", memory_clock, "MEM"),
    ):
        found = _clock(library, handle, kind) if megahertz is None else megahertz
        if found is not None:
            yield metric, found * 1e6


def _sensor(library: Library, handle: object) -> float | None:
    metric = getattr(getattr(library, "AmdSmiTemperatureMetric", None), "CURRENT", None)
    kinds = getattr(library, "AmdSmiTemperatureType", None)
    for kind in (getattr(kinds, name, None) for name in ("EDGE", "HOTSPOT")):
        if found := number(ask(library, "amdsmi_get_temp_metric", handle, kind, metric), most=_MOST_CELSIUS):
            return found
    return None


def _clock(library: Library, handle: object, kind: str) -> float | None:
    which = getattr(getattr(library, "AmdSmiClkType", None), kind, None)
    return number(ask(library, "amdsmi_get_clock_info", handle, which), "clk", "cur_clk", most=_MOST_MHZ)


class Throttling:
    """What held a GPU back since the last look: by its counters of throttled time, else by its status now."""

    def __init__(self) -> None:
        self._before: dict[str, float] = {}

    def read(self, table: Mapping[str, Any]) -> float | None:
        """Return the bits of `gpu_throttle_reasons`, None where the GPU does not tell, or only since now."""
        keys = (*_RESIDENCIES, _ALL_TIME)
        now = {key: each for key in keys if (each := number(table, key, most=_MOST_COUNT)) is not None}
        before, self._before = self._before, now
        if any(key in now for key in _RESIDENCIES):
            return _by_time(before, now)
        status = table.get("indep_throttle_status")
        if isinstance(status, int) and not isinstance(status, bool) and 0 <= status < 2**64 - 1:
            return float(_by_status(status))
        told = [
            each for key in ("indep_throttle_status", "throttle_status") if isinstance(each := table.get(key), bool)
        ]
        return float(UNTOLD if any(told) else 0) if told else None


def _by_time(before: Mapping[str, float], now: Mapping[str, float]) -> float | None:
    passed = now.get(_ALL_TIME, 0.0) - before.get(_ALL_TIME, 0.0)
    bits, known = 0, False
    for key, bit in _RESIDENCIES.items():
        if key in now and key in before:
            known = True
            more = now[key] - before[key]
            bits |= bit if more > max(0.0, passed * _LEAST_RESIDENCY) else 0
    return float(bits) if known else None


def _by_status(status: int) -> int:
    bits = 0
    for first, last, bit in _STATUS:
        bits |= bit if status >> first & (1 << last - first + 1) - 1 else 0
    return bits or (UNTOLD if status else 0)

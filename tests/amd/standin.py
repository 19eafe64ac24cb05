"""A stand-in for the module `amdsmi`: the calls that infertop makes, with the return types of the real bindings.

Written after amdsmi_interface.py of 7.0.2, 6.4.4 and 6.2.4 (MIT, AMD): numbers that stand for "not told" come as "N/A"
where that release turns them, and as all bits set where it does not. A call that is None answers NOT_SUPPORTED.
"""

from __future__ import annotations

import threading
from enum import IntEnum
from types import ModuleType
from typing import Any

NOT_SUPPORTED, NO_PERM, NOT_INIT, DRIVER_NOT_LOADED = 2, 10, 32, 34
GIB = 1024


class AmdSmiException(Exception):  # noqa: N818 - the real name
    pass


class AmdSmiLibraryException(AmdSmiException):
    def __init__(self, err_code: int) -> None:
        super().__init__(err_code)
        self.err_code = err_code
        self.err_info = f"AMDSMI_STATUS_{err_code} - as the library says it"


class AmdSmiParameterException(AmdSmiException):
    def __init__(self) -> None:
        super().__init__(None)
        self.err_code = None


class AmdSmiClkType(IntEnum):
    GFX, MEM = 1, 5


class AmdSmiTemperatureType(IntEnum):
    EDGE, HOTSPOT = 0, 1


class AmdSmiTemperatureMetric(IntEnum):
    CURRENT = 0


def mi300x(at: int = 0) -> dict[str, Any]:
    """Return what release 7 answers of an MI300X, by call."""
    return {
        "gpu_device_bdf": f"0000:{at + 12:02x}:00.0",
        "gpu_device_uuid": f"{at:02x}ff74a1-0000-1000-80e5-a1b2c3d4e5f6",
        "gpu_asic_info": {"market_name": "AMD Instinct MI300X", "vendor_name": "Advanced Micro Devices Inc. [AMD/ATI]"},
        "gpu_board_info": {"model_number": "102-G30211-0C", "product_name": "N/A"},
        "gpu_kfd_info": {"kfd_id": 1, "node_id": 2, "current_partition_id": 0},
        "gpu_activity": {"gfx_activity": 87, "umc_activity": 41, "mm_activity": "N/A"},
        "gpu_vram_usage": {"vram_total": 192 * GIB, "vram_used": 150 * GIB},
        "power_info": {
            "socket_power": 612,
            "current_socket_power": 612,
            "average_socket_power": "N/A",
            "gfx_voltage": "N/A",
            "soc_voltage": "N/A",
            "mem_voltage": "N/A",
            "power_limit": 750_000_000,
        },
        "power_cap_info": {
            "power_cap": 750_000_000,
            "default_power_cap": 750_000_000,
            "dpm_cap": 0,
            "min_power_cap": 0,
            "max_power_cap": 750_000_000,
        },
        "energy_count": {
            "energy_accumulator": 1_000_000_000,
            "counter_resolution": 15.258999824523926,
            "timestamp": 1_234_567_890,
        },
        "gpu_metrics_info": metrics(),
        "gpu_process_list": [process(4242, 80 << 30), process(4243, 0)],
        "temp_metric": None,
        "clock_info": None,
    }


def metrics(**changes: object) -> dict[str, Any]:
    """Return the table of an MI300X, as far as it is read: what belongs to other generations is not told."""
    table = dict.fromkeys(
        ("temperature_edge", "current_gfxclk", "average_gfxclk_frequency", "average_uclk_frequency", "throttle_status"),
        "N/A",
    )
    return {
        **table,
        "indep_throttle_status": "N/A",
        "temperature_hotspot": 61,
        "current_gfxclks": [2100, 2100, 2000, 2000, "N/A", "N/A", "N/A", "N/A"],
        "current_uclk": 1300,
        "accumulation_counter": 1_000_000,
        "prochot_residency_acc": 0,
        "ppt_residency_acc": 5_000,
        "socket_thm_residency_acc": 0,
        "vr_thm_residency_acc": 0,
        "hbm_thm_residency_acc": 0,
        **changes,
    }


def process(pid: int, vram: int, name: str = "N/A") -> dict[str, Any]:
    return {
        "name": name,
        "pid": pid,
        "mem": vram,
        "engine_usage": {"gfx": 0, "enc": 0},
        "memory_usage": {"gtt_mem": 0, "cpu_mem": 0, "vram_mem": vram},
        "cu_occupancy": 0,
    }


def release_6(gpu: dict[str, Any]) -> dict[str, Any]:
    """Return the same as releases up to 6.2 say it: other keys, and all bits set where later ones say "N/A"."""
    told = {key: value for key, value in gpu["power_info"].items() if key != "socket_power"}
    energy = gpu["energy_count"]
    table = {key: 0xFFFF if value == "N/A" else value for key, value in gpu["gpu_metrics_info"].items()}
    table = {key: value for key, value in table.items() if not key.endswith("_acc") and key != "accumulation_counter"}
    table["current_gfxclks"] = [0xFFFF if each == "N/A" else each for each in table["current_gfxclks"]]
    return {
        **gpu,
        "power_info": {**told, "current_socket_power": "N/A", "average_socket_power": 612},
        "energy_count": {
            "power": energy["energy_accumulator"],
            "counter_resolution": energy["counter_resolution"],
            "timestamp": 1,
        },
        "gpu_metrics_info": {**table, "throttle_status": 0xFFFFFFFF, "indep_throttle_status": 1},
        "gpu_kfd_info": None,
    }


class Standin(ModuleType):
    """The module; `gpus` may be changed at any time, `fails` is the status of every call, `hangs` holds them all up."""

    def __init__(self, *gpus: dict[str, Any]) -> None:
        super().__init__("amdsmi")
        self.gpus = list(gpus)
        self.initialised = 0
        self.fails: int | None = None
        self.hangs: threading.Event | None = None
        for each in (AmdSmiException, AmdSmiLibraryException, AmdSmiClkType):
            setattr(self, each.__name__, each)
        self.AmdSmiTemperatureType, self.AmdSmiTemperatureMetric = AmdSmiTemperatureType, AmdSmiTemperatureMetric
        for call in mi300x():
            setattr(self, f"amdsmi_get_{call}", self._getter(call))

    def amdsmi_init(self) -> None:
        self._check()
        self.initialised += 1

    def amdsmi_shut_down(self) -> None:
        self.initialised -= 1

    def amdsmi_get_processor_handles(self) -> list[int]:
        self._check()
        return list(range(len(self.gpus)))

    def _check(self) -> None:
        if self.hangs is not None:
            self.hangs.wait(30)
        if self.fails is not None:
            raise AmdSmiLibraryException(self.fails)

    def _getter(self, call: str) -> Any:
        def get(handle: int, *which: object) -> Any:
            self._check()
            answer = self.gpus[handle].get(call)
            if isinstance(answer, Exception):
                raise answer
            if answer is None or any(each is None for each in which):
                raise AmdSmiLibraryException(NOT_SUPPORTED) if answer is None else AmdSmiParameterException()
            return answer[which[0].name] if which else answer

        return get

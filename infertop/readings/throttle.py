"""Why a GPU's clock is not as high as it could be: the bits of `gpu_throttle_reasons` and their words.

The low ones are NVML's clock event reasons (nvml.h, nvmlClocksEventReason*), which DCGM and nvidia-smi use as well.
Those from bit 32 up are AMD's throttlers (amdgpu, SMU_THROTTLER_*) that NVML has no bit for.
"""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """One bit; `held` says that it holds a GPU back that has work to do."""

    bit: int
    word: str
    meaning: str
    held: bool = True


IDLE, POWER_CAP = 1 << 0, 1 << 2
PROCESSOR_HOT, SOCKET_HOT, REGULATOR_HOT, MEMORY_HOT, CURRENT_LIMIT, UNTOLD = (1 << bit for bit in range(32, 38))

REASONS = (
    Reason(IDLE, "idle", "nothing to do", held=False),
    Reason(1 << 1, "application clocks", "somebody set the clock (nvidia-smi -ac, -lgc)", held=False),
    Reason(POWER_CAP, "power cap", "it draws what its power limit allows"),
    Reason(1 << 3, "hw slowdown", "the hardware cut its clock by half or more: too hot, or the power supply asked"),
    Reason(1 << 4, "sync boost", "it waits for the slowest GPU of its sync boost group", held=False),
    Reason(1 << 5, "sw thermal", "too hot: the driver lowers the clock"),
    Reason(1 << 6, "hw thermal", "far too hot: the hardware cut its clock by half or more"),
    Reason(1 << 7, "hw power brake", "the power supply asked for less"),
    Reason(1 << 8, "display clock", "a display holds the clock", held=False),
    Reason(PROCESSOR_HOT, "processor hot", "another part of the machine signals that it is too hot"),
    Reason(SOCKET_HOT, "socket thermal", "too hot"),
    Reason(REGULATOR_HOT, "regulator thermal", "its voltage regulator is too hot"),
    Reason(MEMORY_HOT, "memory thermal", "its memory is too hot"),
    Reason(CURRENT_LIMIT, "current limit", "it draws as many amperes as it may"),
    Reason(UNTOLD, "throttled", "the driver does not say why"),
)


def reasons(bits: float | None) -> tuple[Reason, ...]:
    """Return what is set, in the order of the bits; empty where nothing is known."""
    if bits is None or not 0 <= bits < 2**53:
        return ()
    return tuple(each for each in REASONS if int(bits) & each.bit)


def throttles(bits: float | None) -> tuple[str, ...]:
    """Return the words of what holds a busy GPU back."""
    return tuple(each.word for each in reasons(bits) if each.held)

"""NVIDIA GPUs through NVML: load, memory, power, energy, clocks, processes, MIG instances."""

from __future__ import annotations

from collectors._gpu_library import GpuLibrary, Session
from collectors.kind import Kind
from infertop.engine.collector import SourceConfig

_DEADLINE_SECONDS = 3.0


class Nvml(GpuLibrary):
    """Reads NVIDIA's GPUs; the bindings are imported at the first poll."""

    kind = "nvml"

    def __init__(self, config: SourceConfig, deadline: float = _DEADLINE_SECONDS) -> None:
        super().__init__(config, deadline)

    def open(self) -> Session:
        """Return a session; the library itself is loaded by its first reading."""
        from collectors import _nvml_session

        return _nvml_session.Session()

    def waiting(self, seconds: float, at: str, woken: bool) -> str:
        """Say what hangs, and where to look."""
        if woken:
            return f"NVML has not answered for {seconds:.0f} s ({at}): see `nvidia-smi` and `dmesg`"
        return (
            f"NVML has not answered for {seconds:.0f} s: its start is slow without persistence mode (nvidia-smi -pm 1)"
        )


KIND = Kind(
    name="nvml",
    help="NVIDIA GPUs of this machine: load, memory, power, energy, processes",
    make=lambda config, _http, _clock: Nvml(config),
)

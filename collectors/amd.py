"""AMD GPUs through amdsmi, in the words of NVML: load, memory, power, energy, clocks, processes."""

from __future__ import annotations

from collectors._gpu_library import GpuLibrary, Session
from collectors.kind import Kind
from infertop.engine.collector import SourceConfig

_DEADLINE_SECONDS = 3.0


class Amd(GpuLibrary):
    """Reads AMD's GPUs; amdsmi, which need not be installed, is imported at the first poll."""

    kind = "amd"

    def __init__(self, config: SourceConfig, deadline: float = _DEADLINE_SECONDS) -> None:
        super().__init__(config, deadline)

    def open(self) -> Session:
        """Return a session; the library itself is loaded by its first reading."""
        from collectors import _amd_session

        return _amd_session.Session()

    def waiting(self, seconds: float, at: str, woken: bool) -> str:
        """Say what hangs, and where to look."""
        return f"amdsmi has not answered for {seconds:.0f} s ({at or 'starting'}): see `amd-smi monitor` and `dmesg`"


KIND = Kind(
    name="amd",
    help="AMD GPUs of this machine through amdsmi: load, memory, power, energy, processes",
    make=lambda config, _http, _clock: Amd(config),
)

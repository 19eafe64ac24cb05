"""The amdsmi library between its initialisation and its shutdown: one reading of all GPUs. Everything here blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from collectors import _amd_fields as fields
from collectors._amd_library import Library, LibraryGone, ask, initialise, load, number, text
from collectors._gpu_library import Reading, Row, process_rows, series
from collectors._process_names import Names
from infertop.engine.collector import State, Unavailable

_MOST_GPUS = 256
_MOST_PROCESSES = 1024
_MOST_BYTES = 2.0**50
_MOST_PID = 2.0**31


@dataclass(slots=True)
class _Gpu:
    """A GPU. In a partition mode (DPX, QPX, CPX) the driver shows each part as one: `handles` are those of all parts.

    The first is that of part 0, which alone measures what belongs to the whole GPU.
    """

    handles: list[Any] = field(default_factory=list)
    uuid: str = ""
    name: str = ""


@dataclass(slots=True)
class Session:
    """Reads all GPUs. They are looked up anew each time and known by UUID, so a changed order moves nothing."""

    at: str = ""
    load: Callable[[], Library] = load
    names: Names = field(default_factory=Names)
    _library: Library = None
    _open: bool = False
    _throttling: dict[str, fields.Throttling] = field(default_factory=dict)

    def read(self, ts: float) -> Reading:
        """Return what all GPUs say; raise `Unavailable` where there is none."""
        self.at = "starting"
        if self._library is None:
            self._library = self.load()
        if not self._open:
            initialise(self._library)
            self._open = True
        try:
            return self._read()
        except LibraryGone as gone:
            self.close()
            raise Unavailable(str(gone)) from None

    def close(self) -> None:
        """Shut the library down, as far as it still answers."""
        self._throttling.clear()
        if self._open:
            self._open = False
            with suppress(LibraryGone):
                ask(self._library, "amdsmi_shut_down")

    def _read(self) -> Reading:
        self.names.next_reading()
        reading = Reading()
        for index, gpu in enumerate(_listed(self._library)):
            self.at = f"GPU {index}"
            reading.rows += self._gpu(index, gpu)
            for pid, memory in sorted(_processes(self._library, gpu).items()):
                reading.rows += process_rows(gpu.uuid, pid, self.names.of(pid), memory)
        if not reading.rows:
            raise Unavailable("amdsmi answers, but there is no AMD GPU on this machine", state=State.ABSENT)
        return reading

    def _gpu(self, index: int, gpu: _Gpu) -> Iterator[Row]:
        library, first = self._library, gpu.handles[0]
        yield series("gpu_info", gpu=gpu.uuid, name=gpu.name, index=str(index)), 1.0
        table = fields.metrics(library, first)
        throttled = self._throttling.setdefault(gpu.uuid, fields.Throttling()).read(table)
        for metric, value in (
            *_mean(fields.activity(library, each) for each in gpu.handles),
            *fields.memory(library, first),
            *fields.power(library, first),
            *fields.temperature_and_clocks(library, first, table),
            *((("gpu_throttle_reasons", throttled),) if throttled is not None else ()),
        ):
            yield series(metric, gpu=gpu.uuid), value


def _listed(library: Library) -> list[_Gpu]:
    """Return the GPUs in the driver's order; the parts of one have the same place on the bus but for the function."""
    handles = ask(library, "amdsmi_get_processor_handles")
    gpus: dict[str, _Gpu] = {}
    for at, handle in enumerate(handles[:_MOST_GPUS] if isinstance(handles, list) else ()):
        place = text(ask(library, "amdsmi_get_gpu_device_bdf", handle))
        gpus.setdefault(place.rpartition(".")[0] or f"{at}", _Gpu()).handles.append(handle)
    taken: set[str] = set()
    for place, gpu in gpus.items():
        uuid = text(ask(library, "amdsmi_get_gpu_device_uuid", gpu.handles[0]))
        # Cards without a serial number can have the same one.
        gpu.uuid = uuid if uuid and uuid not in taken else f"{uuid or 'AMD'}-{place}"
        taken.add(gpu.uuid)
        gpu.name = _name(library, gpu.handles[0])
    return list(gpus.values())


def _name(library: Library, handle: object) -> str:
    """Return the market name; where the driver knows only its number, the board's."""
    chip, board = (
        text(answer.get(key)) if isinstance(answer := ask(library, call, handle), Mapping) else ""
        for call, key in (("amdsmi_get_gpu_asic_info", "market_name"), ("amdsmi_get_gpu_board_info", "product_name"))
    )
    return next((each for each in (chip, board) if each and not each.startswith("0x")), chip or "AMD GPU")


def _processes(library: Library, gpu: _Gpu) -> dict[int, float | None]:
    """Return the bytes of video memory by pid, None where they are not told; the parts of a GPU are summed."""
    found: dict[int, float | None] = {}
    for handle in gpu.handles:
        listed = ask(library, "amdsmi_get_gpu_process_list", handle)
        for each in listed[:_MOST_PROCESSES] if isinstance(listed, list) else ():
            pid = number(each, "pid", most=_MOST_PID)
            if not pid:
                continue
            memory = number(each.get("memory_usage"), "vram_mem", most=_MOST_BYTES)
            memory = number(each, "mem", most=_MOST_BYTES) if memory is None else memory
            known = found.get(int(pid))
            found[int(pid)] = known if memory is None else memory + (known or 0.0)
    return found


def _mean(parts: Iterator[Iterator[tuple[str, float]]]) -> Iterator[tuple[str, float]]:
    """Yield the mean of each metric over the parts that tell it."""
    told: dict[str, list[float]] = {}
    for part in parts:
        for metric, value in part:
            told.setdefault(metric, []).append(value)
    yield from ((metric, sum(values) / len(values)) for metric, values in told.items())

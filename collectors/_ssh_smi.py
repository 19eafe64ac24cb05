"""nvidia-smi's CSV, line by line: GPUs and processes in the words of NVML.

Wire format: nvidia-smi --help-query-gpu and --help-query-compute-apps; `--format=csv,noheader,nounits`. What decides
the table:

- A field that this nvidia-smi does not know fails the whole query: only those that its own help names are asked for.
- A field without a value says so in brackets (`[N/A]`, `[Not Supported]`, `[Unknown Error]`), or `N/A`, or `ERR!`.
- Memory is in MiB, power in W, clocks in MHz, shares in percent; a unit behind the number is left out.
- Lines of one reading have no end mark: a reading is whole when as many GPUs spoke as in the first one, which is asked
  for once by itself, or when one of them speaks again.
- Processes have no line when there is none: one that has not been told of for three rounds is gone.
- Of MIG instances it tells name and UUID (`-L`), not memory nor load: those need infertop's own reader over there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from infertop.readings.model import Series

MOST_GPUS, MOST_PROCESSES, MOST_INSTANCES = 256, 4_096, 256
_MIB, _MHZ = 2.0**20, 1e6
_STALE_ROUNDS = 3

FIELDS = (
    *("index", "uuid", "name", "utilization.gpu", "utilization.memory", "memory.used", "memory.total", "power.draw"),
    *("enforced.power.limit/power.limit", "temperature.gpu", "clocks.sm", "clocks.mem"),
    *("clocks_event_reasons.active/clocks_throttle_reasons.active", "mig.mode.current"),
)
"""What is asked for; of two names the second where the first is not known."""
APPS = ("gpu_uuid", "pid", "used_memory")
_NEEDED = frozenset({"index", "uuid"})
_READINGS: Mapping[str, tuple[str, float]] = {
    "utilization.gpu": ("gpu_utilization", 1.0),
    "utilization.memory": ("gpu_memory_utilization", 1.0),
    "memory.used": ("gpu_memory_used_bytes", _MIB),
    "memory.total": ("gpu_memory_total_bytes", _MIB),
    "power.draw": ("gpu_power_watts", 1.0),
    "enforced.power.limit": ("gpu_power_limit_watts", 1.0),
    "power.limit": ("gpu_power_limit_watts", 1.0),
    "temperature.gpu": ("gpu_temperature_celsius", 1.0),
    "clocks.sm": ("gpu_sm_clock_hertz", _MHZ),
    "clocks.mem": ("gpu_memory_clock_hertz", _MHZ),
    "clocks_event_reasons.active": ("gpu_throttle_reasons", 1.0),
    "clocks_throttle_reasons.active": ("gpu_throttle_reasons", 1.0),
}
_RATIOS = ("gpu_utilization", "gpu_memory_utilization")
# The memory of a GPU in MIG mode is partly its instances'.
_NOT_OF_PARENT = ("gpu_memory_used_bytes", "gpu_memory_total_bytes", "gpu_utilization")
_NUMBER = re.compile(r"(-?\d{1,18}(?:\.\d{1,9})?)(?:\s*(?:W|MiB|MHz|%|C))?", re.ASCII)
_HEX = re.compile(r"0x([0-9A-Fa-f]{1,16})", re.ASCII)
_UUID = re.compile(r"[A-Za-z0-9/_.:-]{4,80}", re.ASCII)
_GPU_LINE = re.compile(r"GPU (\d{1,4}): .{1,120} \(UUID: ([^)\s]{4,80})\)")
_MIG_LINE = re.compile(r"\s+MIG (\S{1,40})\s+Device\s+(\d{1,3}): \(UUID: ([^)\s]{4,80})\)")
_PROFILE = re.compile(r"(?:(\d)c\.)?(\d)g\.\S+", re.ASCII)
_MOST_SLICES, _SLICES = 7, {"A30": 4}

Rows = dict[Series, float]


@dataclass(frozen=True, slots=True)
class Instance:
    """A MIG instance: its place on its GPU and its profile (`1g.10gb`)."""

    uuid: str
    index: str
    profile: str

    @property
    def slices(self) -> int | None:
        """Its compute slices, None where its profile is not one that is known."""
        said = _PROFILE.fullmatch(self.profile)
        return int(said[1] or said[2]) if said else None


@dataclass(slots=True)
class Gpus:
    """What is known of a machine's GPUs. `fields` are those that a line has, in order."""

    fields: Sequence[str]
    instances: dict[str, list[Instance]] = field(default_factory=dict)
    expected: int = 0
    _coming: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether a GPU could be told from another one."""
        return set(self.fields) >= _NEEDED

    def take(self, line: str) -> dict[str, dict[str, str]] | None:
        """Take a line; return a whole reading (the texts of each GPU by field, by UUID) when one is complete."""
        texts = [text.strip() for text in line.split(",")]
        if len(texts) != len(self.fields):
            raise ValueError
        row = dict(zip(self.fields, texts, strict=True))
        uuid = row.get("uuid", "")
        if not _UUID.fullmatch(uuid) or not row["index"].isdecimal():
            raise ValueError
        whole = None
        if uuid in self._coming:  # fewer spoke than before
            whole = self.end()
        if len(self._coming) < MOST_GPUS:
            self._coming[uuid] = row
        return self.end() if self.expected and len(self._coming) >= self.expected else whole

    def end(self) -> dict[str, dict[str, str]]:
        """Return what has been told since the last whole reading, as one."""
        whole, self._coming = self._coming, {}
        self.expected = len(whole)
        return whole

    def list(self, lines: Sequence[str]) -> None:
        """Take what `nvidia-smi -L` says of MIG instances."""
        at = ""
        for line in lines:
            whole, part = _GPU_LINE.match(line), _MIG_LINE.match(line)
            if whole:
                at = whole[2]
            elif part and at and sum(map(len, self.instances.values())) < MOST_INSTANCES:
                self.instances.setdefault(at, []).append(Instance(part[3], part[2], part[1]))


def rows(reading: Mapping[str, Mapping[str, str]], gpus: Gpus, index: Callable[[str], str], host: str) -> Rows:
    """Return a reading by series; `index` makes the GPU's own index one that no other machine's GPU has."""
    found: Rows = {}
    for uuid, row in reading.items():
        name, at = row.get("name", "") or "GPU", index(row["index"])
        parts = gpus.instances.get(uuid, []) if row.get("mig.mode.current", "") == "Enabled" else []
        found[Series.of("gpu_info", gpu=uuid, name=name, index=at, host=host)] = 1.0
        for text in row:
            metric, factor = _READINGS.get(text, ("", 0.0))
            value = _value(row[text], metric, factor) if metric else None
            if value is not None and not (parts and metric in _NOT_OF_PARENT):
                found.setdefault(Series.of(metric, gpu=uuid), value)
        found |= _parts(uuid, name, at, host, parts)
    return found


def _parts(uuid: str, name: str, at: str, host: str, parts: Sequence[Instance]) -> Rows:
    found: Rows = {}
    for part in parts:
        labels = {"name": f"{name} MIG {part.profile}", "index": f"{at}:{part.index}", "parent": uuid, "host": host}
        found[Series.of("gpu_info", gpu=part.uuid, mig_profile=part.profile, **labels)] = 1.0
        if part.slices is not None:
            found[Series.of("gpu_slices", gpu=part.uuid)] = float(part.slices)
    taken = [part.slices for part in parts]
    if parts and None not in taken:
        most = next((most for word, most in _SLICES.items() if word in name.split()), _MOST_SLICES)
        found[Series.of("gpu_slices", gpu=uuid)] = float(max(0, most - sum(each or 0 for each in taken)))
    return found


def _value(text: str, metric: str, factor: float) -> float | None:
    if bits := _HEX.fullmatch(text):
        return float(int(bits[1], 16)) if metric == "gpu_throttle_reasons" else None
    said = _NUMBER.fullmatch(text)
    if said is None:
        return None
    value = float(said[1]) * factor
    if value < 0 and metric != "gpu_temperature_celsius":
        return None
    if metric in _RATIOS:
        return value / 100 if value <= 100 else None
    return None if metric == "gpu_memory_total_bytes" and not value else value


class Apps:
    """The processes on the GPUs, as the lines of `--query-compute-apps` come in."""

    def __init__(self, round_seconds: float) -> None:
        self._keep_seconds = _STALE_ROUNDS * round_seconds
        self._seen: dict[tuple[str, int], tuple[float, float | None]] = {}

    def take(self, line: str, now: float) -> None:
        """Take a line at `now`; raise ValueError where it is none."""
        texts = [text.strip() for text in line.split(",")]
        if len(texts) != len(APPS) or not _UUID.fullmatch(texts[0]) or not re.fullmatch(r"\d{1,9}", texts[1], re.ASCII):
            raise ValueError
        key = texts[0], int(texts[1])
        if key in self._seen or len(self._seen) < MOST_PROCESSES:
            self._seen[key] = now, _value(texts[2], "gpu_process_memory_bytes", _MIB)

    def rows(self, now: float, gpus: frozenset[str]) -> Rows:
        """Return the processes that are on these GPUs at `now`, by series."""
        for key in [key for key, (seen, _) in self._seen.items() if now - seen > self._keep_seconds]:
            del self._seen[key]
        found: Rows = {}
        for gpu, pid in sorted(self._seen):
            if gpu in gpus:
                memory = self._seen[gpu, pid][1]
                found[Series.of("gpu_process_info", gpu=gpu, pid=str(pid))] = 1.0
                if memory is not None:
                    found[Series.of("gpu_process_memory_bytes", gpu=gpu, pid=str(pid))] = memory
        return found

"""What one page of DCGM exporter says of which GPU: worked out once for each layout, then read by position."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infertop.readings.exposition import Layout
from infertop.readings.model import Series

_MIB = 2.0**20
_UTILIZATION, _SM = "gpu_utilization", "gpu_sm_occupancy"
# Field: our metric, and the factor to its unit. Of two fields with one metric the first that has a value counts.
_OF_ANY: dict[str, tuple[str, float]] = {
    "DCGM_FI_DEV_GPU_UTIL": (_UTILIZATION, 0.01),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": (_UTILIZATION, 1.0),
    "DCGM_FI_DEV_MEM_COPY_UTIL": ("gpu_memory_utilization", 0.01),
    "DCGM_FI_PROF_SM_ACTIVE": (_SM, 1.0),
}
_OF_WHOLE: dict[str, tuple[str, float]] = {
    "DCGM_FI_DEV_POWER_USAGE": ("gpu_power_watts", 1.0),
    "DCGM_FI_DEV_POWER_USAGE_INSTANT": ("gpu_power_watts", 1.0),
    "DCGM_FI_DEV_ENFORCED_POWER_LIMIT": ("gpu_power_limit_watts", 1.0),
    "DCGM_FI_DEV_POWER_MGMT_LIMIT": ("gpu_power_limit_watts", 1.0),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": ("gpu_energy_joules", 1e-3),
    "DCGM_FI_DEV_GPU_TEMP": ("gpu_temperature_celsius", 1.0),
    "DCGM_FI_DEV_SM_CLOCK": ("gpu_sm_clock_hertz", 1e6),
    "DCGM_FI_DEV_MEM_CLOCK": ("gpu_memory_clock_hertz", 1e6),
    "DCGM_FI_DEV_CLOCKS_EVENT_REASONS": ("gpu_throttle_reasons", 1.0),  # NVML's bits
    "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS": ("gpu_throttle_reasons", 1.0),
}
_USED, _FREE, _RESERVED, _TOTAL = (f"DCGM_FI_DEV_FB_{each}" for each in ("USED", "FREE", "RESERVED", "TOTAL"))
_MEMORY = ("gpu_memory_used_bytes", "gpu_memory_total_bytes")
_RATIOS = frozenset((_UTILIZATION, _SM, "gpu_memory_utilization"))
FIELDS = frozenset((*_OF_ANY, *_OF_WHOLE, _USED, _FREE, _RESERVED, _TOTAL))
"""The fields that are read; a page of others alone tells of no GPU."""

# DCGM's numbers for "no value": of 64 bits, of a floating point field, of 32 bits; some more stand behind each.
_BLANK = 9.2e18
_BLANKS = (2.0**47, 2.0**31 - 16)
_KINDS_OF_BLANK = 16
_PROFILE = re.compile(r"(?:(\d)c\.)?(\d)g\.\d+gb\S*")
_MOST_SLICES = 7
_SLICES = {"A30": 4}
MAX_GPUS = 1024


@dataclass(slots=True)
class _Gpu:
    """A GPU or instance of a layout: where its fields are, by their names."""

    labels: dict[str, str]
    fields: dict[str, int] = field(default_factory=dict)
    pods: dict[str, set[str]] = field(default_factory=dict)
    slices: int | None = None
    instances: list[str] = field(default_factory=list)


class Gpus:
    """The GPUs of one layout, by what stands for their UUID."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._gpus: dict[str, _Gpu] = {}
        for at, raw in enumerate(layout.series):
            self._place(at, raw.name, dict(raw.labels))
        self._info = {gpu: _info(gpu, each) for gpu, each in self._gpus.items()}

    def read(self, values: Sequence[float]) -> dict[Series, float]:
        """Return what the page says, by series; empty where it tells of no GPU."""
        rows: dict[Series, float] = {}
        for gpu, each in self._gpus.items():
            rows[self._info[gpu]] = 1.0
            known = {name: values[at] for name, at in each.fields.items() if _is_known(values[at])}
            for metric, value in (*_readings(known), *_memory(known), *self._sliced(each)):
                rows.setdefault(Series.of(metric, gpu=gpu), value)
        for gpu, each in self._gpus.items():
            if each.instances:
                self._leave_over(gpu, each.instances, rows)
        return rows

    @staticmethod
    def _leave_over(gpu: str, instances: Sequence[str], rows: dict[Series, float]) -> None:
        """Take the memory of the instances from that of their GPU: it carries what none of them has."""
        for metric in _MEMORY:
            whole = rows.pop(Series.of(metric, gpu=gpu), None)
            parts = [rows.get(Series.of(metric, gpu=part)) for part in instances]
            known = [part for part in parts if part is not None]
            if whole is not None and len(known) == len(parts):
                rows[Series.of(metric, gpu=gpu)] = max(0.0, whole - sum(known))

    def _place(self, at: int, name: str, labels: Mapping[str, str]) -> None:
        host = labels.get("Hostname") or labels.get("hostname") or ""
        root = labels.get("UUID") or labels.get("uuid") or labels.get("gpu_uuid") or f"{host}/{labels.get('gpu', '')}"
        part, profile = labels.get("GPU_I_ID", ""), labels.get("GPU_I_PROFILE", "")
        model = labels.get("modelName") or labels.get("model_name") or labels.get("DCGM_FI_DEV_NAME") or "GPU"
        index = ":".join(filter(None, (host.partition(".")[0], labels.get("gpu", ""))))
        wanted = {root, f"{root}/{part}"} if part else {root}
        if len(self._gpus) + sum(each not in self._gpus for each in wanted) > MAX_GPUS:
            return
        here = whole = self._gpus.setdefault(root, _Gpu({"name": model, "index": index, "host": host}))
        if part and name not in _OF_WHOLE:
            here = self._instance(root, whole, part, profile)
        here.fields.setdefault(name, at)
        for label in ("namespace", "pod"):
            if named := labels.get(label) or labels.get(f"exported_{label}"):
                here.pods.setdefault(label, set()).add(named)

    def _instance(self, root: str, whole: _Gpu, part: str, profile: str) -> _Gpu:
        gpu = f"{root}/{part}"
        if gpu not in self._gpus:
            said = _PROFILE.fullmatch(profile)
            labels = {"name": f"{whole.labels['name']} MIG {profile}", "index": f"{whole.labels['index']}:{part}"}
            labels |= {"host": whole.labels["host"], "parent": root, "mig_profile": profile}
            self._gpus[gpu] = _Gpu(labels, slices=int(said[1] or said[2]) if said else None)
            whole.instances.append(gpu)
        return self._gpus[gpu]

    def _sliced(self, each: _Gpu) -> Iterator[tuple[str, float]]:
        """Yield an instance's compute slices; of its GPU those that no instance has."""
        if each.slices is not None:
            yield "gpu_slices", float(each.slices)
        parts = [self._gpus[part].slices for part in each.instances]
        taken = [part for part in parts if part is not None]
        if parts and len(taken) == len(parts):
            most = next((most for word, most in _SLICES.items() if word in each.labels["name"].split()), _MOST_SLICES)
            yield "gpu_slices", float(max(0, most - sum(taken)))


def _info(gpu: str, each: _Gpu) -> Series:
    pods = {label: ",".join(sorted(names)) for label, names in each.pods.items()}
    return Series.of("gpu_info", gpu=gpu, **{name: text for name, text in (each.labels | pods).items() if text})


def _readings(known: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for name, (metric, factor) in (*_OF_ANY.items(), *_OF_WHOLE.items()):
        if name in known:
            value = known[name] * factor
            if metric not in _RATIOS or value <= 1.005:
                yield metric, min(value, 1.0) if metric in _RATIOS else value


def _memory(known: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    used, free = known.get(_USED), known.get(_FREE)
    total = known.get(_TOTAL)
    if total is None and used is not None and free is not None:
        total = used + free + known.get(_RESERVED, 0.0)
    if used is not None:
        yield "gpu_memory_used_bytes", used * _MIB
    if total:
        yield "gpu_memory_total_bytes", total * _MIB


def _is_known(value: float) -> bool:
    return 0 <= value < _BLANK and not any(blank <= value < blank + _KINDS_OF_BLANK for blank in _BLANKS)

"""Who tells of a GPU, by name: whose counter it is that an explanation speaks of."""

from __future__ import annotations

from infertop.views.facts import Facts

_NAMES = {
    "nvml": "NVML",
    "amd": "amdsmi",
    "dcgm": "DCGM",
    "ssh": "nvidia-smi",
    "prometheus": "DCGM through Prometheus",
}


def teller(facts: Facts, source: str) -> str:
    """Return the name of the meter that a source reads GPUs by; of a kind that is not known here, the kind."""
    kind = next((each.kind for each in facts.healths if each.source == source), "") or source
    return _NAMES.get(kind, kind)


# What DCGM exporter leaves out unless its list of counters (-f) names it.
_LEFT_OUT = {
    "gpu_throttle_reasons": "DCGM_FI_DEV_CLOCKS_EVENT_REASONS",
    "gpu_power_limit_watts": "DCGM_FI_DEV_ENFORCED_POWER_LIMIT",
    "gpu_sm_occupancy": "DCGM_FI_PROF_SM_ACTIVE",
    "gpu_utilization": "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
}


def what_to_do(meter: str, metric: str) -> tuple[str, ...]:
    """Return the line that says how a meter can be made to tell what it does not, none where it cannot be."""
    field = _LEFT_OUT.get(metric) if meter.startswith("DCGM") else None
    return (f"  DCGM exporter tells it where {field} is among its counters (its option -f)",) if field else ()

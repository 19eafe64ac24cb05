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

"""What else was looked for at the start: GPUs and provider keys. Presence only; no key is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infertop.engine.found import Searched
from infertop.readings.model import Batch

# The variable that holds a provider's key for usage and cost, and what is read with it.
PROVIDER_KEYS = {
    "OPENAI_ADMIN_KEY": "OpenAI usage and cost",
    "ANTHROPIC_ADMIN_KEY": "Anthropic usage and cost",
    "OPENROUTER_API_KEY": "OpenRouter usage and cost",
}


def searched_gpus(batch: Batch | None, problem: str = "", library: str = "NVML") -> Searched:
    """Report the GPUs of a meter's batch, or the `problem` that kept it from coming; `library` is who tells."""
    if batch is None:
        return Searched("GPUs", library, False, problem)
    whole = sum(each.metric == "gpu_info" and each.label("parent") is None for each in batch.series)
    parts = sum(each.metric == "gpu_info" and each.label("parent") is not None for each in batch.series)
    detail = f"{whole} GPU{'s' * (whole != 1)}"
    if parts:
        detail += f", {parts} MIG instance{'s' * (parts != 1)}"
    return Searched("GPUs", library, whole > 0, detail)


def searched_keys(environ: Mapping[str, str]) -> Iterable[Searched]:
    """Report which providers' keys are in the environment, by name alone."""
    for name, what in PROVIDER_KEYS.items():
        present = bool(environ.get(name, "").strip())
        yield Searched(what, name, present, "set, but this version cannot read it yet" if present else "not set")

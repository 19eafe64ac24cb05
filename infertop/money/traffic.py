"""What each model did in a minute: the work by which shared time is divided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from infertop.money.allocate import ModelUse
from infertop.money.minutes import Minute, Reports
from infertop.money.weights import weighted_tokens


def model_order(model: str | None) -> tuple[bool, str]:
    """Return a key that sorts names of models, the missing one first."""
    return (model is not None, model or "")


class Traffic:
    """The requests and tokens of one minute, by source and model."""

    def __init__(self, minute: Minute, weights: Mapping[str, float]) -> None:
        self._minute = minute
        self._weights = weights
        self._counted: dict[tuple[str, str | None], dict[str, int]] = defaultdict(dict)
        for (source, model, resource), count in minute.quantities.items():
            self._counted[source, model][resource] = count

    def models(self, source: str, gpu: str = "") -> tuple[ModelUse, ...]:
        """Return what a source's models did, on this GPU where it tells; of one that was not polled, their names."""
        served = self._minute.models.get(source)
        if served is None:
            return tuple(ModelUse(model) for model in self._minute.inherited.get(source, ()))
        return tuple(self._use(source, model, served[model], gpu) for model in sorted(served, key=model_order))

    def _use(self, source: str, model: str | None, reports: Reports, gpu: str) -> ModelUse:
        counted = self._counted.get((source, model), {})
        return ModelUse(
            model,
            self._minute.compute.get((source, model, gpu), 0.0) if gpu in reports.gpus else None,
            weighted_tokens(counted, self._weights) if reports.tokens else None,
            counted.get("requests", 0) if reports.requests else None,
        )

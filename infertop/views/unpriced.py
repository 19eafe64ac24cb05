"""What is in no sum of the hour, since nothing has a price for it."""

from __future__ import annotations

from collections.abc import Sequence

from infertop.readings.model import LOCAL
from infertop.views.costs import Costs
from infertop.views.shapes import Headline, ModelRow

HOW = "infertop prices --unpriced"
_GONE = ("down", "absent")


def own_unpriced(models: Sequence[ModelRow]) -> int:
    """Return how many models of one's own run on a machine that has no rate; GPUs without one are counted apart."""
    own = (row for row in models if row.provider == LOCAL and not row.stated and row.state not in _GONE)
    return sum(_lacks(row) and not row.gpus for row in own)


def known_total(costs: Costs, models: Sequence[ModelRow]) -> float | None:
    """Return what is known of $/hour; None where nothing that is at work has a price, which is no 0."""
    unknown = costs.unpriced_gpus or own_unpriced(models) or any(_lacks(row) and _works(row) for row in models)
    return costs.total or (None if unknown else costs.total)


def known_api(costs: Costs, models: Sequence[ModelRow]) -> float | None:
    """Return what is known of providers' $/hour; None where none of their models that are at work has a price."""
    unknown = any(row.provider != LOCAL and _lacks(row) and _works(row) for row in models)
    return costs.api or (None if unknown else costs.api)


def _lacks(row: ModelRow) -> bool:
    return row.counts and row.usd_per_hour is None


def _works(row: ModelRow) -> bool:
    return any(rate for rate in row.tokens_per_second.values())


def unpriced_sentence(head: Headline) -> str:
    """Return what is in no sum, and what to do; empty where everything has a price."""
    parts = []
    if head.unpriced_models:
        parts.append(f"{_many(head.unpriced_models, 'model')} ({head.unpriced_tokens:,} tokens today): {HOW}")
    if head.unpriced:
        parts.append(f"{_many(head.unpriced, 'GPU')}: set [gpu] in pricing.toml")
    if head.unpriced_own:
        own = _many(head.unpriced_own, "model")
        parts.append(f"{own} of your own where no GPU is known: set [host], or gpus of its [[source]]")
    return f"without a price and in no sum: {'; '.join(parts)}" if parts else ""


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"

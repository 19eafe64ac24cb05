"""Why GPUs stand idle for more dollars: whose they are, and whether anybody still asks for that model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from infertop.money.lines import NANO
from infertop.money.why.usage import REQUESTS, Usage
from infertop.readings.safe import safe
from infertop.views.event_shapes import Change, Comparison, Effect

Span = tuple[float, float]

_IDLE = "gpu_idle"
_UNHELD = "GPUs that no model holds"
_NAME_CELLS = 60


def idle_comparison(before: Span, after: Span, used_before: Usage, used_after: Usage, since: str) -> Comparison:
    """Return what idle GPU time cost an hour in two windows, by model; `since` is the time that the sentence tells."""
    one, two = _idle(used_before), _idle(used_after)
    rises = {model: two.get(model, 0) - one.get(model, 0) for model in {**one, **two}}
    models = sorted(rises, key=lambda each: (-abs(rises[each]), each))
    return Comparison(
        scope={},
        before=before,
        after=after,
        before_usd_per_hour=sum(one.values()) / NANO,
        after_usd_per_hour=sum(two.values()) / NANO,
        effects=tuple(_effect(_name(each), one.get(each, 0), two.get(each, 0)) for each in models),
        by="model",
        changes=tuple(Change(_name(each), one.get(each, 0) / NANO, two.get(each, 0) / NANO) for each in models),
        sentence=_sentence(one, two, rises, (used_before, used_after), since),
    )


def _effect(name: str, before: int, after: int) -> Effect:
    return Effect("idle GPU time", (after - before) / NANO, name, before / NANO, after / NANO, "$/h")


def _sentence(
    one: Mapping[str, int], two: Mapping[str, int], rises: Mapping[str, int], used: tuple[Usage, Usage], since: str
) -> str:
    model = max(rises, key=lambda each: rises[each], default=None)
    whole = sum(rises.values())
    if model is None or rises[model] <= 0 or whole <= 0:
        return f"idle GPU time costs no more than before {since}"
    asked, asks = (_requests(each, model) for each in used)
    gone = "is asked nothing any more: its GPU stands idle" if asked and not asks else "stands idle"
    gone = gone if model else "stand idle"
    figures = f"${one.get(model, 0) / NANO:,.2f} -> ${two.get(model, 0) / NANO:,.2f}/h"
    share = f" is {min(rises[model] / whole, 1) * 100:.0f} % of it" if len(rises) > 1 else ""
    return f"{_name(model)} {gone}, {figures}{share}; since {since}; +${whole / NANO:,.2f}/h"


def _name(model: str) -> str:
    return safe(model, _NAME_CELLS) or _UNHELD


def _idle(usage: Usage) -> Mapping[str, int]:
    found: dict[str, int] = defaultdict(int)
    for line in usage.lines:
        if line.resource == _IDLE and line.nano_per_hour is not None:
            found[line.model] += line.nano_per_hour
    return dict(found)


def _requests(usage: Usage, model: str) -> float:
    return sum(line.per_hour for line in usage.lines if line.resource == REQUESTS and line.model == model)

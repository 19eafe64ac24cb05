"""Why GPUs stand idle for more dollars: whose they are, whether there are more of them, and whether anybody still asks.

What GPUs cost idle that a model did not hold before, or holds no more, is what their number did; idle time is what the
others cost so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from infertop.money.lines import NANO
from infertop.money.why.factors import GPU_COUNT
from infertop.money.why.machines import GPU_TIME
from infertop.money.why.measured import GPUS
from infertop.money.why.usage import REQUESTS, Usage
from infertop.readings.safe import safe
from infertop.views.event_shapes import Change, Comparison, Effect

Span = tuple[float, float]

IDLE_TIME = "idle GPU time"
_IDLE = "gpu_idle"
_UNHELD = "GPUs that no model holds"
_NAME_CELLS = 60


@dataclass(slots=True)
class _Held:
    """The GPUs of one model, before and after: what each cost idle an hour, in 1e-9 USD."""

    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)

    @property
    def costs(self) -> tuple[int, int]:
        return sum(self.before.values()), sum(self.after.values())

    @property
    def rise(self) -> int:
        before, after = self.costs
        return after - before

    @property
    def by_count(self) -> int:
        """What its new GPUs cost idle, less what those did that it no longer has."""
        new = sum(nano for gpu, nano in self.after.items() if gpu not in self.before)
        return new - sum(nano for gpu, nano in self.before.items() if gpu not in self.after)


def idle_comparison(before: Span, after: Span, used_before: Usage, used_after: Usage, since: str) -> Comparison:
    """Return what idle GPU time cost an hour in two windows, by model; `since` is the time that the sentence tells."""
    held = _held(used_before, used_after)
    models = sorted(held, key=lambda each: (-abs(held[each].rise), each))
    one, two = (sum(each.costs[at] for each in held.values()) for at in (0, 1))
    return Comparison(
        scope={},
        before=before,
        after=after,
        before_usd_per_hour=one / NANO,
        after_usd_per_hour=two / NANO,
        effects=tuple(effect for each in models for effect in _effects(each, held[each])),
        by="model",
        changes=tuple(Change(_name(each), *(nano / NANO for nano in held[each].costs)) for each in models),
        sentence=_sentence(held, (used_before, used_after), since),
        flags=tuple(dict.fromkeys((*used_before.flags, *used_after.flags))),
    )


def _held(used_before: Usage, used_after: Usage) -> Mapping[str, _Held]:
    found: dict[str, _Held] = defaultdict(_Held)
    for usage, name in ((used_before, "before"), (used_after, "after")):
        for line in usage.lines:
            if line.resource in GPU_TIME:
                gpus: dict[str, int] = getattr(found[line.model], name)
                nano = (line.nano_per_hour or 0) if line.resource == _IDLE else 0
                gpus[line.gpu] = gpus.get(line.gpu, 0) + nano
    return dict(found)


def _effects(model: str, held: _Held) -> list[Effect]:
    before, after = held.costs
    found = [Effect(IDLE_TIME, (held.rise - held.by_count) / NANO, _name(model), before / NANO, after / NANO, "$/h")]
    if held.by_count:
        counts = float(len(held.before)), float(len(held.after))
        found.append(Effect(GPU_COUNT, held.by_count / NANO, _name(model), *counts, GPUS))
    return sorted(found, key=lambda each: -abs(each.usd_per_hour))


def _sentence(held: Mapping[str, _Held], used: tuple[Usage, Usage], since: str) -> str:
    model = max(held, key=lambda each: held[each].rise, default=None)
    whole = sum(each.rise for each in held.values())
    if model is None or held[model].rise <= 0 or whole <= 0:
        return f"idle GPU time costs no more than before {since}"
    its = held[model]
    before, after = its.costs
    figures = f"${before / NANO:,.2f} -> ${after / NANO:,.2f}/h"
    share = f" is {min(its.rise / whole, 1) * 100:.0f} % of it" if len(held) > 1 else ""
    end = f"{figures}{share}; since {since}; +${whole / NANO:,.2f}/h"
    if its.by_count * 2 > its.rise:
        everybody = {gpu for each in held.values() for gpu in each.before}
        return f"{_more(model, its, everybody)}; idle GPU time {end}"
    asked, asks = (_requests(each, model) for each in used)
    gone = "gets no requests any more: its GPU stands idle" if asked and not asks else "stands idle"
    return f"{_name(model)} {gone if model else 'stand idle'}, {end}"


def _more(model: str, held: _Held, everybody: set[str]) -> str:
    """Return that there are more GPUs: whether they came from somebody else, or were added."""
    more = max(len(held.after) - len(held.before), 1)
    counts = f"({len(held.before)} -> {len(held.after)})"
    gpus = f"{more} GPU{'s' if more > 1 else ''}"
    if set(held.after) - set(held.before) <= everybody:
        return f"{_name(model)} holds {gpus} more {counts}" if model else f"no model holds {gpus} any more {counts}"
    for_whom = f" for {_name(model)}" if model else " that no model holds"
    return f"{gpus} {'were' if more > 1 else 'was'} added{for_whom} {counts}"


def _name(model: str) -> str:
    return safe(model, _NAME_CELLS) or _UNHELD


def _requests(usage: Usage, model: str) -> float:
    return sum(line.per_hour for line in usage.lines if line.resource == REQUESTS and line.model == model)

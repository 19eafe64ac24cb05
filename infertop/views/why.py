"""Why $/hour changed, for screens and events: the effects that sum to the change, and one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from infertop.money.baseline import Scope
from infertop.money.lines import NANO
from infertop.money.why.cause import Cause
from infertop.money.why.cells import Measure
from infertop.money.why.concentration import DIMENSIONS
from infertop.money.why.effects import Effect as Part
from infertop.money.why.explain import Explanation, explain
from infertop.money.why.factors import CLIENTS, MIX, PRICE, TIER, VOLUME
from infertop.money.why.mean_prices import USD_PER_MILLION
from infertop.money.why.measured import USD_PER_GPU_HOUR, Place
from infertop.money.why.usage import Usage
from infertop.readings.safe import safe
from infertop.views.event_shapes import Change, Comparison, Effect
from infertop.views.why_explained import NAMES
from infertop.views.why_words import TOKENS_ASKED, figure, percent, signed_usd, times, usd

Span = tuple[float, float]

_NAME_WIDTH = 60
_MOST_CHANGES = 50
# Less than this share of the cost, or than a cent, is no change that a sentence could be about.
_LEAST_SHARE, _LEAST_USD = 0.025, 0.01
_ALL = 0.995
# A part beyond this share of the change is told in dollars: what others did the other way hides it.
_MOST_SHARE = 1.005


def comparison(
    scope: Scope, before: Span, after: Span, used_before: Usage, used_after: Usage, since: str = ""
) -> Comparison:
    """Return the comparison of what `scope` used in two windows; `since` is the time that the sentence tells."""
    found = explain(used_before, used_after, dimensions_of(scope))
    return comparison_of(scope, before, after, found, since)


def dimensions_of(scope: Scope) -> list[str]:
    """Return the dimensions in which a scope's change is looked for: those that it does not set."""
    fixed = dict(scope)
    return [name for name in DIMENSIONS if name not in fixed]


def comparison_of(
    scope: Scope, before: Span, after: Span, found: Explanation, since: str = "", way: int = 0, than: str = ""
) -> Comparison:
    """Return an explanation of two windows as it is shown; `way` and `than` are those of `sentence`."""
    return Comparison(
        scope=dict(scope),
        before=before,
        after=after,
        before_usd_per_hour=_usd(found.before_nano),
        after_usd_per_hour=_usd(found.after_nano),
        effects=tuple(_effect(each, found.by) for each in found.effects),
        by=found.by,
        changes=tuple(Change(each.name, _usd(each.before), _usd(each.after)) for each in found.changes[:_MOST_CHANGES]),
        sentence=sentence(found, since, way, than),
        flags=found.flags,
        together=found.cause.factors if found.cause else (),
    )


def unknown(scope: Scope, before: Span, after: Span, why: str) -> Comparison:
    """Return a comparison that could not be made, with the sentence why."""
    return Comparison(dict(scope), before, after, None, None, sentence=why, flags=(why,))


def sentence(found: Explanation, since: str = "", way: int = 0, than: str = "") -> str:
    """Return the change and its cause: how many times, what is how much of it, since when, and by how many dollars.

    Of an incident `way` says whether more is spent (1) or less (-1): its cause is told also where other things outweigh
    it. `than` names the first window ("the 30 min before"), for who does not see which two are compared.
    """
    missing = _nothing_known(found)
    if missing:
        return missing
    before, after = (found.before_nano or 0) / NANO, (found.after_nano or 0) / NANO
    when = f"; since {since}" if since else ""
    change, did = after - before, found.cause.nano / NANO if found.cause else 0.0
    least = max(_LEAST_USD, _LEAST_SHARE * max(before, after))
    if found.cause is None or max(abs(change), abs(did)) < least:
        if change * way < 0 and abs(change) >= least:
            there = f"in {than}" if than else "before"
            return f"no more than {there}{when}; {_many(before, after)}, {signed_usd(change)}/h"
        same = f"{'about the same' if change else 'unchanged'} at {figure(after, 'usd')}/h"
        return f"{same}{f' as in {than}' if than else ''}{when}"
    name = _cause(found.cause, found.by)
    if abs(change) < least or did * change < 0 or did / change > _MOST_SHARE:
        return _against(found, name, when, way, than)
    amounts = f"{signed_usd(change)}/h" if did / change >= _ALL else f"{signed_usd(did)}/h of {signed_usd(change)}/h"
    return f"{_many(before, after, than)}: {name} is {percent(did / change)} of it{when}; {amounts}"


def _nothing_known(found: Explanation) -> str:
    """Return what there is to say where there is nothing to compare, empty where there is."""
    if all(found.unknown):
        return "nothing was recorded or reported of either window"
    if any(found.unknown):
        which = "first" if found.unknown[0] else "second"
        return f"nothing was recorded or reported of the {which} window: there is nothing to compare with"
    if found.before_nano is None and found.after_nano is None:
        return "nothing with a price was used in either window"
    if found.cause is None and None in (found.before_nano, found.after_nano):
        which = "first" if found.before_nano is None else "second"
        return f"nothing with a price was used in the {which} window: there is nothing to compare with"
    return ""


def _against(found: Explanation, name: str, when: str, way: int, than: str) -> str:
    """Return a sentence in dollars: what the cause did, and what all else did the other way."""
    assert found.cause is not None, "it is about a cause"
    before, after = (found.before_nano or 0) / NANO, (found.after_nano or 0) / NANO
    did = found.cause.nano / NANO
    rest = after - before - did
    part = f"{name} {'adds' if did > 0 else 'saves'} {usd(abs(did))}/h"
    others = f"all else {'adds' if rest > 0 else 'saves'} {usd(abs(rest))}/h"
    if way:
        return f"{part}{when}; {others}: {_in_all(before, after, than)}"
    return f"{_in_all(before, after, than)}: {part}, {others}{when}; {signed_usd(after - before)}/h"


def _in_all(before: float, after: float, than: str) -> str:
    if abs(after - before) < max(_LEAST_USD, _LEAST_SHARE * max(before, after)):
        return f"about the same{f' as in {than}' if than else ''}"
    return _many(before, after, than)


def _many(before: float, after: float, than: str = "") -> str:
    """Return how many times as much it is, and as what."""
    told = times(before, after)
    return f"{told} that of {than}" if than and told.endswith("x") else told


def _cause(cause: Cause, by: str) -> str:
    others = [NAMES[name] for name in cause.factors if name != cause.factor]
    return _named(cause, by) + (f" with {' and '.join(others)}" if others else "")


def _named(cause: Cause, by: str) -> str:
    effect = cause.effect
    where = _of(effect.place, by)
    before, after, unit = effect.figure
    if cause.is_new:
        what = "new" if not before else "gone"
        return f"{where or 'everything'}, {what} ({figure(before, unit)} -> {figure(after, unit)} {unit}),"
    if cause.factor in (MIX, CLIENTS):
        whose = f"{where}'s share of the traffic" if where else "which models are asked"
        return f"{whose} {figure(before, unit)} -> {figure(after, unit)}"
    name = TOKENS_ASKED if unit in (Measure.TOKENS.value, Measure.UNITS.value) else NAMES[cause.factor]
    if cause.factor == TIER:
        name = f"share of {effect.detail or 'standard'} requests"
    if cause.factor == PRICE and effect.detail:
        name = f"price of {effect.detail}"
    on = f" {'by' if effect.place.value is not None and cause.factor == VOLUME else 'on'} {where}" if where else ""
    if before is None and after is None:
        return name + on
    return f"{name}{on} {figure(before, unit)} -> {figure(after, unit)}{_behind(unit)}"


def _behind(unit: str) -> str:
    if unit.endswith("/h"):
        return "/h"
    return {USD_PER_MILLION: "/1M", USD_PER_GPU_HOUR: "/GPU-h"}.get(unit, "")


def _of(place: Place, by: str) -> str:
    if place.value is not None:
        return f"{by} {safe(place.value, _NAME_WIDTH)}"
    return safe(place.model, _NAME_WIDTH) if place.model else ""


def _effect(effect: Part, by: str) -> Effect:
    where: Sequence[str] = (_of(effect.place, by), safe(effect.detail, _NAME_WIDTH))
    before, after, unit = effect.figure
    return Effect(effect.factor, effect.nano / NANO, ", ".join(filter(None, where)), before, after, unit)


def _usd(nano: int | None) -> float | None:
    return None if nano is None else nano / NANO

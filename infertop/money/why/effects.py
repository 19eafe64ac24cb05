"""What each factor did: its part of the change, where most of that happened, and its figures there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infertop.money.why.concentration import NONE, OTHERS
from infertop.money.why.factors import MIX, PRICE, VOLUME
from infertop.money.why.measured import EVERYWHERE, UNKNOWN, Figure, Measured, Place
from infertop.money.why.traffic import Contribution

# A place that has so much of an effect is where it happens.
_MOST = 0.6
_MOST_OF_PRICE = 0.9


@dataclass(frozen=True, slots=True)
class Effect:
    """What a factor did to the cost of an hour, in 1e-9 USD; `figure` are its values at `place`.

    `detail` is the way of processing or the class of tokens that it is about ("priority", "output").
    """

    factor: str
    nano: int
    place: Place = EVERYWHERE
    detail: str = ""
    figure: Figure = UNKNOWN


def effect_of(factor: str, nano: int, parts: Iterable[Contribution], measured: Measured) -> Effect:
    """Return the effect of a factor whose contributions these are."""
    parts = list(parts)
    place = place_of(parts, measured)
    # A tier is always one way's; a price is one class's where most of the effect is.
    detail = _detail([each for each in parts if place.has(each.label)], _MOST_OF_PRICE if factor == PRICE else 0.0)
    return Effect(factor, nano, place, detail, measured.figure(factor, place, detail))


def place_of(parts: Iterable[Contribution], measured: Measured) -> Place:
    """Return where most of these contributions are: one value of the dimension, else one model, else everywhere."""
    parts = list(parts)
    if {each.factor for each in parts} <= {VOLUME}:
        return EVERYWHERE
    values = {label.value for label, _ in measured.cells} - {None}
    if values and (value := _most(parts, lambda each: each.label.value)) and value not in (OTHERS, NONE):
        return Place(value=value)
    model = _most(parts, lambda each: each.label.model)
    if {each.factor for each in parts} == {MIX} and model is None:
        model = _mover(parts)
    return Place(model=model) if model else EVERYWHERE


def _most(parts: Iterable[Contribution], name: Callable[[Contribution], str | None]) -> str | None:
    """Return the name under which most of the whole is, None where it is divided among several."""
    sums: dict[str | None, float] = {}
    for each in parts:
        sums[name(each)] = sums.get(name(each), 0.0) + each.nano
    whole = sum(sums.values())
    best = max(sums, key=lambda each: sums[each] * whole, default=None)
    return best if best is not None and whole and sums[best] / whole >= _MOST else None


def _mover(parts: Iterable[Contribution]) -> str | None:
    """Return the model whose share did most: of a shift, what one loses another gains."""
    largest = max(parts, key=lambda each: abs(each.nano), default=None)
    return largest.label.model if largest else None


def _detail(parts: Iterable[Contribution], least: float) -> str:
    sums: dict[str, float] = {}
    for each in parts:
        if each.detail:
            sums[each.detail] = sums.get(each.detail, 0.0) + each.nano
    whole = sum(sums.values())
    best = max(sums, key=lambda each: sums[each] * (1 if whole >= 0 else -1), default="")
    return best if not least or (whole and sums[best] / whole >= least) else ""

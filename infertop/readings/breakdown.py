"""What a provider says that a request used, as disjoint token classes: every provider's nesting undone once.

Providers disagree on what a figure includes: OpenAI's prompt tokens contain the cached ones, Anthropic's do not;
OpenAI's output contains reasoning, Gemini's does not. `breakdown_shapes` says which is so; this file does the sums. A
breakdown that cannot be true raises `Contradiction` with both figures: nothing is clamped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from infertop.readings.breakdown_shapes import SHAPES, Part, Shape, Side
from infertop.readings.figures import Contradiction, Figure, agreed
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.safe import safe

__all__ = ["SHAPES", "Breakdown", "Contradiction", "breakdown", "shape_of"]

# Counts of tokens that are contained in others whatever they are, and so need no class.
_CONTAINED = frozenset(
    {
        *("text_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"),
        *("input_text_tokens", "output_text_tokens"),
        *("input_cached_text_tokens", "input_cached_audio_tokens", "input_cached_image_tokens"),
    }
)
_UNREAD_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Tokens by class, disjoint, and what else was counted, by call unit; what the provider does not say is left out.

    `unread` are names of token counts above 0 that the shape does not know, and so are in no class.
    """

    tokens: Mapping[str, int]
    calls: Mapping[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


class _Taken(NamedTuple):
    """What one part of a side has: tokens of a class, the figures that say so, and whether the side contains them."""

    token_class: str
    amount: int
    figures: tuple[Figure, ...]
    inside: bool


def shape_of(usage: Mapping[str, object], provider: str = "") -> str | None:
    """Return the name of a usage object's shape, by keys that it alone has, else by the provider; None: unknown."""
    own = next((name for name, shape in SHAPES.items() if provider in shape.providers), None)
    by_key = next((name for name, shape in SHAPES.items() if any(key in usage for key in shape.keys)), None)
    if by_key == "openai" and own in ("xai", "anthropic"):
        return own if own == "xai" or "prompt_tokens" not in usage else by_key
    plain = "input_tokens" in usage or "output_tokens" in usage or "seconds" in usage
    return by_key or (own or "openai" if plain else None)


def breakdown(shape: str, usage: Mapping[str, object]) -> Breakdown:
    """Return the disjoint parts of a usage object of that shape (a name of SHAPES).

    Raise Contradiction where two figures cannot both be true, ValueError with a sentence where one is no count or the
    object has no figure of the shape.
    """
    made = SHAPES[shape]
    tokens: dict[str, int] = {}
    beside = _beside(made, usage)
    for side in made.sides:
        for name, amount in _side(side, usage, beside):
            tokens[name] = tokens.get(name, 0) + amount
    calls = {unit: figure.amount for unit, where in made.calls.items() if (figure := agreed(usage, where))}
    if not tokens and not calls:
        raise ValueError(f"usage has no figure of the shape {shape}")
    _check_total(made, usage, tokens)
    return Breakdown({name: tokens[name] for name in TOKEN_CLASSES if name in tokens}, calls, _unread(shape, usage))


def _beside(shape: Shape, usage: Mapping[str, object]) -> bool | None:
    """Return whether the part that floats is beside its side's figure, by the total; None: it does not tell."""
    floating = agreed(usage, shape.floating)
    if floating is None or not floating.amount or (total := agreed(usage, shape.total)) is None:
        return None
    sides = sum(figure.amount for side in shape.sides if (figure := agreed(usage, side.where)))
    if total.amount == sides:
        return False
    return True if total.amount == sides + floating.amount else None


def _side(side: Side, usage: Mapping[str, object], beside: bool | None) -> Iterator[tuple[str, int]]:
    whole = agreed(usage, side.where)
    taken = [each for part in side.parts for each in _part(part, usage, beside)]
    contained = [each for each in taken if each.inside and each.amount]
    uncached = agreed(usage, side.uncached)
    if whole is not None:
        rest = whole.amount - sum(each.amount for each in contained)
        if rest < 0:
            raise Contradiction(f"{_named(contained)} above {whole}")
        _check_uncached(whole, uncached, contained)
        yield side.rest, rest
    elif contained:
        raise Contradiction(f"{_named(contained)} part of {side.where[0].name}, which is missing")
    for each in taken:
        yield each.token_class, each.amount


def _part(part: Part, usage: Mapping[str, object], beside: bool | None) -> Iterator[_Taken]:
    inside = part.inside if beside is None or not part.floats else not beside
    whole = agreed(usage, part.where)
    split = [(name, figure) for name, where in part.split if (figure := agreed(usage, where))]
    if split:
        together = sum(figure.amount for _, figure in split)
        if whole is not None and whole.amount != together:
            raise Contradiction(f"{_listed(figure for _, figure in split)} do not add up to {whole}")
        for name, figure in split:
            yield _Taken(name, figure.amount, (figure,), inside)
    elif whole is not None:
        less = agreed(usage, part.less)
        if less is not None and less.amount > whole.amount:
            raise Contradiction(f"{less} is above {whole}")
        yield _Taken(part.token_class, whole.amount - (less.amount if less else 0), (whole,), inside)


def _check_uncached(whole: Figure, uncached: Figure | None, contained: Iterable[_Taken]) -> None:
    """Compare what a provider says is left without the caches with what is."""
    cached = [each for each in contained if each.token_class.startswith("cache_")]
    if uncached is not None and uncached.amount != whole.amount - sum(each.amount for each in cached):
        named = _listed(figure for each in cached for figure in each.figures)
        raise Contradiction(f"{f'{named} and ' if named else ''}{uncached} do not add up to {whole}")


def _check_total(shape: Shape, usage: Mapping[str, object], tokens: Mapping[str, int]) -> None:
    total = agreed(usage, shape.total)
    if total is None or not tokens:
        return
    parts = sum(tokens.values())
    outside = sum(tokens.get(name, 0) for name in shape.outside)
    if total.amount not in (parts, parts - outside):
        said = _listed(figure for side in shape.sides if (figure := agreed(usage, side.where)))
        raise Contradiction(f"{total} is not the sum of its parts, {parts}" + (f" ({said})" if said else ""))


def _named(taken: Iterable[_Taken]) -> str:
    figures = [figure for each in taken for figure in each.figures]
    return f"{_listed(figures)} {'is' if len(figures) == 1 else 'are'}"


def _listed(figures: Iterable[Figure]) -> str:
    return " and ".join(str(figure) for figure in figures)


@cache
def _known(shape: str) -> frozenset[str]:
    """Return the keys of a shape that hold figures, of every level."""
    return frozenset(place.steps[-1][0] for place in SHAPES[shape].every_place()) | _CONTAINED


def _unread(shape: str, usage: Mapping[str, object]) -> tuple[str, ...]:
    known = _known(shape)
    levels: list[Mapping[str, object]] = [usage, *(each for each in usage.values() if isinstance(each, dict))]
    if shape == "cohere":
        levels = levels[:1]  # "tokens" are those processed, and not billed
    found = {
        safe(key, 60)
        for level in levels
        for key, value in level.items()
        if key not in known and "token" in key.lower() and type(value) in (int, float) and value
    }
    return tuple(sorted(found)[:_UNREAD_SHOWN])

"""Counts in an object that somebody else wrote: where they stand, and that they are counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from infertop.readings.safe import safe

MOST = 10**15
_STEP = re.compile(r"(\w+)(?:\[(\w+)=(\w+)\])?")


class Contradiction(ValueError):  # noqa: N818 - it reads as the sentence it carries
    """Two figures of one breakdown cannot both be true; the text names both."""


class Figure(NamedTuple):
    """A count, and the name it had ("prompt_tokens_details.cached_tokens")."""

    name: str
    amount: int

    def __str__(self) -> str:
        return f"{self.name} {self.amount}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a figure stands: keys from the outside in; a step with `key=value` sums over the items of a list."""

    name: str
    first: str
    steps: tuple[tuple[str, str, str], ...]
    second: str = ""

    @classmethod
    def of(cls, name: str) -> Place:
        """Read "a.b.c" or "details[modality=AUDIO].tokenCount"."""
        found = [_STEP.fullmatch(step) for step in name.split(".")]
        steps = tuple((step[1], step[2] or "", step[3] or "") for step in found if step)
        plain = len(steps) == 2 and not any(by for _, by, _ in steps)
        return cls(name, steps[0][0], steps, steps[1][0] if plain else "")

    def read(self, source: Mapping[str, object]) -> Figure | None:
        """Return the figure, None where it is absent or null; raise ValueError where it is no count."""
        if self.second:  # the common case, for speed
            outer = source.get(self.first)
            value = outer.get(self.second) if type(outer) is dict else None
            return None if value is None else Figure(self.name, count(value, self.name))
        amount = _read(source, self.steps, self.name)
        return None if amount is None else Figure(self.name, amount)


def places(*names: str) -> tuple[Place, ...]:
    """Return the places of a figure that has several names."""
    return tuple(Place.of(name) for name in names)


def agreed(source: Mapping[str, object], where: Iterable[Place]) -> Figure | None:
    """Return the figure under the first of its names; raise Contradiction where another of them says otherwise."""
    first: Figure | None = None
    for place in where:
        if place.first not in source or (figure := place.read(source)) is None:
            continue
        if first is None:
            first = figure
        elif figure.amount != first.amount:
            raise Contradiction(f"{first} and {figure} are the same figure and differ")
    return first


def count(value: object, name: str) -> int:
    """Return a count of whole units, 1500.0 too; raise ValueError with a sentence where `value` is none."""
    if type(value) is int:
        if 0 <= value <= MOST:
            return value
    elif isinstance(value, float | Decimal) and 0 <= value <= MOST and value == int(value):
        return int(value)
    raise ValueError(f"{safe(name, 80)} {_wrong(value)}")


def amount(value: object, name: str) -> int | float:
    """Return a count that may be fractional (seconds); raise ValueError with a sentence where `value` is none."""
    if (type(value) is int or type(value) is float) and 0 <= value <= MOST:
        return value
    raise ValueError(f"{safe(name, 80)} {_wrong(value)}")


def _wrong(value: object) -> str:
    if isinstance(value, bool):
        return f"is {str(value).lower()}: it must be a number"
    if not isinstance(value, int | float | Decimal):
        kind = {str: "a string", list: "a list", dict: "an object", type(None): "null"}.get(type(value), "no number")
        return f"is {kind}: it must be a number"
    if value != value:
        return "is not a number (NaN)"
    shown = _shown(value)
    if value < 0:
        return f"is {shown}: a count cannot be negative"
    if value > MOST:
        return f"is {shown}: more than 1000000000000000 cannot be true"
    return f"is {shown}: it must be a whole number"


def _shown(value: float | Decimal) -> str:
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"{'-' if value < 0 else ''}a number of more than 30 digits"
    return str(value)


def _read(source: object, steps: Sequence[tuple[str, str, str]], name: str) -> int | None:
    if not steps:
        return None if source is None else count(source, name)
    if not isinstance(source, dict):
        return None
    (key, by, value), rest = steps[0], steps[1:]
    inner = source.get(key)
    if not by:
        return _read(inner, rest, name)
    if not isinstance(inner, list):
        return None
    found = [_read(item, rest, name) for item in inner if isinstance(item, dict) and item.get(by) == value]
    return sum(each or 0 for each in found) if found else None

"""Who gets how many rows: the least of everything in order of need, then comfort, then the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Want:
    """Steps of rows that something can use, heading included: (4, 9, 12) asks for 4 first, then 9, then 12."""

    name: str
    steps: tuple[int, ...]


def share(height: int, wants: Iterable[Want]) -> dict[str, int]:
    """Return rows by name: all first steps in order, then all second ones; a last step is met in part.

    A first step that does not fit whole gets what is left where that is at least two rows (a heading and something
    below it), and nothing otherwise. The sum never exceeds `height`.
    """
    listed = [want for want in wants if want.steps]
    given = {want.name: 0 for want in listed}
    left = max(0, height)
    for step in range(max((len(want.steps) for want in listed), default=0)):
        for want in listed:
            if step >= len(want.steps) or (step and not given[want.name]):
                continue
            more = min(want.steps[step] - given[want.name], left)
            if more <= 0 or (given[want.name] == 0 and more < 2):
                continue
            given[want.name] += more
            left -= more
    return given


def reserved(height: int, notices: int, event: int = 1) -> Mapping[str, int]:
    """Return the rows of headline, notice, what happened (`event`, where there is room) and footer: before all else."""
    return {
        "head": 3 if height >= 12 else 2 if height >= 8 else 1,
        "notice": 1 if notices and height >= 8 else 0,
        "event": event if height >= 20 else 1 if height >= 10 else 0,
        "foot": 1 if height >= 5 else 0,
    }

"""Who spent it: the dimensions of a ledger line, with what [[assign]] makes of them when the line is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infertop.money.budgets import matches
from infertop.money.settings import Assignment, Conditions

_TOLD_APART = 6  # characters of an id behind a name that several have

Names = Mapping[tuple[str, str], str]
"""What people call an id, by (dimension, id)."""


def named(own: Mapping[str, str | None], names: Names) -> dict[str, str | None]:
    """Return `own` with names in place of ids; an id without a name stays."""
    return {kind: value if value is None else names.get((kind, value), value) for kind, value in own.items()}


def told_apart(number: str) -> str:
    """Return what follows a name that several ids have: the end of the id."""
    return f" (…{number[-_TOLD_APART:]})"


def ways(own: Mapping[str, str | None], names: Names) -> tuple[dict[str, str | None], ...]:
    """Return every way in which a condition may call what is used: by name as shown, by id, by a name that others have.

    So a rule that was written by ids goes on when names are known, and one by a name when another key gets it too.
    """
    shown = named(own, names)
    bare = {kind: name and name.removesuffix(told_apart(own[kind] or "")) for kind, name in shown.items()}
    return (shown, dict(own), bare) if shown != own else (shown,)


def fits(conditions: Conditions, said: Iterable[Mapping[str, str | None]]) -> bool:
    """Say whether every condition matches in one of several ways of saying the same."""
    ways = tuple(said)
    return all(any(matches((each,), one) for one in ways) for each in conditions)


def assign(
    own: dict[str, str | None], rules: Iterable[Assignment], others: Iterable[Mapping[str, str | None]] = ()
) -> dict[str, str | None]:
    """Return `own` with the results of the first rule whose conditions all match; what no rule sets stays as it is.

    `others` say the same in other ways.
    """
    said = (own, *others)
    first = next((rule for rule in rules if fits(rule.conditions, said)), None)
    return own | dict(first.results) if first else own

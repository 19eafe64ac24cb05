"""Who spent it: the dimensions of a ledger line, with what [[assign]] makes of them when the line is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infertop.money.budgets import matches
from infertop.money.lines import Line
from infertop.money.settings import Assignment

Names = Mapping[tuple[str, str], str]
"""What people call an id, by (dimension, id)."""


def dimensions(line: Line, rules: Iterable[Assignment]) -> dict[str, str | None]:
    """Return every dimension of `line`: source, provider, model, its own, and those that `rules` assign."""
    own: dict[str, str | None] = dict(line.dimensions)
    return assign(own | {"source": line.source, "provider": line.provider, "model": line.model}, rules)


def named(own: Mapping[str, str | None], names: Names) -> dict[str, str | None]:
    """Return `own` with names in place of ids; an id without a name stays."""
    return {kind: value if value is None else names.get((kind, value), value) for kind, value in own.items()}


def assign(own: dict[str, str | None], rules: Iterable[Assignment]) -> dict[str, str | None]:
    """Return `own` with the results of the first rule whose conditions all match; what no rule sets stays as it is."""
    first = next((rule for rule in rules if matches(rule.conditions, own)), None)
    return own | dict(first.results) if first else own

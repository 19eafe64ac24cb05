"""How the figures of a comparison were come by, in words: an effect, all of them together, who changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infertop.views.why_explained import NAMES, formula
from tui import format as fmt
from tui.incidents import signed

if TYPE_CHECKING:
    from tui.panels.why import Changed, Part

_EXACT = "the effects are exact parts: they sum to the change, to the last 1e-9 $"
Told = tuple[str, tuple[str, ...]]


def effect_told(row: Part) -> Told:
    """Return a title and how an effect, or their sum, was come by."""
    if row.effect is None:
        title = f"{row.name}   $/h  {signed(row.usd_per_hour)}"
        return title, ("= the sum of these effects", _EXACT)
    effect = row.effect
    lines = [f"what $/h changed by because this did, all else being as it was on average: {signed(row.usd_per_hour)}"]
    lines += formula(effect.factor)
    if effect.before is not None or effect.after is not None:
        sides = f"{_plain(effect.before)} before, {_plain(effect.after)} after"
        lines.append(f"{sides} ({effect.unit})" if effect.unit else sides)
    if effect.of:
        lines.append(f"most of it: {effect.of}")
    if fmt.known(row.whole) and fmt.known(row.usd_per_hour) and row.whole:
        lines.append(f"share of the change = {_plain(row.usd_per_hour)} / {_plain(row.whole)}")
    return f"{NAMES.get(effect.factor, effect.factor)}   $/h  {signed(row.usd_per_hour)}", (*lines, _EXACT)


def change_told(row: Changed) -> Told:
    """Return a title and how what one name changed by was come by."""
    before, after = row.change.before_usd_per_hour, row.change.after_usd_per_hour
    lines = [f"= {_plain(after)}/h after - {_plain(before)}/h before"]
    if before is None or after is None:
        lines.append("what was not there in a window counts as nothing there")
    lines.append("the lines of the ledger in each window, over the hours of it that were recorded")
    return f"{row.change.name}   $/h  {signed(row.usd_per_hour)}", tuple(lines)


def _plain(value: float | None) -> str:
    return f"{value:,.6g}".replace(",", " ") if fmt.known(value) else fmt.UNKNOWN

"""Below the alternatives: from where own GPUs pay, what growth costs, and what was and could be saved."""

from __future__ import annotations

from dataclasses import replace

from infertop.views.whatif_shapes import BreakEven, Saving, Scale
from tui import format as fmt
from tui.panels.sheet import Sheet
from tui.panels.whatif import ALL, subject
from tui.scene import Scene
from tui.sentences import sentence
from tui.themes import ALARM, BOLD, DIM, OK, PLAIN, WARN
from tui.widgets.table import Cell, Column

VERDICTS: dict[bool | None, Cell] = {
    True: ("● reachable", OK),
    False: ("× never on this GPU", ALARM),
    None: ("? not measured", WARN),
}
"""Whether the GPUs can serve as many tokens as they would need to."""


def _sentence(text: str) -> Cell:
    return sentence(text), DIM


_BREAK_EVEN: tuple[Column[BreakEven], ...] = (
    Column("against", "BREAK-EVEN", 18, lambda b, s, w: (b.against, PLAIN), left=True, grow=14, late=True),
    Column("api", "$/1M", 6, lambda b, s, w: (fmt.per_million(b.api_usd_per_million_tokens), PLAIN), rank=4),
    Column("tokens", "from tok/d", 10, lambda b, s, w: (fmt.count(b.tokens_per_day), BOLD)),
    Column("capacity", "can tok/d", 9, lambda b, s, w: (fmt.count(b.capacity_tokens_per_day), PLAIN), rank=3),
    Column("utilization", "full", 7, lambda b, s, w: (fmt.percent(b.utilization), PLAIN), rank=2),
    Column("verdict", "", 11, lambda b, s, w: VERDICTS[b.reachable], rank=1, left=True, grow=8, gap=2),
    Column("sentence", "", 30, lambda b, s, w: _sentence(b.sentence), rank=5, left=True, grow=200, late=True, gap=2),
)


def _break_even(scene: Scene) -> tuple[BreakEven, ...]:
    found = subject(scene)
    return found.break_even if found else ()


BREAK_EVEN: Sheet[BreakEven] = Sheet("break-even", lambda scene: "BREAK-EVEN", _BREAK_EVEN, _break_even)


def _factor(scale: Scale) -> str:
    return f"{scale.factor:g}x"


def _cheaper(scale: Scale) -> Cell:
    api, own = scale.api_usd_per_hour, scale.own_usd_per_hour
    if not fmt.known(api) or not fmt.known(own):
        return "-", DIM
    there = "shadow" if scale.shadow else "API"
    return ("same", PLAIN) if api == own else (there, BOLD) if api < own else ("own", BOLD)


def _total(scale: Scale) -> Cell:
    """Return what is paid in all: for APIs where some are asked, for own GPUs where the note says how; None unknown."""
    parts = [scale.api_usd_per_hour] if scale.api_model else []
    parts += [scale.own_usd_per_hour] if scale.note else []
    known = [usd for usd in parts if fmt.known(usd)]
    return fmt.money(sum(known) if parts and len(known) == len(parts) else None), BOLD


_GROWN: tuple[Column[Scale], ...] = (
    Column("factor", "TRAFFIC", 7, lambda x, s, w: (_factor(x), BOLD), left=True),
    Column("tokens", "tok/s", 7, lambda x, s, w: (fmt.count(x.tokens_per_second), PLAIN), rank=2),
    Column("api", "API $/h", 7, lambda x, s, w: (fmt.money(x.api_usd_per_hour), PLAIN)),
    Column("gpus", "own GPUs", 8, lambda x, s, w: (fmt.count(x.own_gpus), PLAIN), rank=1),
    Column("own", "own $/h", 7, lambda x, s, w: (fmt.money(x.own_usd_per_hour), PLAIN)),
)
_NOTE: Column[Scale] = Column(
    "note", "", 20, lambda x, s, w: _sentence(x.note), rank=5, left=True, grow=200, late=True, gap=2
)
_SCALE: tuple[Column[Scale], ...] = (
    *_GROWN,
    Column("cheaper", "cheaper", 7, lambda x, s, w: _cheaper(x), rank=3, left=True, gap=2),
    Column("model", "API MODEL", 16, lambda x, s, w: (x.api_model or "-", DIM), rank=4, left=True, grow=20, gap=2),
    _NOTE,
)
_SHADOW_HEADINGS = {"api": "shadow", "model": "PRICE"}
_SHADOW: tuple[Column[Scale], ...] = tuple(
    replace(each, head=_SHADOW_HEADINGS.get(each.key, each.head)) for each in _SCALE
)
_TOTALS: tuple[Column[Scale], ...] = (*_GROWN, Column("total", "total $/h", 9, lambda x, s, w: _total(x)), _NOTE)


def _scale(scene: Scene) -> tuple[Scale, ...]:
    found = subject(scene)
    return found.scale if found else ()


_OF_ONE: Sheet[Scale] = Sheet("scale", lambda scene: "TRAFFIC", _SCALE, _scale)
_OF_SHADOW: Sheet[Scale] = Sheet("scale", lambda scene: "TRAFFIC", _SHADOW, _scale)
_OF_ALL: Sheet[Scale] = Sheet("scale", lambda scene: "TRAFFIC", _TOTALS, _scale)


def growth(scene: Scene) -> Sheet[Scale]:
    """Return the growth of one model, on an API, at its shadow price or on own GPUs; of everything, both parts."""
    found = subject(scene)
    if found is not None and found.model == ALL:
        return _OF_ALL
    return _OF_SHADOW if any(each.shadow for each in _scale(scene)) else _OF_ONE


_SAVINGS: tuple[Column[Saving], ...] = (
    Column("name", "SAVINGS", 14, lambda x, s, w: (x.name, PLAIN), left=True, grow=26),
    Column("usd_per_hour", "$/h", 7, lambda x, s, w: (fmt.money(x.usd_per_hour), BOLD if x.had else PLAIN)),
    Column("sentence", "", 20, lambda x, s, w: _sentence(x.sentence), rank=5, left=True, grow=200, late=True, gap=2),
)


def _savings(scene: Scene) -> tuple[Saving, ...]:
    found = subject(scene)
    return found.savings if found else ()


SAVINGS: Sheet[Saving] = Sheet("savings", lambda scene: "SAVINGS", _SAVINGS, _savings)

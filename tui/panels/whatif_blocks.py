"""Below the alternatives: from where own GPUs pay, what growth costs, and what was and could be saved."""

from __future__ import annotations

from infertop.views.whatif_shapes import AS_NOW, BreakEven, Saving, Scale
from tui import format as fmt
from tui.panels.sheet import Sheet
from tui.panels.whatif import subject
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
    if scale.api_model == AS_NOW:
        return "", DIM  # both are paid
    if not fmt.known(api) or not fmt.known(own):
        return "-", DIM
    return ("same", PLAIN) if api == own else ("API", BOLD) if api < own else ("own", BOLD)


def _api(scale: Scale) -> Cell:
    api, own = scale.api_usd_per_hour, scale.own_usd_per_hour
    if scale.api_model == AS_NOW and fmt.known(api) and fmt.known(own):
        return f"together {fmt.money(api + own)}/h", DIM
    return scale.api_model or "-", DIM


_SCALE: tuple[Column[Scale], ...] = (
    Column("factor", "TRAFFIC", 7, lambda x, s, w: (_factor(x), BOLD), left=True),
    Column("tokens", "tok/s", 7, lambda x, s, w: (fmt.count(x.tokens_per_second), PLAIN), rank=2),
    Column("api", "API $/h", 7, lambda x, s, w: (fmt.money(x.api_usd_per_hour), PLAIN)),
    Column("gpus", "own GPUs", 8, lambda x, s, w: (fmt.count(x.own_gpus), PLAIN), rank=1),
    Column("own", "own $/h", 7, lambda x, s, w: (fmt.money(x.own_usd_per_hour), PLAIN)),
    Column("cheaper", "cheaper", 7, lambda x, s, w: _cheaper(x), rank=3, left=True, gap=2),
    Column("model", "API", 16, lambda x, s, w: _api(x), rank=4, left=True, grow=20, gap=2),
    Column("note", "", 20, lambda x, s, w: _sentence(x.note), rank=5, left=True, grow=200, late=True, gap=2),
)


def _scale(scene: Scene) -> tuple[Scale, ...]:
    found = subject(scene)
    return found.scale if found else ()


SCALE: Sheet[Scale] = Sheet("scale", lambda scene: "TRAFFIC", _SCALE, _scale)


_SAVINGS: tuple[Column[Saving], ...] = (
    Column("name", "SAVINGS", 14, lambda x, s, w: (x.name, PLAIN), left=True, grow=26),
    Column("usd_per_hour", "$/h", 7, lambda x, s, w: (fmt.money(x.usd_per_hour), BOLD if x.had else PLAIN)),
    Column("sentence", "", 20, lambda x, s, w: _sentence(x.sentence), rank=5, left=True, grow=200, late=True, gap=2),
)


def _savings(scene: Scene) -> tuple[Saving, ...]:
    found = subject(scene)
    return found.savings if found else ()


SAVINGS: Sheet[Saving] = Sheet("savings", lambda scene: "SAVINGS", _SAVINGS, _savings)

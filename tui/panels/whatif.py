"""What-if: the measured traffic on every other model, cheapest first, what it costs now marked among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from infertop.views.whatif_shapes import Alternative, WhatIf
from tui import format as fmt
from tui.panels.panel import Order, TablePanel
from tui.scene import Scene, named
from tui.sentences import sentence
from tui.themes import BOLD, DIM, OK, PLAIN, WARN
from tui.widgets.cells import Row
from tui.widgets.table import Cell, Column, Placed, heading, title_room, window_title

ALL, EVERYTHING = "(all)", "everything"
_SAME = 0.005
_BAR_DOUBLINGS = 4.0
_NOTED = "*"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table; `key` tells it from every other, also from one of the same provider and model."""

    key: str
    at: Alternative


def subject_key(subject: WhatIf) -> str:
    """Return source and model with a tab between, what `Choices.subject` holds."""
    return f"{subject.source}\t{subject.model}"


def subject(scene: Scene) -> WhatIf | None:
    """Return whose traffic is shown: the one chosen, the first where none was; None where there is no such one."""
    subjects = scene.whatif.subjects if scene.whatif else ()
    wanted = scene.choices.subject
    return next((each for each in subjects if not wanted or subject_key(each) == wanted), None)


class _Listed:
    """The rows of the last picture: hundreds are filtered and sorted once a change, not once a question."""

    def __init__(self) -> None:
        self._of: tuple[Sequence[Alternative], str, str] = ((), "", "")
        self._rows: list[Entry] = []

    def rows(self, scene: Scene) -> list[Entry]:
        """Return what the filter lets through, in the order chosen."""
        found = subject(scene)
        alternatives = found.alternatives if found else ()
        order = ALTERNATIVES.order(scene)
        asked = (alternatives, scene.choices.filter, order.column)
        if self._of[0] is not alternatives or self._of[1:] != asked[1:]:
            kept = [row for row in _entries(alternatives) if _matches(scene, row.at)]
            self._of, self._rows = asked, order.sorted(kept)
        return self._rows


def _matches(scene: Scene, at: Alternative) -> bool:
    return scene.choices.matches(at.model, at.provider, f"{at.provider}/{at.model}", at.price_source)


def _entries(alternatives: Sequence[Alternative]) -> list[Entry]:
    seen: dict[str, int] = {}
    entries = []
    for at in alternatives:
        name = f"{at.provider}\t{at.model}"
        seen[name] = number = seen.get(name, -1) + 1
        entries.append(Entry(f"{name}\t{number}" if number else name, at))
    return entries


def _usd(entry: Entry) -> float | None:
    usd = entry.at.usd_per_hour
    return usd if fmt.known(usd) else None


def _same(ratio: float) -> bool:
    return abs(ratio - 1) < _SAME


def _sign(entry: Entry, scene: Scene, width: int) -> Cell:
    """Return cheaper or dearer as a glyph and a word."""
    ratio = entry.at.ratio
    if entry.at.current:
        return "= now", BOLD
    if not fmt.known(ratio):
        return "", PLAIN
    if _same(ratio):
        return "= same", PLAIN
    return ("▼ cheaper", OK) if ratio < 1 else ("▲ dearer", WARN)


def diverging(ratio: float | None, width: int) -> str:
    """Return a thin bar from the middle of `width` cells: to the left cheaper, to the right dearer, by doublings."""
    half = (width - 1) // 2
    if not fmt.known(ratio) or ratio <= 0 or half <= 0:
        return ""
    size = 0 if _same(ratio) else max(1, min(half, round(abs(math.log2(ratio)) / _BAR_DOUBLINGS * half)))
    if ratio < 1:
        return " " * (half - size) + "━" * size + "│"
    return " " * half + "│" + "━" * size


def _bar(entry: Entry, scene: Scene, width: int) -> Cell:
    ratio = entry.at.ratio
    if not fmt.known(ratio) or _same(ratio):
        return diverging(ratio, width), DIM
    return diverging(ratio, width), OK if ratio < 1 else WARN


def _plain(style: str, entry: Entry) -> str:
    return BOLD if entry.at.current else style


def _model(entry: Entry, scene: Scene, width: int) -> Cell:
    return EVERYTHING if entry.at.model == ALL else named(entry.at.model), _plain(PLAIN, entry)


def _provider(entry: Entry, scene: Scene, width: int) -> Cell:
    return entry.at.provider, _plain(DIM, entry)


def _notes(entry: Entry, scene: Scene, width: int) -> Cell:
    return sentence("; ".join(entry.at.notes)), DIM


COLUMNS: tuple[Column[Entry], ...] = (
    Column("model", "MODEL", 18, _model, left=True, grow=24),
    Column("mark", "", 1, lambda e, s, w: (_NOTED if e.at.notes else "", DIM), rank=2, left=True, gap=0),
    Column("provider", "PROVIDER", 11, _provider, rank=5, left=True, grow=9),
    Column("usd_per_hour", "$/h", 7, lambda e, s, w: (fmt.money(e.at.usd_per_hour), BOLD)),
    Column("ratio", "x now", 7, lambda e, s, w: (fmt.times(e.at.ratio), PLAIN), rank=1),
    Column("sign", "", 9, _sign, rank=3, left=True, gap=2),
    Column("bar", " CHEAPER│DEARER", 17, _bar, rank=9, left=True, gap=2),
    Column("usd_per_request", "$/req", 7, lambda e, s, w: (fmt.unit_money(e.at.usd_per_request), PLAIN), rank=4),
    Column("usd_per_million", "$/1M", 6, lambda e, s, w: (fmt.per_million(e.at.usd_per_million_tokens), PLAIN), rank=6),
    Column(
        "price_source",
        "PRICE FROM",
        19,
        lambda e, s, w: (e.at.price_source or "-", DIM),
        rank=7,
        left=True,
        grow=11,
        gap=2,
    ),
    Column("since", "SINCE", 10, lambda e, s, w: (e.at.since or "-", DIM), rank=8, left=True, gap=2),
    Column("notes", "NOTES", 20, _notes, rank=10, left=True, grow=60, gap=2),
)


def _none(scene: Scene) -> str:
    if subject(scene) is None:
        return ""
    if making_all(scene):
        return "listing all models ..."
    return "no model matches the filter" if scene.choices.filter else "no other model has a price for this traffic"


def making_all(scene: Scene) -> bool:
    """Return whether all models are wanted and only the well-known ones are there yet."""
    found = subject(scene)
    return found is not None and scene.choices.wants_all and found.more > 0


def _rest(scene: Scene) -> str:
    """Return what the title says of the models that are not listed, or of how to have fewer again."""
    found = subject(scene)
    if making_all(scene):
        return "listing all ..."
    if found is not None and found.more:
        return "more with a"
    return "fewer with a" if scene.choices.every and not scene.choices.filter else ""


@dataclass(frozen=True)
class _LongTable(TablePanel[Entry]):
    """Measures its columns once for the same list: that is most of the work of a picture with hundreds of rows.

    Its title says what part of all models is listed, and may run over the headings of other names for that.
    """

    measured: dict[int, tuple[Sequence[Entry], tuple[Placed[Entry], ...]]] = field(default_factory=dict)

    def placed(self, items: Sequence[Entry], scene: Scene, width: int) -> tuple[Placed[Entry], ...]:
        """Return the columns for these things at this width."""
        before = self.measured.get(width)
        if before is None or before[0] is not items:
            self.measured.clear()
            self.measured[width] = before = items, super().placed(items, scene, width)
        return before[1]

    def draw(self, scene: Scene, width: int, height: int) -> list[Row]:
        """Return the heading and as many things as fit, scrolled to the cursor."""
        rows = super().draw(scene, width, height)
        rest, items = _rest(scene), self.items(scene)
        placed, order = self.placed(items, scene, width), self.order(scene)
        if not rest or not rows or not placed:
            return rows
        room = title_room(placed, order.column)
        top = scene.choices.cursor(self.name).top
        shown = min(len(items) - top, height - 1)
        few = window_title(self.title, top, shown, len(items), room, always=True)
        title = f"{few}, {rest}"
        if len(title) <= room:
            over = [each for each in placed[1:] if each.column.left and each.x < placed[0].x + room]
            kept = (replace(placed[0], width=room), *(each for each in placed[1:] if each not in over))
            focused = scene.choices.panel == self.name
            rows[0] = heading(kept, width, title, order.column, rising=order.rising, focused=focused)
        return rows


_listed = _Listed()
ALTERNATIVES: TablePanel[Entry] = _LongTable(
    name="whatif",
    title="MODEL",
    columns=COLUMNS,
    items=_listed.rows,
    key=lambda entry: entry.key,
    label=lambda entry: f"{entry.at.provider}/{entry.at.model}",
    empty=_none,
    orders=(
        Order("usd_per_hour", _usd, rising=True),
        Order("model", lambda e: e.at.model.casefold(), rising=True),
        Order("provider", lambda e: e.at.provider.casefold(), rising=True),
    ),
)

"""Why: what each factor did to $/hour, and who changed most; of an incident, or of two windows that were chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from infertop.views.event_shapes import Change, Comparison, Effect
from infertop.views.why_explained import NAMES
from tui import format as fmt
from tui.incidents import CHANGES_NAME, EFFECTS_NAME, signed
from tui.panels.panel import TablePanel
from tui.panels.why_told import change_told, effect_told
from tui.scene import Scene
from tui.sentences import sentence
from tui.themes import BOLD, DIM, OK, PLAIN, WARN
from tui.widgets.cells import Row, blank
from tui.widgets.prose import heading, paragraph
from tui.widgets.spark import bar, two_sided
from tui.widgets.table import Cell, Column

TOTAL = "total"
_LITTLE, _NOTHING, _ENDLESS = 0.05, 1e-6, 9.995
_INVISIBLE = 0.01
_SHARES = ("ratio", "share", "%")


class Part(NamedTuple):
    """One effect beside the whole change and the largest effect, in USD an hour; without `effect` a sum of several."""

    effect: Effect | None
    usd_per_hour: float | None
    whole: float | None
    most: float
    both_ways: bool
    name: str = TOTAL


class Changed(NamedTuple):
    """One name of a dimension beside the whole change and the largest one, in USD an hour."""

    change: Change
    usd_per_hour: float | None
    whole: float | None
    most: float
    both_ways: bool


def difference(before: float | None, after: float | None) -> float | None:
    """Return how much more it is now; what is not there on one side counts as nothing there, on both as unknown."""
    if before is None and after is None:
        return None
    return (after or 0.0) - (before or 0.0)


def whole_change(made: Comparison) -> float | None:
    """Return the change in USD an hour, None where a side of it is unknown."""
    if not fmt.known(made.before_usd_per_hour) or not fmt.known(made.after_usd_per_hour):
        return None
    return made.after_usd_per_hour - made.before_usd_per_hour


def _scale(values: list[float | None]) -> tuple[float, bool]:
    """Return the largest size among values, and whether some go down beside others that go up."""
    sizes = [value for value in values if fmt.known(value)]
    most = max(map(abs, sizes), default=0.0)
    seen = [value for value in sizes if abs(value) > _LITTLE * most]
    return most, any(value < 0 for value in seen) and any(value > 0 for value in seen)


def parts(scene: Scene) -> list[Part]:
    """Return the effects as they came, the sum of those that the sentence tells as one, and that of all at last."""
    made = scene.comparison
    if made is None or not made.effects:
        return []
    whole = whole_change(made)
    most, both_ways = _scale([each.usd_per_hour for each in made.effects])
    rows = [Part(each, each.usd_per_hour, whole, most, both_ways) for each in made.effects]
    told = [each for each in made.effects if each.factor in made.together]
    if len(told) > 1:  # they come first: what the sentence says is their sum
        name = " + ".join(NAMES.get(each.factor, each.factor) for each in told)
        rows.insert(len(told), Part(None, sum(each.usd_per_hour for each in told), whole, most, both_ways, name))
    total = sum(each.usd_per_hour for each in made.effects)
    return [*rows, Part(None, total, whole, most, both_ways)]


def changes(scene: Scene) -> list[Changed]:
    """Return who changed, the largest change first, as they came."""
    made = scene.comparison
    if made is None:
        return []
    whole = whole_change(made)
    sizes = [difference(each.before_usd_per_hour, each.after_usd_per_hour) for each in made.changes]
    most, both_ways = _scale(sizes)
    return [Changed(each, size, whole, most, both_ways) for each, size in zip(made.changes, sizes, strict=True)]


def in_unit(value: float | None, unit: str) -> str:
    """Return a factor's value as text, by its unit."""
    small = unit.lower()
    if "usd" in small or "$" in small:
        return fmt.per_million(value)
    if any(word in small for word in _SHARES):
        return fmt.percent(value)
    return fmt.digits(value)


def _share(row: Part | Changed) -> str:
    if not fmt.known(row.usd_per_hour) or not fmt.known(row.whole) or abs(row.whole) < _NOTHING:
        return fmt.UNKNOWN
    ratio = row.usd_per_hour / row.whole + 0.0
    if abs(ratio) >= _ENDLESS:
        return fmt.UNKNOWN  # beside a change of next to nothing each effect is endless
    text = fmt.percent(abs(ratio))
    return f"-{text}" if ratio < 0 and text[0].isdigit() else text  # of less than 1 % the dollars have the sign


def _bar(row: Part | Changed, width: int) -> Cell:
    usd = row.usd_per_hour
    if not fmt.known(usd) or not row.most or (isinstance(row, Part) and row.effect is None):
        return "", PLAIN
    if abs(usd) < _INVISIBLE * row.most:
        return "", PLAIN  # the shortest bar would be many times as long
    drawn = two_sided(usd / row.most, width) if row.both_ways else bar(abs(usd) / row.most, width)
    return drawn, WARN if usd > 0 else OK


def _name(row: Part) -> str:
    return NAMES.get(row.effect.factor, row.effect.factor) if row.effect else row.name


def _factor(row: Part, scene: Scene, width: int) -> Cell:
    return _name(row), PLAIN if row.effect else BOLD


def _unit(row: Part) -> str:
    unit = row.effect.unit if row.effect else ""
    return "" if unit in _SHARES else unit.replace("usd", "$")  # a share says so itself


def _side(value: float | None, row: Part) -> Cell:
    return (in_unit(value, row.effect.unit) if row.effect else ""), PLAIN


def _of(row: Part, scene: Scene, width: int) -> Cell:
    return (row.effect.of if row.effect else ""), DIM


EFFECTS: TablePanel[Part] = TablePanel(
    name=EFFECTS_NAME,
    title="WHAT CHANGED",
    columns=(
        Column("factor", "WHAT CHANGED", 25, _factor, left=True, grow=20),
        Column("before", "BEFORE", 7, lambda r, s, w: _side(r.effect.before if r.effect else None, r), rank=3),
        Column("after", "AFTER", 7, lambda r, s, w: _side(r.effect.after if r.effect else None, r), rank=3),
        Column("unit", "", 8, lambda r, s, w: (_unit(r), DIM), rank=7, left=True, grow=10),
        Column("usd_per_hour", "$/h", 8, lambda r, s, w: (signed(r.usd_per_hour), BOLD)),
        Column("share", "%", 6, lambda r, s, w: (_share(r), PLAIN), rank=1),
        Column("bar", "", 6, lambda r, s, w: _bar(r, w), rank=6, left=True, grow=25, late=True, gap=2),
        Column("of", "WHERE", 10, _of, rank=4, left=True, grow=24, gap=2),
    ),
    items=parts,
    key=lambda row: f"{row.effect.factor}\t{row.effect.of}" if row.effect else row.name,
    label=_name,
    told=effect_told,
)


def _changed(row: Changed, scene: Scene, width: int) -> Cell:
    change = row.change
    if change.before_usd_per_hour is None and change.after_usd_per_hour is not None:
        return "new", DIM
    return ("gone" if change.after_usd_per_hour is None and change.before_usd_per_hour is not None else ""), DIM


def _by(name: str) -> TablePanel[Changed]:
    return TablePanel(
        name=CHANGES_NAME,
        title=f"BY {name.upper()}"[:24],
        columns=(
            Column("name", "", 20, lambda r, s, w: (r.change.name or "(none)", PLAIN), left=True, grow=20),
            Column("before", "BEFORE/h", 8, lambda r, s, w: (fmt.money(r.change.before_usd_per_hour), PLAIN), rank=3),
            Column("after", "AFTER/h", 8, lambda r, s, w: (fmt.money(r.change.after_usd_per_hour), PLAIN), rank=2),
            Column("usd_per_hour", "$/h", 8, lambda r, s, w: (signed(r.usd_per_hour), BOLD)),
            Column("share", "%", 6, lambda r, s, w: (_share(r), PLAIN), rank=1),
            Column("bar", "", 9, lambda r, s, w: _bar(r, w), rank=6, left=True, grow=22, late=True, gap=2),
            Column("changed", "", 4, _changed, rank=5, left=True, gap=2),
        ),
        items=changes,
        key=lambda row: row.change.name,
        label=lambda row: row.change.name,
        told=change_told,
    )


_BY: dict[str, TablePanel[Changed]] = {}


def changes_panel(scene: Scene) -> TablePanel[Changed]:
    """Return the table of who changed, under the name of the dimension that explains the change best."""
    by = scene.comparison.by if scene.comparison else ""
    if by not in _BY:
        if len(_BY) > 32:
            _BY.clear()
        _BY[by] = _by(by or "name")
    return _BY[by]


@dataclass(frozen=True)
class Flags:
    """What a comparison does not know, a sentence each."""

    name: str = "flags"

    def keys(self, scene: Scene) -> list[str]:
        """Return nothing: they are read, not opened."""
        return []

    def rows(self, scene: Scene) -> int:
        """Return a heading and two rows a sentence, 0 where there is none."""
        flags = scene.comparison.flags if scene.comparison else ()
        return 1 + 2 * len(flags) if flags else 0

    def draw(self, scene: Scene, width: int, height: int) -> list[Row]:
        """Return the sentences, wrapped."""
        rows = [heading("TO KNOW", width)]
        for flag in scene.comparison.flags if scene.comparison else ():
            rows += paragraph(f"! {sentence(flag)}", width, WARN)
        return rows[:height] + [blank(width)] * (height - len(rows))


FLAGS = Flags()

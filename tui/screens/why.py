"""The frame of the pages that say why: the two windows, the sentence, and the tables below."""

from __future__ import annotations

from infertop.views.event_shapes import Comparison
from tui import format as fmt
from tui.incidents import CHANGES_NAME, EFFECTS_NAME, signed
from tui.moments import clock, when
from tui.panels.panel import Panel
from tui.panels.why import EFFECTS, FLAGS, changes_panel, whole_change
from tui.scene import Scene
from tui.screens.page import Box, Picture
from tui.screens.space import Want, share
from tui.screens.stack import GUTTER, Band, stack
from tui.sentences import sentence
from tui.themes import BOLD, DIM, PLAIN
from tui.widgets.cells import Row, blank, paste
from tui.widgets.parts import Part, join, one_line, part
from tui.widgets.prose import paragraph
from tui.windows import AFTER, BEFORE, BOTH

_PAIR = 164
_LEAST_EFFECTS, _LEAST_CHANGES, _LEAST_FLAGS = 5, 4, 2
_MOVES = "›"


def window_words(span: tuple[float, float], scene: Scene) -> str:
    """Return a window as text: `Sat 04:12-04:30`, `16 Nov 00:00 - Wed 12:00`."""
    start, end = span
    zone = scene.view.timezone
    if not (fmt.known(start) and fmt.known(end)):
        return fmt.UNKNOWN
    first, last = _moment(start, scene), _moment(end, scene)
    same = first.rpartition(" ")[0] == last.rpartition(" ")[0]
    return f"{first}-{clock(end, zone)}" if same else f"{first} - {last}"


def _moment(ts: float, scene: Scene) -> str:
    told, at = when(ts, scene.view.at, scene.view.timezone), clock(ts, scene.view.timezone)
    return told if at in told else f"{told} {at}"


def window_parts(made: Comparison, scene: Scene, side: str) -> tuple[Part, Part]:
    """Return the windows with what they cost an hour, one as wide as the other; those that keys move have a mark."""
    spans = (made.before, made.after)
    words = [f"{window_words(each, scene)} ({fmt.span(each[1] - each[0])})" for each in spans]
    sums = [fmt.money(made.before_usd_per_hour), fmt.money(made.after_usd_per_hour)]
    wide, high = max(map(len, words)), max(map(len, sums))
    before, after = (
        join(
            [
                part((_MOVES if side in (BOTH, name) else " ") if side else "", BOLD),
                part(f"{name:<6} ", DIM),
                part(f"{word:<{wide}} "),
                part(f"{usd:>{high}}", BOLD),
                part("/h", DIM),
            ]
        )
        for name, word, usd in zip((BEFORE, AFTER), words, sums, strict=True)
    )
    return before, after


def change_part(made: Comparison) -> Part:
    """Return by how much the second window cost more an hour, and how many times the first."""
    change, before = whole_change(made), made.before_usd_per_hour
    ratio = made.after_usd_per_hour / before if fmt.known(change) and before and made.after_usd_per_hour else None
    times = f"  {fmt.times(ratio)}" if fmt.known(ratio) else ""
    return join([part(signed(change), BOLD), part("/h", DIM), part(times)])


def windows_rows(made: Comparison, scene: Scene, width: int, side: str = "") -> list[Row]:
    """Return the two windows that are compared, on one line where there is room; `side` is which of them keys move."""
    before, after = window_parts(made, scene, side)
    change = change_part(made)
    if before.width + after.width + change.width + 8 <= width:
        return [one_line(width, [before, after, change])]
    return [one_line(width, [before]), one_line(width, [after, change])]


def sentence_rows(made: Comparison, width: int) -> list[Row]:
    """Return what explains the change, in a sentence."""
    return paragraph(sentence(made.sentence), width, BOLD) if made.sentence else []


def layout(scene: Scene, width: int, height: int) -> list[Box]:
    """Return the boxes: effects and who changed, beside each other on wide screens, and what is not in it."""
    changed = changes_panel(scene)
    effects, names, flags = EFFECTS.rows(scene), changed.rows(scene), FLAGS.rows(scene)
    pair = width >= _PAIR and names > 0
    if pair:
        effects = max(effects, names)
    wants = [
        Want(EFFECTS_NAME, tuple(sorted({min(_LEAST_EFFECTS, effects), effects})) if effects else ()),
        Want(CHANGES_NAME, tuple(sorted({min(_LEAST_CHANGES, names), names})) if names and not pair else ()),
        Want("flags", tuple(sorted({min(_LEAST_FLAGS, flags), flags})) if flags else ()),
    ]
    given = share(height, wants)
    first = (width - GUTTER) * 3 // 5
    beside: list[tuple[Panel, int]] = (
        [(EFFECTS, first), (changed, width - GUTTER - first)] if pair else [(EFFECTS, width)]
    )
    bands: list[Band] = [
        (given.get(EFFECTS_NAME, 0), beside),
        (given.get(CHANGES_NAME, 0), [(changed, width)]),
        (given.get("flags", 0), [(FLAGS, width)]),
    ]
    return stack(bands, height)


def framed(scene: Scene, width: int, height: int, head: list[Row], foot: Row | None, unsaid: str) -> Picture:
    """Draw `head`, the tables of the scene's comparison (`unsaid` where there is none) and `foot`."""
    rows = head[:height]
    room = max(0, height - len(rows) - (foot is not None))
    boxes: list[Box] = []
    if scene.comparison is None:
        told = [blank(width), *paragraph(unsaid, width, PLAIN)][:room]
        rows += told + [blank(width)] * (room - len(told))
    else:
        boxes = [Box(b.panel, b.x, b.y + len(rows), b.width, b.height) for b in layout(scene, width, room)]
        names = [box.panel.name for box in boxes if box.panel.keys(scene)]
        if names and scene.choices.panel not in names:
            scene.choices.panel = names[0]
        rows += [blank(width)] * room
        for box in boxes:
            paste(rows, box.x, box.y, box.panel.draw(scene, box.width, box.height))
    if foot is not None:
        rows.append(foot)
    return Picture(rows[:height], tuple(boxes))

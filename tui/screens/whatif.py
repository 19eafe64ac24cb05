"""The what-if page: one subject's traffic on top, the alternatives below, then break-even, growth and savings."""

from __future__ import annotations

from infertop.views.shapes import Explained
from infertop.views.whatif_shapes import WhatIf
from tui import format as fmt
from tui.keys import footer, prompt
from tui.panels.panel import Panel
from tui.panels.whatif import ALTERNATIVES, Entry, subject
from tui.panels.whatif_blocks import BREAK_EVEN, SAVINGS, SCALE
from tui.panels.whatif_head import subject_name, whatif_head
from tui.scene import Scene
from tui.screens.page import Box, Picture
from tui.screens.space import Want, reserved, share
from tui.screens.stack import GUTTER, Band, stack
from tui.themes import PLAIN, WARN
from tui.widgets.cells import MARGIN, Line, Row, blank, cells, cut_words, paste
from tui.widgets.prose import paragraph

NAME = "whatif"
_WIDE, _TALL = 104, 30
_PAIR = 78
_TABLE_STEPS = (5, 9, 14)


def draw(scene: Scene, width: int, height: int) -> Picture:
    """Return the page: head, notices, the table and the blocks, the footer."""
    fixed = reserved(height, 0)
    rows = whatif_head(scene, width, fixed["head"])
    notices = scene.whatif.notices if scene.whatif else ()
    for notice in notices[: 1 if height >= 8 else 0]:
        rows += paragraph(f"! {notice}", width, WARN) if height >= _TALL else [_one_line(notice, width)]
    rows = rows[:height]
    room = max(0, height - len(rows) - fixed["foot"])
    if subject(scene) is None:
        boxes = []
        told = [blank(width), *paragraph(waiting(scene), width, PLAIN)][:room]
        rows += told + [blank(width)] * (room - len(told))
    else:
        boxes = [Box(b.panel, b.x, b.y + len(rows), b.width, b.height) for b in layout(scene, width, room)]
        scene.choices.panel = NAME
        rows += [blank(width)] * room
        for box in boxes:
            paste(rows, box.x, box.y, box.panel.draw(scene, box.width, box.height))
    if fixed["foot"]:
        rows.append(_foot(scene, width))
    return Picture(rows[:height], tuple(boxes))


def _one_line(notice: str, width: int) -> Row:
    line = Line(width)
    line.put(MARGIN, cut_words(cells(f"! {notice}"), width - 2 * MARGIN), WARN)
    return line.row()


def waiting(scene: Scene) -> str:
    """Return why there is nothing to show."""
    page, span = scene.whatif, fmt.span(scene.choices.span)
    if page is None:
        return f"summing what was recorded in the last {span} ..."
    if not page.subjects:
        return f"{'' if page.notices else 'No traffic was recorded. '}This is the last {span}; t looks further back."
    name = scene.choices.subject.partition("\t")[2]
    return f"no traffic of {name} was recorded in the last {span}. t looks further back, → shows the others."


def layout(scene: Scene, width: int, height: int) -> list[Box]:
    """Return the boxes: below each other with their sentences where there is room, else growth beside savings."""
    full = ALTERNATIVES.rows(scene)
    below: list[list[tuple[Panel, int]]] = [[(BREAK_EVEN, width)]]
    if (width >= _WIDE and height >= _TALL) or width < _PAIR:
        below += [[(SCALE, width)], [(SAVINGS, width)]]
    else:
        below += [_pair(scene, width)]
    needs = [max((panel.rows(scene) for panel, _ in band), default=0) for band in below]
    wants = [Want(NAME, tuple(min(step, full) for step in (*_TABLE_STEPS, full)))]
    wants += [
        Want(str(n), tuple(min(step, need) for step in (3, 4 if n == 0 else need, need)))
        for n, need in enumerate(needs)
        if need
    ]
    given = share(height, wants)
    bands: list[Band] = [(given[NAME], [(ALTERNATIVES, width)])]
    bands += [(given.get(str(n), 0), band) for n, band in enumerate(below)]
    return stack(bands, height)


def _pair(scene: Scene, width: int) -> list[tuple[Panel, int]]:
    shown: list[Panel] = [panel for panel in (SCALE, SAVINGS) if panel.rows(scene)]
    first = (width - GUTTER) // 2
    return [(shown[0], first), (shown[1], width - GUTTER - first)] if len(shown) == 2 else [(p, width) for p in shown]


def _foot(scene: Scene, width: int) -> Row:
    choices, found = scene.choices, subject(scene)
    if choices.typing:
        return prompt(choices.filter, len(ALTERNATIVES.items(scene)), len(found.alternatives) if found else 0, width)
    message = choices.message or (f"/{choices.filter}" if choices.filter else "")
    return footer(NAME, width, message, ascii=scene.look.ascii)


def explained(scene: Scene, entry: Entry | None) -> list[Explained]:
    """Return how the figures were come by: the alternative under the cursor, the traffic, then the blocks in full."""
    found = subject(scene)
    if found is None:
        return [Explained("what-if", (waiting(scene), *(scene.whatif.notices if scene.whatif else ())))]
    told = [_alternative(entry, found)] if entry else []
    told.append(Explained(f"{subject_name(found)} now", found.explained))
    if found.capacity_method:
        can = f"{fmt.count(found.capacity_tokens_per_second)} tokens/s"
        told.append(Explained("what one GPU can serve", (can, found.capacity_method)))
    told.append(Explained("break-even", tuple(f"{each.against}: {each.sentence}" for each in found.break_even)))
    told.append(Explained("scale", tuple(f"{each.factor:g}x: {each.note}" for each in found.scale if each.note)))
    told.append(Explained("savings", tuple(f"{each.name}: {each.sentence}" for each in found.savings)))
    told.append(Explained("notices", scene.whatif.notices if scene.whatif else ()))
    return [each for each in told if each.lines]


def _alternative(entry: Entry, found: WhatIf) -> Explained:
    at = entry.at
    formula = "the same tokens x this model's prices, a class at a time"
    if at.current:
        formula = "what it costs now"
    compared = f"{fmt.times(at.ratio)} what it costs now ({fmt.money(found.usd_per_hour)}/h)"
    price = f"price: {at.price_source or 'unknown'}" + (f", since {at.since}" if at.since else "")
    title = f"{at.provider} {at.model}   $/h  {fmt.money(at.usd_per_hour)}"
    return Explained(title, (f"= {formula}", compared, price, *at.notes))

"""The what-if page: one subject's traffic on top, the alternatives below, then break-even, growth and savings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infertop.views.shapes import Explained
from infertop.views.whatif_shapes import BreakEven, Saving, WhatIf
from tui import format as fmt
from tui.keys import footer, prompt
from tui.panels.panel import Panel
from tui.panels.whatif import ALTERNATIVES, Entry, subject
from tui.panels.whatif_blocks import BREAK_EVEN, SAVINGS, growth
from tui.panels.whatif_head import subject_name, whatif_head
from tui.scene import Scene, named
from tui.screens.page import Box, Picture
from tui.screens.space import Want, reserved, share
from tui.screens.stack import GUTTER, Band, stack
from tui.sentences import sentence
from tui.themes import PLAIN, WARN
from tui.widgets.cells import MARGIN, Line, Row, blank, cells, cut_words, paste
from tui.widgets.prose import paragraph

NAME = "whatif"
_TALL = 30
_PAIR = 116
_TABLE_STEPS = (5, 8, 14)
_LEAST_BREAK_EVEN, _LEAST_SAVINGS = 4, 3


def draw(scene: Scene, width: int, height: int) -> Picture:
    """Return the page: head, notices, the table and the blocks, the footer."""
    fixed = reserved(height, 0)
    rows = whatif_head(scene, width, fixed["head"])
    notices = scene.whatif.notices if scene.whatif else ()
    for notice in notices[: 1 if height >= 8 else 0]:
        said, roomy = f"! {sentence(notice)}", height >= _TALL or subject(scene) is None
        rows += paragraph(said, width, WARN) if roomy else [_one_line(said, width)]
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


def _one_line(said: str, width: int) -> Row:
    line = Line(width)
    line.put(MARGIN, cut_words(cells(said), width - 2 * MARGIN), WARN)
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
    """Return the boxes: below each other with their sentences, growth beside savings on wide and low screens."""
    full = ALTERNATIVES.rows(scene)
    below: list[list[tuple[Panel, int]]] = [[(BREAK_EVEN, width)]]
    if height >= _TALL or width < _PAIR:
        below += [[(growth(scene), width)], [(SAVINGS, width)]]
    else:
        below += [_pair(scene, width)]
    needs = [max((panel.rows(scene) for panel, _ in band), default=0) for band in below]
    least = (_LEAST_BREAK_EVEN, needs[1], _LEAST_SAVINGS)
    wants = [Want(NAME, tuple(min(step, full) for step in (*_TABLE_STEPS, full)))]
    wants += [
        Want(str(n), (min(first, need), need))
        for n, (first, need) in enumerate(zip(least, needs, strict=False))
        if need
    ]
    given = share(height, wants)
    bands: list[Band] = [(given[NAME], [(ALTERNATIVES, width)])]
    bands += [(given.get(str(n), 0), band) for n, band in enumerate(below)]
    return stack(bands, height)


def _pair(scene: Scene, width: int) -> list[tuple[Panel, int]]:
    shown: list[Panel] = [panel for panel in (growth(scene), SAVINGS) if panel.rows(scene)]
    first = (width - GUTTER) // 2
    return [(shown[0], first), (shown[1], width - GUTTER - first)] if len(shown) == 2 else [(p, width) for p in shown]


def _foot(scene: Scene, width: int) -> Row:
    choices, found = scene.choices, subject(scene)
    if choices.typing:
        return prompt(choices.filter, len(ALTERNATIVES.items(scene)), len(found.alternatives) if found else 0, width)
    message = choices.message or (f"/{choices.filter}" if choices.filter else "")
    return footer(NAME, width, message, ascii=scene.look.ascii, mode=scene.view.mode)


def explained(scene: Scene, entry: Entry | None) -> list[Explained]:
    """Return how the figures were come by: the alternative under the cursor, the blocks in full, then the traffic."""
    found = subject(scene)
    notices = scene.whatif.notices if scene.whatif else ()
    if found is None:
        return [_told("what-if", (waiting(scene), *notices))]
    told = [_alternative(entry, found)] if entry else []
    told.append(_told("notices", notices))
    told.append(_told("own GPUs are cheaper", map(_compared, found.break_even)))
    told.append(_told("growth", _growth(found)))
    told.append(_told("savings an hour", (_saving(each) for each in found.savings)))
    if found.capacity_method:
        can = f"{fmt.count(found.capacity_tokens_per_second)} tokens/s"
        told.append(_told("what one GPU can serve", (can, found.capacity_method)))
    told.append(_told(f"{subject_name(found)} now", (*found.explained, *_more(found))))
    return [each for each in told if each.lines]


def _told(title: str, sentences: Iterable[str]) -> Explained:
    return Explained(title, tuple(map(sentence, sentences)))


def _compared(each: BreakEven) -> str:
    return f"than {each.against}: {each.sentence.removeprefix('cheaper ')}"


def _growth(found: WhatIf) -> Iterator[str]:
    if found.scale and found.scale[0].api_model:
        one = found.scale[0]
        yield "shadow: the price that you set for it, which is no cost" if one.shadow else f"the API: {one.api_model}"
    yield from (f"{each.factor:g}x: {each.note}" for each in found.scale if each.note)


def _saving(each: Saving) -> str:
    return f"{each.name}: {fmt.money(each.usd_per_hour)}, {each.sentence}"


def _more(found: WhatIf) -> Iterator[str]:
    if found.more:
        yield f"{found.more:,} more models are listed: a shows those with a price, at one provider of those at the same"


def _alternative(entry: Entry, found: WhatIf) -> Explained:
    at = entry.at
    formula = "the same tokens x this model's prices, a class at a time"
    if at.current:
        formula = "what it costs now"
    compared = f"{fmt.times(at.ratio)} what it costs now ({fmt.money(found.usd_per_hour)}/h)"
    price = f"price: {at.price_source or 'unknown'}" + (f", since {at.since}" if at.since else "")
    title = f"{at.provider} {named(at.model)}   $/h  {fmt.money(at.usd_per_hour)}"
    return _told(title, (f"= {formula}", compared, price, *at.notes))

"""The line on what matters most now: the dearest open incident, else the newest warning, else the newest event."""

from __future__ import annotations

from infertop.views.shapes import Event
from tui import format as fmt
from tui.incidents import by_stakes, cause, said, signed, state_style
from tui.moments import clock
from tui.panels.events import sentence
from tui.scene import LEVELS, Scene
from tui.themes import BOLD, DIM, PLAIN
from tui.widgets.cells import MARGIN, Line, Row, blank, cells, cut_words
from tui.widgets.parts import Part, join, part

_LEAST_TEXT = 24
"""Cells."""


def newest_rows(scene: Scene) -> int:
    """Return how many rows it has to say: two on an incident whose cause is known."""
    matters = next(iter(by_stakes(scene.view.events)), None)
    return 2 if matters is not None and matters.cause else 1


def newest(scene: Scene, width: int, height: int = 1) -> list[Row]:
    """Return `height` rows on what matters most now; blank where nothing has happened."""
    found = by_stakes(scene.view.events)
    rows = _incident(found, scene, width, height) if found else [_event(scene, width)]
    return (rows + [blank(width)] * height)[:height]


def _event(scene: Scene, width: int) -> Row:
    """Return the newest warning that lasts, else the newest event."""
    line = Line(width)
    listed = sorted(scene.view.events, key=lambda event: -event.ts)
    if not listed:
        return line.row()
    nagging = (event for event in listed if event.until is None and event.level != "info" and not event.state)
    event = next(nagging, listed[0])
    mark, style = LEVELS.get(event.level, LEVELS["info"])
    x = line.put(MARGIN, f"{mark} {clock(event.ts, scene.view.timezone)}", style) + 2
    line.put(x, cut_words(cells(sentence(event)), width - x - 1))
    return line.row()


def _incident(found: list[Event], scene: Scene, width: int, height: int) -> list[Row]:
    """Return what is wrong, since when and what it costs; why on a line of its own where there is one."""
    event = found[0]
    line = Line(width)
    x = line.put(MARGIN, f"! {scene.when(event.ts)}", state_style(event)) + 2
    text = said(event) if height > 1 else sentence(event)
    tail = _tail(event, len(found) - 1, width - x - 1 - max(_LEAST_TEXT, len(text)), width - x - 1 - _LEAST_TEXT)
    room = width - x - (sum(each.width + 2 for each in tail) + 1)
    line.put(x, cut_words(cells(text), room), BOLD)
    at = width - 1 - sum(each.width for each in tail) - 2 * max(0, len(tail) - 1)
    for each in tail:
        for text, style in each.inks:
            at = line.put(at, text, style)
        at += 2
    return [line.row(), _why(event, x, width)] if height > 1 else [line.row()]


def _tail(event: Event, more: int, room: int, most: int) -> list[Part]:
    """Return what it costs and how many more are open: what fits, dollars an hour even beside less text."""
    per_hour, so_far = event.excess_usd_per_hour, event.excess_usd
    parts = []
    if fmt.known(per_hour):
        parts.append(join([part(signed(per_hour), BOLD), part(" $/h", DIM)], 1))
    if fmt.known(so_far):
        parts.append(join([part(signed(so_far)), part(" $ so far", DIM)], 2))
    if more:
        parts.append(part(f"(+{more}, see 6)", DIM, 0))
    while parts:
        last = max(parts, key=lambda each: each.rank)
        if sum(each.width + 2 for each in parts) <= (room if last.rank > 1 else most):
            break
        parts.remove(last)
    return parts


def _why(event: Event, x: int, width: int) -> Row:
    """Return why, under the text where there is room for all of it."""
    line, why = Line(width), cells(cause(event, width - MARGIN - 3))
    x = x if len(why) < width - x else MARGIN + 2
    line.put(x, cut_words(why, width - x - 1), PLAIN)
    return line.row()

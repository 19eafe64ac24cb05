"""The page of two windows that are compared: which they are, what changed between them, and why."""

from __future__ import annotations

from infertop.views.event_shapes import Comparison
from tui.keys import footer
from tui.panels.course import course_height, course_rows
from tui.panels.headline import title_line
from tui.scene import Scene, short_source
from tui.screens.page import Picture
from tui.screens.why import framed, sentence_rows, windows_rows
from tui.themes import BOLD, DIM
from tui.widgets.cells import Row, blank, cells, cut
from tui.widgets.parts import join, one_line, part

NAME = "compare"
_OTHER_CELLS = 32
_NOTHING = "nothing that changed: neither window has anything with a price"


def draw(scene: Scene, width: int, height: int) -> Picture:
    """Draw which windows are compared of what, the change, why, and the footer."""
    choices, made = scene.choices, scene.comparison
    scope = [f"{name} {short_source(value)}" for name, value in choices.compared] or ["everything"]
    head = [title_line(scene, width, (NAME, *scope))]
    if height >= 8:
        head.append(_chosen(scene, width))
        head += windows_rows(made or _unmade(scene), scene, width, choices.windows.side)
        windows = choices.windows.at(scene.view.at, scene.view.timezone)
        head += course_rows(scene, width, course_height(height), windows, choices.windows.side)
    if made is not None and height >= 12:
        head.append(blank(width))
        head += sentence_rows(made, width)[: max(1, height // 8)]
    mode = scene.view.mode
    foot = footer(NAME, width, choices.message, ascii=scene.look.ascii, mode=mode) if height >= 5 else None
    shown = scene if made is None or made.effects or made.changes or made.flags else None
    return framed(shown or _without(scene), width, height, head, foot, _NOTHING if shown is None else "comparing ...")


def _without(scene: Scene) -> Scene:
    """Return the scene without a comparison that has nothing to show."""
    from dataclasses import replace

    return replace(scene, comparison=None)


def _unmade(scene: Scene) -> Comparison:
    before, after = scene.choices.windows.at(scene.view.at, scene.view.timezone)
    return Comparison(dict(scene.choices.compared), before, after, None, None)


def _chosen(scene: Scene, width: int) -> Row:
    """Return what is compared with what in words, and of what else the key g would."""
    choices, right = scene.choices, []
    if choices.beside:
        other = "of everything" if choices.compared else f"of {choices.beside[0][1]} alone"
        right.append(join([part("g ", BOLD), part(cut(cells(other), _OTHER_CELLS), DIM)], 1))
    return one_line(width, [part(choices.windows.words, BOLD)], right)

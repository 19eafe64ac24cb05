"""The page of one incident, which Enter opens: what is wrong, what it came to, and why."""

from __future__ import annotations

from infertop.views.shapes import Event
from tui import format as fmt
from tui.incidents import figure, lasting, metric_name, said, signed, state_style, subject
from tui.keys import footer
from tui.panels.course import course_height, course_rows
from tui.panels.events import state_words
from tui.panels.headline import title_line
from tui.scene import Scene
from tui.screens.page import Picture
from tui.screens.why import framed, sentence_rows, windows_rows
from tui.sentences import sentence
from tui.themes import BOLD, DIM, PLAIN
from tui.widgets.cells import Row, blank, cells
from tui.widgets.parts import Part, join, one_line, part
from tui.widgets.prose import paragraph
from tui.windows import BOTH

NAME = "incident"
_LEAST_FOR_COURSE = 28
_NO_CAUSE = "what changed is not worked out yet, or cannot be: c compares two windows"


def draw(event: Event, scene: Scene, width: int, height: int) -> Picture:
    """Draw what is wrong, the figures, why, and the footer."""
    head = [title_line(scene, width, ("events", subject(event)))]
    if height >= 8:
        head += paragraph(said(event), width, BOLD)[: max(1, height // 8)]
        head += [_figures(event, scene, width), _money(event, width)]
    made = scene.comparison
    if made is not None and height >= 12:
        head.append(blank(width))
        head += sentence_rows(made, width)[: max(1, height // 8)]
        head += windows_rows(made, scene, width)
        if height >= _LEAST_FOR_COURSE:
            head += course_rows(scene, width, course_height(height), (made.before, made.after), BOTH)
    elif event.cause and height >= 12:
        head += paragraph(sentence(event.cause), width)[: height // 4]
    mode = scene.view.mode
    foot = footer(NAME, width, scene.choices.message, ascii=scene.look.ascii, mode=mode) if height >= 5 else None
    return framed(scene, width, height, head, foot, _NO_CAUSE)


def _figures(event: Event, scene: Scene, width: int) -> Row:
    """Return the state, since when, and the figure beside what was expected."""
    state = part(cells(state_words(event, 20)), state_style(event))
    if event.until is None:
        span = f"since {scene.when(event.ts)}, {fmt.span(max(0.0, scene.view.at - event.ts))}"
    else:
        span = f"{scene.when(event.ts)} to {scene.when(event.until)}, {fmt.span(event.until - event.ts)}"
    parts = [state, part(span, PLAIN, 1)]
    if event.value is not None:
        now = part(figure(event.metric, event.value), BOLD)
        beside = part(f", expected {figure(event.metric, event.expected)}", DIM)
        parts.append(join([part(f"{cells(metric_name(event.metric))} ", DIM), now, beside], 2))
    return one_line(width, parts)


def _money(event: Event, width: int) -> Row:
    """Return what it came to, on what past the expected stands, and what it is of."""
    ending = "so far" if lasting(event) else "in all"
    parts: list[Part] = [join([part(signed(event.excess_usd), BOLD), part(f" $ {ending}", DIM)])]
    if fmt.known(event.excess_usd_per_hour) and lasting(event):
        parts.append(join([part(signed(event.excess_usd_per_hour), BOLD), part(" $/h now", DIM)], 1))
    scope = ", ".join(f"{name} {value}" for name, value in event.scope.items())
    parts.append(join([part("of ", DIM), part(cells(scope or "everything")[:60])], 3))
    if fmt.known(event.history_seconds):
        parts.append(join([part("stands on ", DIM), part(f"{fmt.span(event.history_seconds)} of history")], 2))
    return one_line(width, parts)

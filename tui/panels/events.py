"""Events: what happened and why, newest first; on the overview the newest alone."""

from __future__ import annotations

from infertop.views.shapes import Event
from tui.format import money
from tui.moments import clock
from tui.panels.panel import TablePanel
from tui.scene import LEVELS, Scene
from tui.themes import DIM, PLAIN
from tui.widgets.cells import MARGIN, Line, Row, cells, cut_words
from tui.widgets.table import Cell, Column


def _time(event: Event, scene: Scene, width: int) -> Cell:
    mark, style = LEVELS.get(event.level, LEVELS["info"])
    return f"{mark} {scene.when(event.ts)}", style


def sentence(event: Event) -> str:
    """Return what happened, and why where that is known."""
    return f"{event.text}: {event.cause}" if event.cause and event.cause not in event.text else event.text


def events(scene: Scene) -> list[Event]:
    """Return all events, newest first."""
    return sorted(scene.view.events, key=lambda event: -event.ts)


def _length(event: Event, scene: Scene, width: int) -> Cell:
    lasts = "-" if event.level == "info" else "lasts"
    return (lasts if event.until is None else scene.when(event.until)), DIM


COLUMNS: tuple[Column[Event], ...] = (
    Column("event", "EVENT", 14, _time, left=True),
    Column("kind", "KIND", 10, lambda e, s, w: (e.kind, DIM), rank=3, left=True, gap=1),
    Column("until", "UNTIL", 10, _length, rank=4, left=True, gap=1),
    Column("text", "WHAT AND WHY", 5, lambda e, s, w: (sentence(e), PLAIN), left=True, grow=400),
)


def _detail(event: Event, scene: Scene) -> list[tuple[str, str]]:
    until = "it lasts" if event.until is None else f"until {scene.when(event.until)}"
    return [
        ("when", f"{scene.when(event.ts)}, {until}" if event.level != "info" else scene.when(event.ts)),
        ("what", event.text),
        ("why", event.cause),
        ("figure", _figures(event)),
        ("of", ", ".join(f"{name} {value}" for name, value in event.scope.items())),
    ]


def _figures(event: Event) -> str:
    """Return the value that was out of the ordinary, beside what was expected."""
    if event.value is None:
        return event.metric
    return f"{event.metric} {money(event.value)}, expected {money(event.expected)}"


EVENTS: TablePanel[Event] = TablePanel(
    name="events",
    title="EVENT",
    columns=COLUMNS,
    items=events,
    key=lambda event: f"{event.ts} {event.kind} {event.text}",
    label=lambda event: event.kind,
    detail=_detail,
    empty=lambda scene: "nothing has happened yet",
)


def newest(scene: Scene, width: int) -> Row:
    """Return one line on what matters most now: the newest warning that lasts, else the newest event, else nothing."""
    line = Line(width)
    listed = events(scene)
    if not listed:
        return line.row()
    event = next((e for e in listed if e.until is None and e.level != "info"), listed[0])
    mark, style = LEVELS.get(event.level, LEVELS["info"])
    x = line.put(MARGIN, f"{mark} {clock(event.ts, scene.view.timezone)}", style) + 2
    line.put(x, cut_words(cells(sentence(event)), width - x - 1))
    return line.row()

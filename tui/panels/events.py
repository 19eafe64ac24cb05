"""Events: what happened, why and what it came to; open incidents on top, then the newest first."""

from __future__ import annotations

from infertop.views.shapes import Event
from tui import format as fmt
from tui.incidents import (
    INCIDENT,
    STATES,
    by_stakes,
    cause,
    figure,
    lasting,
    metric_name,
    opened,
    said,
    signed,
    state_style,
    subject,
)
from tui.keys import REPLAY
from tui.panels.panel import TablePanel
from tui.scene import LEVELS, Scene
from tui.sentences import sentence as as_shown
from tui.themes import DIM, PLAIN
from tui.widgets.table import Cell, Column

NAME = "events"


def event_key(event: Event) -> str:
    """Return what tells an event from every other, also while what is said of it changes."""
    return event.key or f"{event.ts} {event.kind} {event.text}"


def sentence(event: Event) -> str:
    """Return what happened, and why where that is known."""
    if event.kind == INCIDENT:
        return f"{said(event)}: {cause(event)}" if event.cause else said(event)
    told = f"{event.text}: {event.cause}" if event.cause and event.cause not in event.text else event.text
    return as_shown(told)


def events(scene: Scene) -> list[Event]:
    """Return the events that the filter of their page lets through: open incidents by what they cost, then the newest.

    On other pages, whose filter means something else, they are all there.
    """
    listed = scene.view.events
    if scene.choices.scope == NAME and scene.choices.filter:
        matches = scene.choices.matches
        listed = tuple(e for e in listed if matches(e.text, e.cause, e.kind, e.state, *e.scope, *e.scope.values()))
    first = by_stakes(listed)
    rest = (event for event in listed if not opened(event))
    return first + sorted(rest, key=lambda event: -event.ts)


def _time(event: Event, scene: Scene, width: int) -> Cell:
    mark, style = LEVELS.get(event.level, LEVELS["info"])
    if event.kind == INCIDENT:
        mark, style = ("!" if opened(event) else " "), state_style(event)
    return f"{mark} {scene.when(event.ts)}", style


def state_words(event: Event, width: int) -> str:
    """Return an incident's state as a word that `width` cells hold; of anything else its kind."""
    if event.kind != INCIDENT:
        return event.kind
    glyph, word, short = STATES.get(event.state, ("?", event.state, event.state))
    full = f"{glyph} {word}"
    return full if len(full) <= width else f"{glyph} {short}"


def _state(event: Event, scene: Scene, width: int) -> Cell:
    return state_words(event, width), state_style(event) if event.kind == INCIDENT else DIM


def _lasted(event: Event, scene: Scene, width: int) -> Cell:
    if event.until is None:
        return ("-" if event.level == "info" else fmt.span(max(0.0, scene.view.at - event.ts))), DIM
    return (fmt.span(event.until - event.ts) if event.until > event.ts else "-"), DIM


def _excess(event: Event, scene: Scene, width: int) -> Cell:
    if event.kind != INCIDENT:
        return "", DIM
    return signed(event.excess_usd), state_style(event)


def _text(event: Event, scene: Scene, width: int) -> Cell:
    return sentence(event), DIM if event.kind == INCIDENT and not lasting(event) else PLAIN


COLUMNS: tuple[Column[Event], ...] = (
    Column("event", "EVENT", 12, _time, left=True),
    Column("state", "STATE", 9, _state, rank=2, left=True, grow=5),
    Column("lasted", "LASTED", 7, _lasted, rank=3),
    Column("excess_usd", "$ SO FAR", 8, _excess, rank=1),
    Column("text", "WHAT AND WHY", 44, _text, left=True, grow=400, gap=2),
)


def _figures(event: Event) -> str:
    """Return the value that was out of the ordinary, beside what was expected."""
    name = metric_name(event.metric)
    if event.value is None:
        return name
    return f"{name} {figure(event.metric, event.value)}, expected {figure(event.metric, event.expected)}"


def _when(event: Event, scene: Scene) -> str:
    began = scene.when(event.ts)
    if event.until is None:
        since = fmt.span(max(0.0, scene.view.at - event.ts))
        return began if event.level == "info" and event.kind != INCIDENT else f"{began}, for {since} so far"
    return f"{began} to {scene.when(event.until)}" if event.until > event.ts else began


def _told_excess(event: Event) -> str:
    """Return what an incident came to, and what it adds an hour while it lasts."""
    so_far = f"{signed(event.excess_usd)} $ so far" if lasting(event) else f"{signed(event.excess_usd)} $ in all"
    adds = fmt.known(event.excess_usd_per_hour) and lasting(event)
    return f"{so_far}, {signed(event.excess_usd_per_hour)} $/h now" if adds else so_far


def _handled(event: Event, scene: Scene) -> str:
    """Return an incident's state, and the keys that change it, where that is to be changed."""
    _, word, _ = STATES.get(event.state, ("", event.state, ""))
    keys = {
        "acknowledged": "a opens it again, P says that it was planned",
        "planned": "P opens it again, a acknowledges it instead",
    }
    may = lasting(event) and scene.view.mode != REPLAY
    how = keys.get(event.state, "a acknowledges it, P says that it was planned") if may else ""
    return f"{word}: {how}" if how else word


def facts(event: Event, scene: Scene) -> list[tuple[str, str]]:
    """Return all that is known of an event, as (label, text)."""
    incident = event.kind == INCIDENT
    past = fmt.span(event.history_seconds)
    rows = [
        ("when", _when(event, scene)),
        ("what", said(event) if incident else as_shown(event.text)),
        ("why", as_shown(event.cause)),
        ("excess", _told_excess(event) if incident else ""),
        ("figure", _figures(event)),
        ("stands on", f"{past} of history" if fmt.known(event.history_seconds) else ""),
        ("state", _handled(event, scene) if incident else ""),
        ("of", ", ".join(f"{name} {value}" for name, value in event.scope.items())),
    ]
    kept = ("when", "what", "why")
    return [(label, text) for label, text in rows if text or label in kept]


EVENTS: TablePanel[Event] = TablePanel(
    name=NAME,
    title="EVENT",
    columns=COLUMNS,
    items=events,
    key=event_key,
    label=lambda event: subject(event) if event.kind == INCIDENT else event.kind,
    detail=facts,
    empty=lambda scene: "no event matches the filter" if scene.choices.filter else "nothing has happened yet",
)

"""Sources: what is read, how old it is, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable

from infertop.views.shapes import Event, Overview, SourceRow
from tui import format as fmt
from tui.panels.panel import TablePanel
from tui.scene import STATES, Scene, plain_or, short_source
from tui.themes import DIM, PLAIN, WARN
from tui.widgets.table import Cell, Column

_MOST_EVENTS = 3


def glyph(state: str) -> Cell:
    """Return the mark of a source's state and its style."""
    return STATES.get(state, ("?", WARN))


def _state(source: SourceRow, scene: Scene, width: int) -> Cell:
    mark, style = glyph(source.state)
    return f"{mark} {source.state}", style


def _failures(source: SourceRow, scene: Scene, width: int) -> Cell:
    return fmt.count(source.failures), plain_or(source.failures > 0 and source.state != "up", WARN)


def _rejected(source: SourceRow, scene: Scene, width: int) -> Cell:
    return fmt.count(source.rejected), plain_or(source.rejected > 0, WARN)


def _told(source: SourceRow, scene: Scene, width: int) -> Cell:
    return (reason(source), WARN) if source.detail else (source.note, DIM)


_STANDING = {state: rank for rank, state in enumerate(("auth", "down", "stale", "starting", "up", "absent"))}


def in_order(sources: Iterable[SourceRow]) -> tuple[SourceRow, ...]:
    """Return the sources that need somebody first, the others as they come."""
    return tuple(sorted(sources, key=lambda source: _STANDING.get(source.state, 0)))


def reason(source: SourceRow) -> str:
    """Return what is wrong without the address before it: the name of the source stands in the same row."""
    where, _, rest = source.detail.partition(" ")
    return rest if source.address and where.rstrip(":").startswith(source.address) else source.detail


COLUMNS: tuple[Column[SourceRow], ...] = (
    Column("source", "SOURCE", 14, lambda s, c, w: (short_source(s.name), PLAIN), left=True, grow=20),
    Column("state", "STATE", 10, _state, left=True, gap=2),
    Column("age_seconds", "age", 7, lambda s, c, w: (fmt.span(s.age_seconds), PLAIN), rank=1),
    Column("interval_seconds", "every", 7, lambda s, c, w: (fmt.span(s.interval_seconds), DIM), rank=5),
    Column("poll_seconds", "poll ms", 7, lambda s, c, w: (fmt.millis(s.poll_seconds), PLAIN), rank=3),
    Column("failures", "failed", 6, _failures, rank=4),
    Column("rejected", "odd", 5, _rejected, rank=6),
    Column("address", "ADDRESS", 22, lambda s, c, w: (s.address or "-", DIM), rank=7, left=True, grow=20, gap=2),
    Column("detail", "WHAT TO DO", 14, _told, rank=2, left=True, grow=90, gap=2),
)


def own_cost(view: Overview) -> str:
    """Return what infertop itself takes of this machine, empty where that is not known."""
    ratio, size = view.self_cpu_ratio, view.self_memory_bytes
    parts = [f"{ratio * 100:.1f} % of a core"] if fmt.known(ratio) else []
    parts += [f"{fmt.count(size / 1e6)} MB"] if fmt.known(size) else []
    return ", ".join(parts)


def _happened(source: SourceRow, scene: Scene) -> list[tuple[str, Event]]:
    """Return the newest events of a source, the first one with a label."""
    found = sorted((e for e in scene.view.events if e.scope.get("source") == source.name), key=lambda e: -e.ts)
    return [("" if number else "happened", event) for number, event in enumerate(found[:_MOST_EVENTS])]


def _detail(source: SourceRow, scene: Scene) -> list[tuple[str, str]]:
    took = f", the last one took {fmt.millis(source.poll_seconds)} ms" if fmt.known(source.poll_seconds) else ""
    polls = f"every {fmt.span(source.interval_seconds)}{took}"
    lines = [
        ("source", source.name),
        ("kind", source.kind),
        ("address", source.address),
        (
            "state",
            f"{source.state}, {fmt.span(source.age_seconds)} old" if source.age_seconds is not None else source.state,
        ),
        ("polls", polls),
        ("failed", f"{source.failures} polls"),
        ("odd", f"{source.rejected} lines or fields of the last poll could not be read"),
        ("counts", source.note or ("part of totals" if source.counts else "part of no total")),
    ]
    lines += [(label, f"{scene.when(event.ts)}  {event.text}") for label, event in _happened(source, scene)]
    if own := own_cost(scene.view):
        lines.append(("infertop itself", own))
    return [("what to do", source.detail), *lines] if source.detail else lines


SOURCES: TablePanel[SourceRow] = TablePanel(
    name="sources",
    title="SOURCE",
    columns=COLUMNS,
    items=lambda scene: in_order(scene.view.sources),
    key=lambda source: source.name,
    label=lambda source: short_source(source.name),
    fresh=lambda source: source.state not in ("stale", "absent"),
    empty=lambda scene: "nothing is read yet",
    detail=_detail,
)

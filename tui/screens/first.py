"""The first start: what was looked for, what came of it, and what to do next."""

from __future__ import annotations

from infertop.views.shapes import Overview
from tui.incidents import by_stakes
from tui.scene import Scene
from tui.screens.page import TextPage
from tui.themes import ACCENT, BOLD, DIM, OK, PLAIN
from tui.widgets.cells import Line, Row, blank, fit
from tui.widgets.prose import wrapped

_NAME_CELLS = 12
_MOST_NAMES = 4
_LISTS = frozenset({"agents", "providers"})  # what was looked for under many names
_NEXT = (
    ("Point it at something:", "infertop --source vllm=http://HOST:8000"),
    ("See what it can read:", "infertop check --kinds"),
    ("Say what things cost:", "pricing.toml, here or in your configuration folder"),
    ("Or look around first:", "press d for the demo on recorded real traffic"),
    ("Ask what is wrong:", "infertop check"),
)
_LABEL_CELLS = 25
_DEMO = (
    "DEMO: a recording of real traffic, played on a machine that is made up ...",
    "Requests and tokens are as they were recorded. GPUs, what they cost and latencies are made up. Nothing of this"
    " machine is read, and nothing is kept.",
)


def nothing_found(view: Overview) -> bool:
    """Return whether there is nothing to show: no model, no GPU, and no source but the machine itself."""
    meters = [source for source in view.sources if source.kind != "host" and source.state != "absent"]
    shown = view.models or view.gpus or meters or view.budgets or by_stakes(view.events)
    return view.mode != "replay" and not shown


def _lines(scene: Scene, width: int) -> list[Row]:
    if scene.view.mode == "demo":
        return [blank(width), *(_text(width, 1, part, DIM) for text in _DEMO for part in wrapped(text, width - 2))]
    rows = [blank(width)]
    if scene.view.searched:
        rows += [_text(width, 1, "infertop looked for:", BOLD), blank(width)]
    else:
        rows.append(_text(width, 1, "looking for GPUs, engines and provider keys ...", DIM))
    for each in scene.view.searched:
        where = _some(each.where) if each.what in _LISTS else each.where
        rows += _searched(each.what, f"{where}: {each.found}" if where else each.found, width)
    rows.append(blank(width))
    mark = "|" if scene.look.ascii else "▌"
    for number, (label, text) in enumerate(_NEXT):
        rows += _next(label, text, width, mark if number == scene.choices.first else "")
    return rows


def _some(where: str) -> str:
    """Return the first of a long list of names, and how many more there are."""
    names = where.split()
    if len(names) <= _MOST_NAMES:
        return where
    return f"{' '.join(names[:_MOST_NAMES]).rstrip(',')} and {len(names) - _MOST_NAMES} more"


def _text(width: int, x: int, text: str, style: str) -> Row:
    line = Line(width)
    line.put(x, text, style)
    return line.row()


def _searched(what: str, text: str, width: int) -> list[Row]:
    rows = []
    for number, part in enumerate(wrapped(text, width - _NAME_CELLS - 4)):
        line = Line(width)
        line.put(3, fit(what, _NAME_CELLS - 1) if number == 0 else "", BOLD)
        line.put(3 + _NAME_CELLS, part, PLAIN)
        rows.append(line.row())
    return rows


def _next(label: str, text: str, width: int, mark: str) -> list[Row]:
    """Return a label with what to type beside it, or below it where the screen is narrow; `mark` is the cursor."""
    if width >= _LABEL_CELLS + len(text) + 2:
        line = Line(width)
        line.put(0, mark, ACCENT)
        line.put(1, label, DIM)
        line.put(1 + _LABEL_CELLS, text, OK if "infertop" in text else PLAIN)
        return [line.row()]
    rows = [_text(width, 1, label, DIM)] if label else []
    return rows + [_text(width, 3, part, PLAIN) for part in wrapped(text, width - 4)]


def advice(number: int) -> str:
    """Return what to do with the line of advice under the cursor."""
    _, text = _NEXT[number]
    return "leave with q and type it" if text.startswith("infertop") else "leave with q, or press d for the demo"


def moved(number: int, step: int) -> int:
    """Return the line of advice `step` lines on, round and round."""
    return (number + step) % len(_NEXT)


def first_page() -> TextPage:
    """Return the page of the first start."""
    return TextPage("first", (), _lines)

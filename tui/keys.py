"""Every key: what it does, where it is shown, and in which order the footer gives way."""

from __future__ import annotations

from dataclasses import dataclass

from tui.themes import BOLD, DIM
from tui.widgets.cells import Row
from tui.widgets.parts import Part, join, one_line, part


@dataclass(frozen=True, slots=True)
class Key:
    """A key or several (Textual's names, commas between), the board's action, and how it is spoken of.

    `shown` is the key as printed, `word` what the footer says, `help` what the page of help says (empty: another key's
    line does), `rank` when the footer drops it (None: never shown there), `pages` where the footer shows it (empty:
    everywhere). What is `live` is nothing to do with a recording.
    """

    keys: str
    action: str
    shown: str
    word: str
    help: str
    rank: int | None = None
    pages: tuple[str, ...] = ()
    live: bool = False


LISTS = ("overview", "models", "gpus", "budgets", "sources", "events", "runs", "providers")
GROUPED = ("overview", "models", "providers")
FILTERED = (*LISTS, "whatif")
FIGURES = (*LISTS, "model", "whatif")
INCIDENTS, COMPARED = ("events", "incident"), ("compare",)
REPLAY = "replay"  # shown on every page while a recording is
OPENED = ("model", "explain", "whatif", "runs", "providers", "incident", "compare")
KEYS: tuple[Key, ...] = (
    Key("enter", "do('open')", "⏎", "open", "open the row under the cursor", 3, (*LISTS, "incident", "compare")),
    Key("escape,backspace", "do('back')", "esc", "back", "go back; leave a filter", 1, OPENED),
    Key("slash", "do('filter')", "/", "filter", "show only models and GPUs that contain what you type", 4, FILTERED),
    Key(
        "left,h",
        "do('subject', -1)",
        "← →",
        "model",
        "what-if: the traffic of the model before, of the next",
        3,
        ("whatif",),
    ),
    Key("right,l", "do('subject', 1)", "→", "", ""),
    Key("a", "do('every')", "a", "all", "what-if: list all models, or the well-known ones again", 3, ("whatif",)),
    Key(
        "a",
        "do('acknowledge')",
        "a",
        "ack",
        "events: acknowledge the incident, or open it again",
        3,
        INCIDENTS,
        live=True,
    ),
    Key(
        "P",
        "do('planned')",
        "P",
        "planned",
        "events: call the incident planned, or open it again",
        4,
        INCIDENTS,
        live=True,
    ),
    Key("left,h", "do('shift', -1)", "← →", "move", "compare: move the windows by a quarter", 3, COMPARED),
    Key("right,l", "do('shift', 1)", "→", "", "", None, COMPARED),
    Key("plus,equals_sign", "do('widen', 1)", "+ -", "width", "compare: make the windows wider, narrower", 5, COMPARED),
    Key("minus", "do('widen', -1)", "-", "", "", None, COMPARED),
    Key("tab", "do('side', 1)", "tab", "which", "compare: move both windows, the earlier, the later", 6, COMPARED),
    Key("shift+tab", "do('side', -1)", "⇧tab", "", "", None, COMPARED),
    Key("t", "do('preset')", "t", "windows", "compare: hour by hour, day or week; today; this week", 3, COMPARED),
    Key("g", "do('whose')", "g", "scope", "compare: everything, or what the cursor was on", 4, COMPARED),
    Key("n", "do('now')", "n", "now", "what-if: go to the row of what it costs now", 8, ("whatif",)),
    Key("w", "do('whatif')", "w", "what-if", "what the traffic would cost on other models and GPUs", 7, FIGURES[:-1]),
    Key("r", "do('runs')", "r", "runs", "what each session of an agent took and cost", 9, LISTS[:-2]),
    Key("c", "do('compare')", "c", "compare", "what changed between two windows, and why", 8, (*FIGURES, "incident")),
    Key(
        "p",
        "do('accounts')",
        "p",
        "providers",
        "what providers' accounts cost, by whom, and bills",
        9,
        LISTS[:-1],
    ),
    Key("s", "do('sort')", "s", "sort", "sort the table under the cursor by its next column", 7, FILTERED),
    Key(
        "g",
        "do('group')",
        "g",
        "group",
        "group models by source or kind; divide providers",
        9,
        GROUPED,
    ),
    Key("t", "do('window')", "t", "window", "average over 1, 5, 15 min; what-if, runs: look back", 6, FIGURES),
    Key("space", "do('pause')", "␣", "pause", "freeze the picture; collecting goes on", 8, FIGURES),
    Key("question_mark", "do('explain')", "?", "explain", "how the figures of this row were come by, and all keys", 2),
    Key(
        "tab", "do('panel', 1)", "tab", "panel", "go to the next table; with shift to the one before", 10, ("overview",)
    ),
    Key("shift+tab", "do('panel', -1)", "⇧tab", "", ""),
    Key("down,j", "do('move', 1)", "↓ ↑ j k", "", "next row, row before"),
    Key("up,k", "do('move', -1)", "↑ k", "", ""),
    Key("pagedown,ctrl+f", "do('move', 10)", "PgDn PgUp", "", "ten rows or a page of text on, and back"),
    Key("pageup,ctrl+b", "do('move', -10)", "PgUp", "", ""),
    Key("home", "do('move', -100000)", "Home End", "", "first row, last row"),
    Key("end,G", "do('move', 100000)", "End", "", ""),
    Key(
        "1",
        "do('view_page', 1)",
        "1-9",
        "",
        "overview, models, GPUs, budgets, sources, events, what-if, runs, providers",
    ),
    Key("2", "do('view_page', 2)", "2", "", ""),
    Key("3", "do('view_page', 3)", "3", "", ""),
    Key("4", "do('view_page', 4)", "4", "", ""),
    Key("5", "do('view_page', 5)", "5", "", ""),
    Key("6", "do('view_page', 6)", "6", "", ""),
    Key("7", "do('view_page', 7)", "7", "", ""),
    Key("8", "do('view_page', 8)", "8", "", ""),
    Key("9", "do('view_page', 9)", "9", "", ""),
    Key("plus,equals_sign", "do('interval', 1)", "+ -", "", "poll less often, more often; replay: faster, slower"),
    Key("minus", "do('interval', -1)", "-", "", ""),
    Key(
        "right_square_bracket",
        "do('hour', 1)",
        "[ ]",
        "hour",
        "replay: an hour back, on; ← → a minute; ␣ stops time",
        2,
        (REPLAY,),
    ),
    Key("left_square_bracket", "do('hour', -1)", "[", "", ""),
    Key("y", "copy", "y", "", "copy the row to your terminal's clipboard (OSC 52)"),
    Key("ctrl+l", "redraw", "ctrl+l", "", "draw the whole screen anew"),
    Key("ctrl+z", "suspend", "ctrl+z", "", "stop and go back to the shell; fg goes on"),
    Key("d", "demo", "d", "demo", "the demo on recorded traffic", 1, ("first",)),
    Key("q,ctrl+c,ctrl+q", "leave", "q", "quit", "quit", 0),
)
_NAMES = {"⏎": "enter", "␣": "space", "⇧": "shift+", "↓": "down", "↑": "up", "←": "left", "→": "right"}
_VIEWS = Part((("1-9", BOLD), (" views", DIM)), 5)


def printed(key: Key, ascii: bool) -> str:
    """Return how a key is printed, by name where its sign is not in ASCII."""
    text = key.shown
    if ascii:
        for sign, name in _NAMES.items():
            text = text.replace(sign, name)
    return text


def action(key: str, page: str) -> str | None:
    """Return what a key (Textual's name) does on a page: a key of that page goes before one of all pages."""
    keys = [each for each in KEYS if key in each.keys.split(",")]
    return next((each.action for each in (*(k for k in keys if page in k.pages), *keys)), None)


def footer(page: str, width: int, message: str = "", *, ascii: bool = False, mode: str = "") -> Row:
    """Return the keys of a page, the most useful ones that fit; an answer to the last key stands at the right."""
    here = {page, mode}
    able = [key for key in KEYS if key.rank is not None and not (key.live and mode == REPLAY)]
    parts = [_part(key, ascii) for key in able if not key.pages or here & {*key.pages}]
    if page in FILTERED:
        parts.insert(-1, _VIEWS)
    return one_line(width, parts, [part(message, BOLD)] if message else [], gap=2)


def _part(key: Key, ascii: bool) -> Part:
    return join([part(printed(key, ascii), BOLD), part(f" {key.word}", DIM)], key.rank or 0)


def prompt(text: str, shown: int, size: int, width: int) -> Row:
    """Return the line in which a filter is typed."""
    keep = max(0, width - 30)
    left = [join([part("/", BOLD), part(text[-keep:] if keep else ""), part("▏", BOLD)])]
    tail = [part(f"{shown:,} of {size:,}".replace(",", " "), DIM, 1), part("⏎ keep  esc clear", DIM, 2)]
    return one_line(width, left, tail)

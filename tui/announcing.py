"""Calling the person who looks away: the bell and the terminal's own notifications, where [alert] asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from infertop.views.shapes import Event, Overview
from tui.incidents import INCIDENT, opened
from tui.panels.events import event_key, sentence
from tui.widgets.cells import FILL, cells, cut_words

NAME = "infertop"
NOTES = (9, 777)
"""The numbers of the control strings (OSC) by which terminals take notifications."""
_BELL, _ESC, _END = "\a", "\x1b", "\x1b\\"
_MOST_CELLS = 200
_MOST_AT_ONCE, _MOST_KNOWN = 3, 10_000
_TOLD_KINDS = (INCIDENT, "budget")
_TOLD_LEVELS = ("warn", "alarm")
_QUIET_MODES = ("demo", "replay")
# They print control strings that they do not know, or hand them on to nobody.
_PLAIN_TERMS = ("dumb", "unknown", "linux", "screen", "vt", "ansi", "cons", "sun", "eterm")


class Calls(NamedTuple):
    """What is asked for: the `bell`, and notifications by the control strings `osc` (9, 777)."""

    bell: bool = False
    osc: tuple[int, ...] = ()


class Announcer:
    """Knows of which events somebody has been told: of what is there at the start nobody is."""

    def __init__(self) -> None:
        self._known: dict[str, None] | None = None
        self._pending: list[Event] = []

    def look(self, view: Overview) -> None:
        """Take the events of now; what is new among them and worth a call waits to be told."""
        worth = {event_key(event): event for event in reversed(view.events) if _is_worth_it(event)}
        if self._known is None or view.mode in _QUIET_MODES:
            self._known = dict.fromkeys(worth)
            return
        self._pending += [event for key, event in worth.items() if key not in self._known]
        self._known |= dict.fromkeys(worth)
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def take(self) -> list[Event]:
        """Return what waits, and forget that it did."""
        pending, self._pending = self._pending, []
        return pending


def _is_worth_it(event: Event) -> bool:
    told = event.kind in _TOLD_KINDS and event.level in _TOLD_LEVELS
    return told and (event.kind != INCIDENT or opened(event))


def calls_of(
    events: Sequence[Event], calls: Calls, *, ascii: bool = False, environ: Mapping[str, str] = os.environ
) -> str:
    """Return what is written to the terminal to tell of these events: one bell, a few notifications at most."""
    if not events:
        return ""
    notes = "".join(_notes(_messages(events, ascii), calls.osc, environ))
    return (_BELL if calls.bell else "") + notes


def _messages(events: Sequence[Event], ascii: bool) -> list[str]:
    shown = [_printable(sentence(event), ascii) for event in events[:_MOST_AT_ONCE]]
    more = len(events) - len(shown)
    return [*shown, f"{more} more: see the events page"] if more > 0 else shown


def _printable(text: str, ascii: bool) -> str:
    """Return a text without anything that a terminal could take for a command, or for the end of this one."""
    said = cut_words(cells(text), _MOST_CELLS).replace(FILL, "").replace(";", ",")
    if ascii:
        said = said.encode("ascii", "replace").decode("ascii")
    return "".join(ch for ch in said if ch.isprintable())


def _notes(messages: Iterable[str], numbers: Sequence[int], environ: Mapping[str, str]) -> Iterable[str]:
    """Yield a control string for each message and kind of notification, wrapped for tmux where that is between."""
    term = environ.get("TERM", "")
    inside_tmux = bool(environ.get("TMUX")) or term.startswith("tmux")
    if not inside_tmux and (not term or term.startswith(_PLAIN_TERMS)):
        return
    for message in messages:
        for number in numbers:
            if number not in NOTES:
                continue
            body = f"{NAME}: {message}" if number == 9 else f"notify;{NAME};{message}"
            string = f"{_ESC}]{number};{body}{_END}"
            yield f"{_ESC}Ptmux;{string.replace(_ESC, _ESC * 2)}{_END}" if inside_tmux else string

"""What this terminal can show, and whether it keeps up."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.themes import Shades

if TYPE_CHECKING:
    from textual.app import App

_BACKLOG = 3
_RICH_TERMS = ("256", "kitty", "alacritty", "ghostty", "wezterm", "foot", "direct", "xterm-ghostty")


def shades(environ: Mapping[str, str] = os.environ, *, color: bool = True) -> Shades:
    """Return how much colour to use: none for NO_COLOR (set and not empty), nothing but text for TERM=dumb."""
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        return Shades.BARE
    if not color or environ.get("NO_COLOR"):
        return Shades.MONO
    if environ.get("COLORTERM") or any(name in term for name in _RICH_TERMS):
        return Shades.COLOUR
    return Shades.ANSI


def needs_ascii(environ: Mapping[str, str] = os.environ, encoding: str | None = None) -> bool:
    """Return whether only ASCII can be shown: the locale is not UTF-8, or the terminal says that it is dumb."""
    if environ.get("TERM", "") in ("", "dumb", "unknown"):
        return True
    name = encoding if encoding is not None else locale.nl_langinfo(locale.CODESET)
    return "utf8" not in name.lower().replace("-", "")


def behind(app: App[int]) -> bool:
    """Return whether the terminal has not taken the last pictures yet (a stalled SSH line).

    Textual queues what it writes and blocks the loop when the queue is full: a screen that nobody reads must not stop
    the collection.
    """
    writer = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return queue is not None and queue.qsize() > _BACKLOG


def send(app: App[int], text: str) -> None:
    """Write control characters to the terminal, between two pictures; without a terminal nothing."""
    driver = getattr(app, "_driver", None)
    if driver is not None and not app.is_headless:
        driver.write(text)

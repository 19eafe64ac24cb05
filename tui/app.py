"""The app: Textual wired to a feed, and left in order whatever ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from textual import events
from textual.app import App
from textual.screen import Screen
from textual.worker import WorkerFailed

from tui import terminal
from tui.choices import Choices
from tui.desk import Desk
from tui.feed import Feed
from tui.look import Look
from tui.memory import keep, recall
from tui.screens.board import Board

__all__ = ["DEMO_EXIT", "STOP_SECONDS", "Feed", "InfertopApp", "run"]

DEMO_EXIT = 10
"""What `run` returns where the person asked for the demo on the first start's screen."""
STOP_SECONDS = 2.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InfertopApp(App[int], inherit_bindings=False):
    """One screen, one worker that starts the feed after the first paint."""

    CSS_PATH = "infertop.tcss"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "infertop"

    def __init__(self, feed: Feed, look: Look, choices: Choices | None = None) -> None:
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        self.feed = feed
        self.look = look
        self.choices = choices
        self.crash: BaseException | None = None

    def get_default_screen(self) -> Screen[None]:
        """Return the board."""
        return Board(Desk(self.feed, self.look, self.choices))

    def get_line_filters(self) -> list[object]:  # type: ignore[override]
        """Return none: every style is already one that this terminal can show."""
        return []

    def on_mount(self) -> None:
        """Listen for signals, and start the feed once the first picture is out."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.exit, None, 128 + number)
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.run_worker(self.feed.start(), name="feed", exit_on_error=True)

    def leave_for_demo(self) -> None:
        """Quit with the status that asks for the demo."""
        self.exit(DEMO_EXIT, DEMO_EXIT)

    def on_app_blur(self, event: events.AppBlur) -> None:
        """Do nothing where Textual would draw the whole screen anew: no picture depends on focus."""
        event.prevent_default()

    def on_app_focus(self, event: events.AppFocus) -> None:
        """Do nothing, as above."""
        event.prevent_default()

    def _handle_exception(self, error: Exception) -> None:
        """Keep the error for the report and end: Textual's own traceback would print local variables."""
        self._return_code = 1
        if self.crash is None:
            self.crash = error.error if isinstance(error, WorkerFailed) else error
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Print nothing: `run` names the report when the terminal is itself again."""


async def _run(app: InfertopApp, mouse: bool) -> int:
    try:
        await app.run_async(mouse=mouse)
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(app.feed.stop(), STOP_SECONDS)
    return app.return_code or 0


def run(feed: Feed, *, mouse: bool = True, color: bool = True, ascii: bool = False, memory: Path | None = None) -> int:
    """Show the feed until the person leaves, and return the exit status.

    0 after q, 1 after a crash (its report is named on stderr), 128 + n after signal n, DEMO_EXIT where the demo was
    asked for. NO_COLOR, TERM and the locale narrow `color` and `ascii` down further. What is chosen is kept in the file
    `memory` for the next run.
    """
    shades, choices = terminal.shades(color=color), Choices()
    if memory:
        recall(memory, choices)
    app = InfertopApp(feed, Look(shades, ascii=ascii or terminal.needs_ascii()), choices)
    status = asyncio.run(_run(app, mouse))
    if memory:
        keep(memory, choices)
    if app.crash:
        from tui import crash

        sys.stderr.write(crash.report(app.crash) + "\n")
    return status

"""The board: the one Textual screen. It hands keys and the mouse to the desk, and the desk's pictures to the canvas."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen

from infertop.views.shapes import Overview
from tui.announcing import Announcer, Calls, calls_of
from tui.desk import Desk
from tui.keys import KEYS, action
from tui.terminal import behind, send
from tui.widgets.canvas import Canvas, Cut

if TYPE_CHECKING:
    from tui.app import InfertopApp

_SLOWEST_TICK = 2.0
_STARTING_TICK = 0.25
_WHEEL = 3
_CUTS = ("cut-a", "cut-b", "cut-c")


def pace(view: Overview) -> float:
    """Return how often to tick: at the polls' interval, often enough for ages to be true, oftener for first figures."""
    if not view.sources or any(source.state == "starting" for source in view.sources):
        return _STARTING_TICK
    return min(view.interval_seconds, _SLOWEST_TICK)


class Board(Screen[None], inherit_bindings=False):
    """Ticks, and shows what the desk paints."""

    BINDINGS = [Binding(key.keys, key.action, key.help, show=False) for key in KEYS]  # noqa: RUF012 - Textual's own form
    ALLOW_SELECT = False
    AUTO_FOCUS = ""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.canvas = Canvas(desk.paint, desk.look)
        self._ticks = 0.0
        self._announcer = Announcer()

    def compose(self) -> ComposeResult:
        """Yield the cuts, and the canvas above them."""
        for name in _CUTS:
            yield Cut(id=name)
        yield self.canvas

    def on_mount(self) -> None:
        """Begin to tick; after `fg` draw every cell."""
        self._schedule()
        self.app.app_resume_signal.subscribe(self, lambda _: self.action_redraw())

    def _schedule(self) -> None:
        self._ticks = self._pace()
        self._timer = self.set_interval(self._ticks, self._tick_by_halves)

    def tick(self) -> None:
        """Take the views of now and show them."""
        self._take()
        self._show()

    def _tick_by_halves(self) -> None:
        """Take the views of now, and show them once the keys that were pressed meanwhile are done."""
        self._take()
        self.call_later(self._show)

    def _take(self) -> None:
        self.desk.tick()
        if self.desk.feed.calls() is not None:
            self._announcer.look(self.desk.news())

    def _show(self) -> None:
        """Show what was taken; a terminal that has not taken the last pictures is left alone."""
        if not behind(self._app):
            self.canvas.show()
            if (calls := self.desk.feed.calls()) is not None:
                self._call(calls)
        self._keep_pace()

    def _call(self, calls: Calls) -> None:
        """Tell of what is new by the bell and by notifications, as far as that is asked for."""
        if text := calls_of(self._announcer.take(), calls, ascii=self.desk.look.ascii):
            send(self._app, text)

    def _pace(self) -> float:
        return _STARTING_TICK if self.desk.waiting else pace(self.desk.view)

    def _keep_pace(self) -> None:
        if self._ticks != self._pace():
            self._timer.stop()
            self._schedule()

    @property
    def _app(self) -> InfertopApp:
        return cast("InfertopApp", self.app)

    async def on_key(self, event: events.Key) -> None:
        """Do what a key says, or give it to the filter while one is typed.

        It is done here and now: a binding is run later, when the keys behind it have been taken for something else.
        """
        self.desk.choices.message = ""
        if self.desk.choices.typing and event.key not in ("ctrl+c", "ctrl+q"):
            event.stop()
            self.desk.typed(event.key, event.character)
            self.canvas.show()
        elif wanted := action(event.key, self.desk.page.name):
            event.stop()
            await self.run_action(wanted)

    def on_paste(self, event: events.Paste) -> None:
        """Take a pasted text as filter."""
        if self.desk.choices.typing:
            for character in event.text.strip()[:80]:
                self.desk.typed("", character)
            self.canvas.show()

    def action_do(self, name: str, *step: int) -> None:
        """Do to the desk what a key says."""
        getattr(self.desk, name)(*step)
        self.canvas.show()
        self._keep_pace()

    def action_copy(self) -> None:
        """Copy the row under the cursor to the clipboard of the terminal."""
        text = self.desk.copied()
        if text:
            self.app.copy_to_clipboard(text)
            self.desk.choices.message = "copied"
            self.canvas.show()

    def action_redraw(self) -> None:
        """Draw every cell, in case something else wrote on the terminal."""
        self.refresh()
        self.canvas.refresh()

    def action_suspend(self) -> None:
        """Stop until the shell says `fg`; without a shell above nobody could say so."""
        if os.getsid(0) != os.getpid():
            self.app.action_suspend_process()

    def action_demo(self) -> None:
        """Leave for the demo, where the first start offers it."""
        if self.desk.page.name == "first":
            self._app.leave_for_demo()

    def action_leave(self) -> None:
        """Quit."""
        self.app.exit(0)

    def on_click(self, event: events.Click) -> None:
        """Select, sort or open what was clicked."""
        self.desk.click(int(event.screen_x), int(event.screen_y))
        self.canvas.show()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go on by a few rows."""
        self._wheel(event, _WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go back by a few rows."""
        self._wheel(event, -_WHEEL)

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        event.stop()
        event.prevent_default()
        self.action_do("move", step)

"""What keys choose: sorting and grouping, windows and intervals, what a filter lets through."""

from __future__ import annotations

from tui import format as fmt
from tui.choices import GROUPINGS, WINDOWS
from tui.keys import FILTERED, REPLAY
from tui.showing import PROVIDERS, RUNS, WHATIF
from tui.walking import Walking

INTERVALS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Turning(Walking):
    """Turns what is shown the next way."""

    def subject(self, step: int) -> None:
        """Show the traffic of the next model on the what-if page."""
        if self.page is WHATIF:
            self._shelf.turn(step)
        elif self.view.mode == REPLAY:
            self._steer("go", step * 60)

    def hour(self, step: int) -> None:
        """Go on or back by an hour of a recording."""
        if self.view.mode == REPLAY:
            self._steer("go", step * 3600)

    def _steer(self, what: str, step: float) -> None:
        self.choices.message = self.feed.steer(what, step)
        self.tick()

    def now(self) -> None:
        """Go to what it costs now among the alternatives."""
        table = self.table()
        if self.page is not WHATIF or table is None:
            return
        cursor = self.choices.cursor(table.name)
        cursor.key = next((entry.key for entry in table.items(self.scene) if entry.at.current), cursor.key)

    def every(self) -> None:
        """List all models on the what-if page, or only the well-known ones again."""
        if self.page is WHATIF:
            self.choices.every = not self.choices.every
            self._asked()

    def filter(self) -> None:
        """Begin to type a filter."""
        self.choices.typing = self.page.name in FILTERED
        self._asked()

    def typed(self, key: str, character: str | None) -> None:
        """Take one key of a filter; Enter keeps it, Esc drops it."""
        choices = self.choices
        if key == "enter":
            choices.typing = False
        elif key == "escape":
            choices.typing, choices.filter = False, ""
        elif key == "backspace":
            choices.filter = choices.filter[:-1]
        elif key in ("up", "down"):
            self.move(1 if key == "down" else -1)
        elif character and character.isprintable():
            choices.filter += character
        if key not in ("enter", "up", "down") and (table := self.table()):
            choices.cursor(table.name).index = 0  # where its row is gone, it stands on the best match
        self._asked()

    def sort(self) -> None:
        """Sort the table under the cursor by the next column of its cycle."""
        table = self.table()
        if table is None or len(table.orders) < 2:
            return
        self.choices.sorts[table.name] = (self.choices.sorts.get(table.name, 0) + 1) % len(table.orders)
        self.choices.message = f"by {table.head(table.order(self.scene).column)}"

    def group(self) -> None:
        """Group models the next way; divide the spend of providers by the next part."""
        if self.page is PROVIDERS:
            self.choices.divide()
            self._asked()
            return
        self.choices.group = (self.choices.group + 1) % len(GROUPINGS)
        self.choices.message = GROUPINGS[self.choices.group]

    def window(self) -> None:
        """Average over the next longer window, from the longest on over the shortest; what-if and runs look back."""
        if self.page in (WHATIF, RUNS):
            self._shelf.longer()
            self._asked()
            return
        longer = [each for each in WINDOWS if each > self.view.window_seconds * 1.01]
        wanted = longer[0] if longer else WINDOWS[0]
        self.feed.set_window(wanted)
        self.choices.window = wanted
        self.choices.message = f"window {fmt.span(wanted)}"

    def interval(self, step: int) -> None:
        """Poll at the next longer or shorter interval; replay faster or slower."""
        if self.view.mode == REPLAY:
            self._steer("speed", step)
            return
        now = self.view.interval_seconds
        further = [each for each in INTERVALS if (each > now * 1.01 if step > 0 else each < now * 0.99)]
        wanted = (further[:1] if step > 0 else further[-1:]) or [now]
        self.feed.set_interval(wanted[0])
        self.choices.message = f"every {fmt.span(wanted[0])}"

    def pause(self) -> None:
        """Freeze or free the picture; in a replay, time itself."""
        if self.view.mode == REPLAY:
            self._steer("hold", 0)
            return
        self.choices.paused = not self.choices.paused
        self.tick()

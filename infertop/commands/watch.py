"""What is worth a line: figures that left their baseline, budget levels crossed, engines that were restarted."""

from __future__ import annotations

from infertop.commands.events import Events
from infertop.commands.levels import Levels
from infertop.commands.marks import MARK, Marks, mark_event, mark_key
from infertop.engine.state import State
from infertop.history.summary import Summary
from infertop.money.baseline import Baselines
from infertop.money.settings import Settings
from infertop.views.shapes import Event

FILE = "pricing"


class Watch:
    """Looks at the ledger once a second, and makes events of what changed.

    `notice` says that incidents are not watched, and why; empty while they are.
    """

    def __init__(self, sigma: float) -> None:
        self.events = Events()
        self.notice = ""
        self.levels = Levels()
        self.marks = Marks(sigma)
        self._restarts: dict[str, float] = {}
        self._problem: str | None = None

    @property
    def baselines(self) -> Baselines:
        """What is usual."""
        return self.marks.baselines

    def tick(self, summary: Summary, settings: Settings, state: State, now: float) -> None:
        """Take the minutes that closed since the last tick, and look at the budgets and at who was restarted."""
        for change in self.marks.take(summary):
            self.events.add(mark_key(change.mark), mark_event(change))
        for key, event in self.levels.cross(summary, settings, now):
            self.events.add(key, event)
        for name, source in state.sources().items():
            if source.restarted is not None and self._restarts.get(name) != source.restarted:
                self._restarts[name] = source.restarted
                self.events.add(f"restart {name} {source.restarted:.0f}", _restart(name, source.restarted))

    def follow(self, summary: Summary) -> None:
        """Take the minutes that closed, and make no events of them: those are the recorder's."""
        self.marks.take(summary)

    def adopt(self, marks: Marks, now: float) -> None:
        """Go on with baselines that were loaded; marks of before that do not last have ended."""
        self.marks = marks
        self.events.end(MARK, marks.lasting(), now)

    def read(self, problem: str, now: float) -> None:
        """Note what is wrong with pricing.toml now, or that nothing is (any more)."""
        if problem == self._problem:
            return
        self._problem = problem
        self.events.end(FILE, frozenset(), now)
        if problem:
            self.events.add(f"{FILE} {now:.0f}", Event(now, "warn", FILE, problem))


def _restart(source: str, ts: float) -> Event:
    text = f"{source} was restarted: what it did between the last reading and the restart is not known"
    return Event(ts, "info", "restart", text, {"source": source}, until=ts)

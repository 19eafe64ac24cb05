"""The past that is read back, and what is usual by it.

Logs, gateways and providers tell of times in which nobody recorded, minutes or hours after it was begun to watch. What
the ledger holds by then is learned in order, beside what is watched, and takes its place once it has come as far.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from infertop.commands.watching_figures import Figures
from infertop.commands.watching_heard import LEARNS_SECONDS, Heard, Looking
from infertop.commands.watching_reads import first_minute, runs
from infertop.commands.watching_scope import MINUTE, Frontier, Rules
from infertop.history.figures import Flows, MinuteFlows
from infertop.history.reader import Reader
from infertop.history.watch_state import Known
from infertop.money.detect.fault import Figure
from infertop.money.detect.faults import Faults
from infertop.money.detect.scopes import Scope

HEARD = "heard"
# What began longer ago than that when infertop first looks at a history is not told.
TOLD_SECONDS = 3600
_SAVED_SECONDS = 1800


class Past:
    """Learns anew what is usual of `figures` when the ledger has more of the past than they were given.

    `learned` says that it just did: all of it is to be stored.
    """

    def __init__(self, figures: Figures, faults: Faults) -> None:
        self.learned = False
        self._figures = figures
        self._faults = faults
        self._heard = Heard()
        self._saved = 0
        self._looking = Looking()
        self._learning: Learning | None = None
        self._owed: frozenset[Figure] = frozenset()

    def begin(self, reader: Reader, newest: int) -> None:
        """Go on from what was loaded: what the ledger has since then, up to the minute `newest`, was given."""
        if self._saved:
            reader.ask(self._heard.take_all, self._saved, newest)

    def take(self, minute: MinuteFlows, frontier: Frontier) -> None:
        """Note a minute that was given."""
        self._heard.take(minute, frontier)

    def learn(self, reader: Reader, frontier: Frontier, rules: Rules, now: float, deadline: float) -> bool:
        """Look for a past that is not known, and learn it; return whether there is more to do.

        All that is closed was given by then.
        """
        if self._learning is None:
            over = bool(self._owed) and not any(figure in self._owed for figure, _ in self._figures.current())
            if not (self._looking.look(reader, self._heard, frontier, now, deadline) or over):
                return self._looking.goes_on
            first = reader.ask(first_minute)
            begin = max(frontier.closed if first is None else first, frontier.closed - LEARNS_SECONDS)
            self._learning = Learning(self._figures, begin, frontier)
        self._learning.figures.change(self._figures.rule, self._figures.zone)
        if not self._learning.go_on(reader, frontier, rules, deadline):
            return True
        self._adopt(self._learning, frontier.closed)
        self._learning, self.learned = None, True
        return False

    def _adopt(self, learning: Learning, closed: int) -> None:
        """Go on from what was learned. What is wrong by now stays so, by what was known when it was found."""
        before, known = dict(self._figures.current()), dict(learning.figures.current())
        wrong = {figure for fault in self._faults.lasting for figure in fault.members}
        self._owed = frozenset(each for each in wrong if each in before and each not in known)
        self._figures.learn(learning.figures, self._owed)
        after = dict(self._figures.current())
        self._faults.learned(before, after)
        for figure, incident in after.items():
            if figure not in before and incident.opened < closed - MINUTE - TOLD_SECONDS:
                self._faults.pass_over(figure, incident)
        self._heard = learning.heard

    def load(self, until: int, content: Mapping[str, Any]) -> None:
        """Take up what `save` returned; raise TypeError or ValueError where it is none."""
        self._heard.load(content)
        self._saved = until

    def save(self, newest: int, everything: bool) -> list[Known]:
        """Return what is to be stored as of the minute `newest`, from time to time."""
        if not everything and newest - self._saved < _SAVED_SECONDS:
            return []
        self._saved = newest
        return [Known(HEARD, newest, json.dumps(self._heard.dump()))]


class Learning:
    """Learns from the ledger what is usual, from `begin` on, beside what is watched: `like`."""

    def __init__(self, like: Figures, begin: int, frontier: Frontier) -> None:
        self.figures = Figures(like.rule, like.zone)
        self.figures.also = _untold(like, frontier)
        self.figures.begin(begin - MINUTE)
        self.heard = Heard()
        self._flows = Flows()

    def go_on(self, reader: Reader, frontier: Frontier, rules: Rules, deadline: float) -> bool:
        """Learn until `deadline` (monotonic) at most; return whether it has come as far as what is watched."""
        first = min(each.fed for each in self.figures.scopes.values()) + MINUTE
        for begin, last in runs(range(first, frontier.closed, MINUTE)):
            for minute in reader.ask(self._flows.read, begin, last + MINUTE, frontier.of_source):
                self.figures.take(minute, frontier, rules)
                self.heard.take(minute, frontier)
            if time.monotonic() > deadline:
                break
        return all(each.fed + MINUTE >= frontier.of(scope, each.parts) for scope, each in self.figures.scopes.items())


def _untold(figures: Figures, frontier: Frontier) -> dict[Scope, frozenset[str]]:
    """Return of each scope the sources that tell nothing of times in which nobody recorded.

    Before those were there it had another level, which says nothing of what is usual.
    """
    tell = frontier.told.keys() | frontier.logs
    return {scope: frozenset(each.parts.keys() - tell) for scope, each in figures.scopes.items()}

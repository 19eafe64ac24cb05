"""The pages that are made of the history, as they were last made, and how far they look back."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from infertop.views.shapes import Overview
from tui.choices import SPANS, Choices
from tui.feed import Feed
from tui.format import span

if TYPE_CHECKING:
    from infertop.views.account_shapes import AccountsPage
    from infertop.views.event_shapes import Comparison, Course
    from infertop.views.run_shapes import RunsPage
    from infertop.views.whatif_shapes import WhatIfPage


class Shelf:
    """Asks the feed while the page is open; `made` is None before, and until it has been made for this span.

    `waiting` says that a page is being made that is not there yet: the first one, or the one of all models, in whose
    place that of the well-known ones is shown.
    """

    def __init__(self, feed: Feed, choices: Choices) -> None:
        self.made: WhatIfPage | None = None
        self.runs: RunsPage | None = None
        self.accounts: AccountsPage | None = None
        self.compared: Comparison | None = None
        self.course: Course | None = None
        self._course_of: tuple[tuple[str, str], ...] | None = None
        self._asked: tuple[object, ...] = ()
        self.waiting = True
        self._feed = feed
        self._choices = choices

    def ask(self) -> None:
        """Take the page as it was last made; where it is old, the feed begins a new one."""
        span, every = self._choices.span, self._choices.wants_all
        self.made = self._feed.whatif(span, every)
        self.waiting = self.made is None
        if self.waiting and every:
            self.made = self._feed.whatif(span, False)

    def ask_for(self, pages: Collection[str], view: Overview) -> None:
        """Take those of these pages that are made of the history as they were last made."""
        if "whatif" in pages:
            self.ask()
        if "runs" in pages:
            self.runs = self._feed.runs(self._choices.span)
        if "providers" in pages:
            self.accounts = self._feed.accounts(self._choices.part, self._choices.within)
        if "compare" in pages:
            self._compare(view)

    def _compare(self, view: Overview) -> None:
        """Take what was compared; windows that follow the clock keep their last comparison until the next is made."""
        scope, windows = self._choices.compared, self._choices.windows
        made = self._feed.compare(dict(scope), *windows.at(view.at, view.timezone))
        asked = (scope, windows.number, windows.moved)
        if made is not None or asked != self._asked:
            self.compared, self._asked = made, asked

    def ask_course(
        self, scope: tuple[tuple[str, str], ...], before: tuple[float, float], after: tuple[float, float], now: float
    ) -> None:
        """Take what a scope cost over the time of two windows; the last picture stays until the next one is read."""
        from infertop.views.event_shapes import Course  # the first paint does not wait for it
        from tui.panels.course import COUNT, bins_of  # as above

        bins = bins_of(before, after, now)
        made = self._feed.course(dict(scope), *bins, COUNT) if bins else Course(now, 60.0, ())
        if made is not None or scope != self._course_of:
            self.course, self._course_of = made, scope

    def turn(self, step: int) -> None:
        """Show the traffic of the next subject, round and round; from one without traffic the first or the last."""
        from tui.panels.whatif import subject_key  # the first paint does not wait for it

        keys = [subject_key(each) for each in self.made.subjects] if self.made else []
        if not keys:
            return
        wanted = self._choices.subject or keys[0]
        here = keys.index(wanted) if wanted in keys else -1 if step > 0 else 0
        self._choices.subject = keys[(here + step) % len(keys)]

    def longer(self) -> None:
        """Look back over the next longer span, from the longest on over the shortest."""
        self._choices.span = SPANS[(SPANS.index(self._choices.span) + 1) % len(SPANS)]
        self._choices.message = f"the last {span(self._choices.span)}"

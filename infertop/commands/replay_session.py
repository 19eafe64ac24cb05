"""A session over history: nothing is polled, asked or written; time, readings and sums are those of a recording."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from infertop.commands.book import book_of
from infertop.commands.plans import EVERY_SECONDS
from infertop.commands.replay_clock import ReplayClock, next_speed
from infertop.commands.replay_events import INCIDENT, MARK, shown_at
from infertop.commands.replay_past import Annals
from infertop.commands.replay_story import Story, told_by
from infertop.commands.replay_view import Begun, ReadAhead, summary_at, take, tell
from infertop.commands.replay_words import day_and_time
from infertop.commands.restore import learn
from infertop.commands.session import Session
from infertop.commands.setup import Setup
from infertop.commands.viewing import Viewing
from infertop.commands.watch import Watch
from infertop.engine.processes import own_names
from infertop.history.follower import Follower
from infertop.history.open import Mode, Store
from infertop.history.replay import Grain, Player, Step
from infertop.history.scopes import Scopes
from infertop.money.overlap import Choices
from infertop.views.event_shapes import Event
from infertop.views.facts import Facts

_SHOWN_SECONDS = 0.25
_LEARNS = "learning what was usual before this ({}): what stood out is told as soon as that is known"
_KEPT_AS = {
    Grain.MINUTES: "readings are shown by the minute: means of gauges, what counters grew by",
    Grain.HOURS: "readings of this time are kept by the hour: the live figures are means of an hour",
    None: "no readings are kept of this time: what is shown comes from the ledger",
}


@dataclass(frozen=True, slots=True)
class Played:
    """What is to be replayed: a database at `path`, opened as `where` says, from when on, how fast.

    `annals` are what it tells of itself, `choices` what of it counts. With `detect` its story is told anew, in place
    of the incidents that its recorder found.
    """

    path: Path
    where: str
    player: Player
    annals: Annals
    choices: Choices
    at: float
    speed: float
    detect: bool = False


class Replayed(Viewing):
    """Stands where a viewer's rows of a recorder would: nobody is followed."""

    def __init__(self, session: ReplaySession, annals: Annals, look: Callable[[float], None]) -> None:
        nobody = cast("Follower", None)
        super().__init__(nobody, session.state, session.watch, session.pricing, session.choosing)
        self.local = annals.local
        self._look = look

    async def look(self, now: float) -> None:
        """Take the steps whose time has come."""
        self._look(now)

    def settings_changed(self) -> None:
        """Sum as before: a replay keeps the settings with which it began."""

    async def close(self) -> None:
        """Nothing to let go of: the session closes the history."""


class ReplaySession(Session):
    """The session that a screen over history stands on."""

    def __init__(self, setup: Setup, store: Store, own_names: frozenset[str], played: Played) -> None:
        self.replay_clock = ReplayClock(setup.clock, played.at, played.speed)
        super().__init__(replace(setup, clock=self.replay_clock), store, own_names)
        self.played = played
        self.annals = played.annals
        self.replayed = Replayed(self, played.annals, self._look)
        self.viewing = self.replayed
        self.plans.first_seconds = 0.0
        self.story = None
        if played.detect:
            self.story = Story(played.where, played.annals, self.pricing.settings, played.choices, played.at)
        self.ahead = ReadAhead(played.player, played.annals, self.replay_clock, self._scopes, self.story)
        self._stored = [each for each in played.annals.events if not (played.detect and self._is_told_anew(each.event))]
        self.asked_interval = _SHOWN_SECONDS
        self._intervals: dict[str, float] = {}
        self._telling: frozenset[str] = frozenset()
        self._priced_at = 0.0

    @classmethod
    async def play(cls, setup: Setup, played: Played) -> ReplaySession:
        """Make a session; `run` reads ahead of it."""
        names = await asyncio.to_thread(own_names)
        session = cls(setup, Store(Mode.VIEWER, played.path, played.where), names, played)
        session.watch.marks.paused = True
        session.choosing.choices = played.choices
        return session

    async def run(self) -> None:
        """Read ahead, as long as the screen is shown."""
        await self.ahead.run()

    async def tick(self) -> None:
        """Show what is known by now."""
        now = self.clock.now()
        self._look(now)
        self.state.tick(now)
        self.plans.every_seconds = EVERY_SECONDS * max(1.0, self.replay_clock.speed / EVERY_SECONDS)
        self.plans.look(now)

    async def close(self) -> None:
        """Let go of the history."""
        if self._learning is not None:
            self._learning.cancel()
            with suppress(asyncio.CancelledError):
                await self._learning
        await self.plans.close()
        await asyncio.to_thread(self.ahead.close)
        await self.choosing.close()

    def facts(self) -> Facts:
        """Return what was known at the replayed time."""
        found = super().facts()
        return replace(found, mode="replay", host=self.played.path.name, recorder=self.how, prices_loaded_at=None)

    @property
    def how(self) -> str:
        """How time passes, in a few words."""
        if self.ahead.going:
            return "reading"
        if self.ended:
            return "the end"
        learns = f", learning {self.ahead.learning}" if self.ahead.learning else ""
        return f"{'stopped, ' if self.replay_clock.held else ''}{self.replay_clock.speed:g}x{learns}"

    @property
    def ended(self) -> bool:
        """Whether all that was recorded has been shown."""
        return self.replay_clock.now() >= self.ahead.end

    @property
    def notices(self) -> tuple[str, ...]:
        """What the person should know."""
        kept = () if self.ahead.grain is Grain.READINGS or self.ahead.going else (_KEPT_AS[self.ahead.grain],)
        ended = (f"the recording ends here, {day_and_time(self.ahead.end, self._zone)}",) if self.ended else ()
        learns = (_LEARNS.format(self.ahead.learning),) if self.ahead.learning and not self.ahead.going else ()
        said = (self.ahead.trouble, *ended, *learns, *super().notices, *kept)
        return tuple(dict.fromkeys(each for each in said if each))

    def acknowledge(self, key: str, state: str) -> str:
        """Say that nothing is kept of what is looked at again."""
        return "a recording is only looked at: it keeps what was said then"

    def steer(self, what: str, step: float) -> str:
        """Hold time ("hold"), change its "speed" or "go" to where it is in `step` seconds; say what is done."""
        clock = self.replay_clock
        if what == "hold":
            clock.hold(not clock.held)
            return "time stands still" if clock.held else f"goes on at {clock.speed:g}x"
        if what == "speed":
            clock.speed = next_speed(clock.speed, 1 if step > 0 else -1)
            return f"{clock.speed:g} times as fast" if clock.speed != 1 else "as fast as it was"
        self.ahead.go(clock.now() + step)
        return day_and_time(clock.now(), self._zone)

    @property
    def _zone(self) -> ZoneInfo:
        return self.pricing.settings.zone

    def _scopes(self) -> Scopes:
        return Scopes(self.pricing.settings, self.choosing.counts)

    def _look(self, now: float) -> None:
        begun, steps = self.ahead.look()
        if begun is not None:
            self._show(begun)
        for step in steps:
            self._take(step)
        self._price(now)
        summary = self.replayed.summary
        self.replayed.summary = summary_at(summary, self.annals, self._telling, now)
        told = told_by(self.story.told, now) if self.story is not None else ()
        self.watch.events.shown = shown_at(self._stored, now, told)

    def _is_told_anew(self, event: Event) -> bool:
        """Say whether events like this are those of the story that is made here."""
        kinds = {INCIDENT, MARK, "news", *(("budget",) if self.pricing.settings.budgets else ())}
        return event.kind in kinds

    def _show(self, begun: Begun) -> None:
        self.state, self._intervals = begun.state, begun.intervals
        self.watch = Watch(self.pricing.sigma)
        self.watch.marks.paused = True
        self._telling = frozenset(begun.step.telling)
        if begun.step.summary is not None:
            self.replayed.summary = begun.step.summary
        if self._learning is not None:
            self._learning.cancel()
        self._learning = asyncio.create_task(self._learn(self.watch, begun.step.ts))

    async def _learn(self, watch: Watch, ts: float) -> None:
        """Learn what was usual in the week before; until then nothing is marked."""
        watch.marks = await learn(self.store, self.pricing.sigma, ts, self.counts, until=ts // 60 * 60)

    def _take(self, step: Step) -> None:
        for batch in step.batches:
            take(self.state, self.annals, batch.source, batch.ts, self._intervals, self.ahead.grain)
            self.state.apply(batch)
        if step.summary is not None:
            self._telling = frozenset(step.telling)
            tell(self.state, self.annals, step)
            self.replayed.summary = summary_at(step.summary, self.annals, self._telling, step.ts)
            self.watch.follow(self.replayed.summary)

    def _price(self, now: float) -> None:
        """Use the prices of the replayed time, as far as the history knows them."""
        minute = now // 60 * 60
        if minute == self._priced_at:
            return
        self._priced_at = minute
        settings = self.annals.settings_at(self.pricing.settings, now)
        if settings != self.pricing.prices.settings:
            self.pricing.prices = book_of(settings)

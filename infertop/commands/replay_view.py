"""What a replay shows in place of a recorder's rows: steps of a history, read ahead of the clock in a thread."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from infertop.commands.replay_clock import ReplayClock
from infertop.commands.replay_past import MALFORMED, Annals
from infertop.commands.replay_story import Story
from infertop.engine.state import State
from infertop.history.reader import Unreadable
from infertop.history.replay import MINUTE, Grain, Player, Step
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.readings.model import Batch

_log = logging.getLogger(__name__)
# Faster than that, readings come from roll-ups: a day's own readings would be too many.
COARSE_SPEED = 20.0
_AHEAD_SECONDS = 1.5
_MOST_AHEAD = 400
_STORY_SECONDS = 0.25
_LOOKS = 30  # at the end, a look for more in so many
_RAW_STEP = 2.5
# Readings come in steps: a source that is read ten times a second is not stale between two of them.
_LEAST_INTERVAL = 2.0


class Begun:
    """A state that was filled with the quarter of an hour before `step`."""

    def __init__(self, step: Step, annals: Annals) -> None:
        self.step = step
        self.state = State()
        self.intervals = dict(step.intervals)
        for batch in step.batches:
            take(self.state, annals, batch.source, batch.ts, self.intervals, step.grain)
            self.state.apply(batch)
        tell(self.state, annals, step)


def take(
    state: State, annals: Annals, source: str, ts: float, intervals: dict[str, float], grain: Grain | None
) -> None:
    """Note that a source was read at `ts`."""
    usual = _LEAST_INTERVAL if grain is Grain.READINGS else float(MINUTE)
    state.apply_health(annals.health(source, ts, max(intervals.get(source, usual), _LEAST_INTERVAL)))


def tell(state: State, annals: Annals, step: Step) -> None:
    """Note that the sources that tell in statements were read by then: of those that only tell no poll is kept."""
    for name in step.telling:
        state.apply_health(annals.health(name, step.ts, float(MINUTE)))
        newest = state.sources()[name].newest
        if newest is None or not newest.series:
            state.apply(Batch(name, step.ts, (), ()))


class ReadAhead:
    """Reads a history a little ahead of a clock, and lets it run no further than that.

    `begun` is called on the loop where another time was gone to, and `step` for every step of which the time has come.
    """

    def __init__(
        self,
        player: Player,
        annals: Annals,
        clock: ReplayClock,
        scopes: Callable[[], Scopes],
        story: Story | None = None,
    ) -> None:
        self.player = player
        self.story = story
        self.annals = annals
        self.end = annals.recorded.end
        self.trouble = ""
        self.grain: Grain | None = None
        self._clock = clock
        self._scopes = scopes
        self._steps: deque[Step] = deque()
        self._target: float | None = clock.now()
        self._begun: Begun | None = None
        self._waits = 0
        self._wake, self._rests = asyncio.Event(), asyncio.Event()

    @property
    def going(self) -> bool:
        """Whether it is on its way to another time."""
        return self._target is not None or self._begun is not None

    def go(self, ts: float) -> None:
        """Go to another time; until its readings are there, time stands still."""
        self._target = min(max(ts, self.annals.recorded.start), self.end)
        self._steps.clear()
        self._begun = None
        self._clock.go(self._target)
        self._wake.set()

    def look(self) -> tuple[Begun | None, list[Step]]:
        """Return the state to begin with, where another time was gone to, and the steps whose time has come."""
        begun, self._begun = self._begun, None
        now, due = self._clock.now(), []
        while self._steps and self._steps[0].ts <= now:
            due.append(self._steps.popleft())
        self._rests.clear()
        self._wake.set()
        return begun, due

    async def settled(self) -> None:
        """Wait until it has read all that is wanted for now."""
        await self._rests.wait()

    @property
    def learning(self) -> str:
        """How far the story is on its way to where time is, empty where it is there."""
        story = self.story
        if story is None or (self._steps and story.caught_up) or story.upto >= self._clock.now() // MINUTE * MINUTE:
            return ""
        return f"{story.done * 100:.0f} %"

    def close(self) -> None:
        """Let go of the history."""
        self.player.close()
        if self.story is not None:
            self.story.close()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self._read()
            except Unreadable as error:
                self.trouble = str(error)
            except MALFORMED as error:
                _log.exception("the recording cannot be read on")
                self.trouble = f"the recording cannot be read on: it is damaged ({type(error).__name__})"
            self._rests.set()
            await self._wake.wait()
            self._wake.clear()

    async def _read(self) -> None:
        while True:
            if self.player.at >= self.end and self._target is None:
                await self._look_for_more()
            if self._target is not None:
                target = self._target
                await self._begin(target)
            elif self._begun is None and self._wanted() and self._coarse() != self._coarsely:
                self._target = self._clock.now()
                self._steps.clear()
            elif self._begun is None and self._wanted():
                step = await asyncio.to_thread(self._go_on, self._next())
                if self._target is None and step is not None:
                    self._steps.append(step)
                    self._clock.limit = step.ts
            elif self.story is not None and not self.story.caught_up:
                await asyncio.to_thread(self.story.reach, self._clock.now(), _STORY_SECONDS)
            else:
                return

    async def _look_for_more(self) -> None:
        """Go on where a recorder has come further meanwhile; asked from time to time."""
        self._waits += 1
        if self._waits % _LOOKS == 0:
            found = await asyncio.to_thread(self.player.recorded)
            self.end = max(self.end, found.end if found else 0.0)

    def _go_on(self, upto: float) -> Step | None:
        """Return the next step, once the story has come as far.

        What it learns before it begins holds up nothing: that takes a while, and what it then tells is filled in.
        """
        if self.story is not None and not self.story.reach(upto, _STORY_SECONDS) and self.story.caught_up:
            return None
        return self.player.go_on(upto)

    async def _begin(self, target: float) -> None:
        self._coarsely = self._coarse()
        begun = await asyncio.to_thread(self._begun_at, target)
        if self._target == target:
            self._target, self._begun, self.grain = None, begun, begun.step.grain

    def _begun_at(self, target: float) -> Begun:
        return Begun(self.player.begin(target, self._scopes(), coarse=self._coarsely), self.annals)

    def _coarse(self) -> bool:
        return self._clock.speed > COARSE_SPEED

    def _wanted(self) -> bool:
        """Say whether more is to be read now."""
        ahead = self._clock.now() + max(self._clock.speed * _AHEAD_SECONDS, 2 * _RAW_STEP)
        return self.player.at < min(ahead, self.end) and len(self._steps) < _MOST_AHEAD

    def _next(self) -> float:
        """Return up to where to read next: a few seconds, or the end of the minute."""
        edge = (self.player.at // MINUTE + 1) * MINUTE
        if self.grain is Grain.READINGS:
            edge = min(edge, self.player.at + min(max(self._clock.speed / 8, 1.0), _RAW_STEP))
        return min(edge, self.end)


def summary_at(summary: Summary, annals: Annals, telling: frozenset[str], now: float) -> Summary:
    """Return the sums with the time that they are shown for, and what providers allow."""
    return replace(summary, ts=now, accounts=annals.accounts_at(telling, float(summary.closed)))

"""A run of infertop: sources, live state and history put together; the screen and the other commands stand on it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from infertop.commands import demo, demo_past
from infertop.commands.choosing import Choosing
from infertop.commands.finding import Finding
from infertop.commands.hub import Hub
from infertop.commands.known import known
from infertop.commands.plans import Plans
from infertop.commands.pricing import Pricing
from infertop.commands.recalling import Recalling
from infertop.commands.recording import Recording
from infertop.commands.remembered import engines_known, recall
from infertop.commands.restore import bookmarks, learn, restore
from infertop.commands.roster import DEFAULT_INTERVAL_SECONDS, Roster
from infertop.commands.setup import Setup
from infertop.commands.unread import unread
from infertop.commands.viewing import Viewing
from infertop.commands.watch import Watch
from infertop.commands.watching import Watching, acknowledge
from infertop.engine.collector import SourceConfig
from infertop.engine.processes import own_names
from infertop.engine.run import Polling
from infertop.engine.state import State
from infertop.history.open import Mode, Store, open_memory, open_store
from infertop.history.recorder import Recorder
from infertop.history.summary import Summary
from infertop.money.rates import PriceBook
from infertop.views.facts import Facts

LAST_POLL_SECONDS = 1.5
DEFAULT_WINDOW_SECONDS = 60.0


class Session:
    """Everything that runs. `open` before polling, `close` at the end; in between `facts` is what is known.

    `recording` is there where this process writes the history, `viewing` where it follows another one that does.
    """

    def __init__(self, setup: Setup, store: Store, own_names: frozenset[str]) -> None:
        self.setup = setup
        self.clock = setup.clock
        self.began = setup.clock.now()
        self.unread: frozenset[str] = frozenset()
        self.store = store
        self.window = DEFAULT_WINDOW_SECONDS
        self.asked_interval = setup.interval
        self.state = State()
        self.hub = Hub(self.state)
        self.pricing = Pricing(setup.watcher)
        self.watch = Watch(self.pricing.sigma)
        self.recorder_time = demo.Now(setup.clock, demo=setup.demo)
        self.roster = Roster(self.clock, self.hub, own_names)
        self.roster.interval = self.interval
        self.roster.least_gap_seconds = demo.GAP_SECONDS if setup.demo else 0.0
        self.viewing: Viewing | None = None
        self.recording: Recording | None = None
        self.choosing = Choosing(store.path or store.uri)
        self.plans = Plans(self)
        self._learning: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.watching: Watching | None = None
        self._unfinished = self._looked_back = False
        if store.mode in (Mode.WRITER, Mode.MEMORY):
            self.recording = Recording(
                store, self.recorder_time, self.pricing, self.roster, self.choosing, setup.db_limit_bytes
            )
            self.hub.recorder, self.roster.listener = self.recording.recorder, self.recording
            self.watching = Watching(self)
        recorder = self.recording.recorder if self.recording and not setup.demo else None
        self.recalling = Recalling(self.roster, recorder, self.pricing, self.clock) if recorder else None
        self.finding = Finding(self.roster, self.state) if setup.discover and store.mode is not Mode.VIEWER else None
        self.roster.finds_here = self.finding is not None

    @classmethod
    async def open(cls, setup: Setup, store: Store | None = None) -> Session:
        """Open the database (or use `store`) and every configured source; nothing is polled yet."""
        names = asyncio.create_task(asyncio.to_thread(own_names))
        tells = store is None and not setup.demo
        if store is None:
            store = await asyncio.to_thread(_open_store, setup)
        session = cls(setup, store, await names)
        if session.recording is not None and tells:
            session.recording.tell()
        await session._begin()
        return session

    async def _begin(self) -> None:
        now = self.clock.now()
        if self.store.mode is Mode.VIEWER:
            self.watch.marks.paused = True
            self.viewing = await Viewing.open(self.store, self.state, self.watch, self.pricing, self.choosing, now)
            if self.viewing is not None and await self.choosing.look(self.pricing.prices, now):
                self.viewing.settings_changed()
                await self.viewing.look(now)
            return
        if self.recording is not None:
            self.watch.marks.paused = not self.setup.demo
            self.roster.bookmarks = await asyncio.to_thread(bookmarks, self.store)
            if self.recalling is not None:
                await asyncio.to_thread(self.recalling.load)
            # Read before the first write, with which what an earlier session noted is gone.
            known = await asyncio.to_thread(engines_known, self.store)
            self.recording.start(await restore(self.store, self.state, self.watch, now))
            recall(known, self.recording.recorder, self.finding)
        if self.setup.demo:
            began = self.recorder_time.began
            for made in demo.collectors(self.interval, began, since=began):
                self.roster.add_made(made)
        else:
            await self.roster.follow(self._configured())

    async def remember(self) -> None:
        """Learn from the ledger what is usual; until then nothing is marked."""
        if self.setup.demo:
            if self.watching is not None:
                self.watching.begin()
            return
        self.watch.marks.paused = True
        if self.recording is not None:
            await asyncio.to_thread(self.recording.recorder.flush)
        await self._look_who_counts()
        marks = await learn(self.store, self.pricing.sigma, self.clock.now(), self.choosing.counts)
        self.watch.adopt(marks, self.clock.now())
        if self.watching is not None:
            self.watching.begin()

    async def recall(self) -> None:
        """Read back what was before infertop recorded, as long as it runs."""
        if self.recalling is not None:
            await self.recalling.run()

    async def load_demo_past(self) -> None:
        """Let the demo begin with a past: what its sources would have said in the hour before now."""
        await demo_past.load(self)

    async def close(self) -> None:
        """Poll what is due once more, keep it, and let go of everything."""
        if self.finding is not None:
            self.finding.close()
        if self._learning is not None:
            self._learning.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_POLL_SECONDS + 1):
                await self.polling.poll_once_all(LAST_POLL_SECONDS, self._answering())
        await self.polling.close()
        if self.viewing is not None:
            await self.viewing.close()
        if self.recording is not None:
            if self.watching is not None:
                await self.watching.close(self.clock.now())
            await self.tick()
            await self.recording.close(self.clock.now())
        await self.plans.close()
        await self.choosing.close()

    async def look(self, seconds: float) -> None:
        """Look for engines here and on the machines that ssh reaches, for so many seconds at most."""
        looks = [self.roster.afar.looked(), *([self.finding.look()] if self.finding else [])]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*looks)

    def _answering(self) -> list[str]:
        """Name the sources that answer: what is down now would only hold up the end."""
        known = self.state.sources()
        return [name for name in self.polling.names if name in known and not known[name].stale]

    async def tick(self) -> None:
        """Do what is due once a second: prices that changed, minutes that closed, budgets, news for the recorder."""
        now = self.clock.now()
        self.state.tick(now)
        prices = self.pricing.prices
        if await self.pricing.look(now):
            await self._settings_changed(prices)
        if self.viewing is not None:
            await self.viewing.look(now)
        await self._look_who_counts()
        self._look_what_is_unread(now)
        self.plans.look(now)
        if self.recording is not None:
            self._look_back()
            self.watch.levels.plans, self.watch.levels.unread = self.plans.made, self.unread
            self.watch.read(self.pricing.problem, now)
            if self.watching is not None:
                self.watching.tick(now)
            self.recording.tick(self.watch, self.state, now)
            if self.watching is not None:
                self.recording.recorder.put_watched(*self.watching.take_saves())

    def _look_what_is_unread(self, now: float) -> None:
        """Plan anew where more is known of the past."""
        before, self.unread = self.unread, unread(self, now)
        if before - self.unread:
            self.plans.changed()

    def _look_back(self) -> None:
        """Learn what is usual once more when the first sources have been read back: now their past is there."""
        unfinished = bool(self.polling.unfinished)
        if self._unfinished and not unfinished and not self._looked_back and not self.watch.marks.paused:
            self._looked_back = True
            self._learning = asyncio.create_task(self.remember())
        self._unfinished = unfinished

    async def _look_who_counts(self) -> None:
        if not await self.choosing.look(self.pricing.prices, self.clock.now()):
            return
        self.plans.changed()
        if self.recording is not None:
            self.recording.choices_changed()
        if self.viewing is not None:
            self.viewing.settings_changed()

    async def _settings_changed(self, before: PriceBook) -> None:
        self.watch.baselines.sigma = self.pricing.sigma
        self.plans.changed()
        if self.recording is not None:
            self.recording.settings_changed(self.state)
            if not self.pricing.prices.costs_like(before) and not self.watch.marks.paused:
                # What was priced again was never usual.
                self._learning = asyncio.create_task(self.remember())
        if self.viewing is not None:
            self.viewing.settings_changed()
        elif self.store.mode is not Mode.VIEWER and not self.setup.demo:
            await self.roster.follow(self._configured())

    def acknowledge(self, key: str, state: str) -> str:
        """Let an incident be "acknowledged", "planned" or "open" again; return what came of that as a sentence."""
        return acknowledge(self, key, state)

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to a task until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def set_interval(self, seconds: float) -> None:
        """Poll the local meters every so many seconds from now on."""
        self.asked_interval = seconds
        configured = [] if self.setup.demo else self._configured()
        self.roster.pace({each.name: each.interval_seconds for each in configured}, seconds)

    @property
    def interval(self) -> float:
        """How often the local meters are polled, in seconds."""
        return self.asked_interval or DEFAULT_INTERVAL_SECONDS

    def _configured(self) -> list[SourceConfig]:
        return self.setup.sources(self.asked_interval, self.roster.own_names)

    def counts(self, source: str, provider: str, model: str | None) -> bool:
        """Say whether what a source tells of a provider's model is part of totals; it may be asked from any thread."""
        return self.choosing.counts(source, provider, model)

    def facts(self) -> Facts:
        """Return everything that is known now, ready for the views."""
        return known(self)

    @property
    def notices(self) -> tuple[str, ...]:
        """What the person should know: mistakes in pricing.toml, what is wrong with the history."""
        kept = () if self.setup.demo else self.store.notices
        recalled = self.recalling.notice if self.recalling else ""
        telling = self.recording.telling if self.recording else None
        untold = telling.notices if telling else self.viewing.untold if self.viewing else ()
        missed = self.watch.notice
        said = (self.pricing.problem, self.summary.status, missed, *untold, *self.pricing.notices, *kept, recalled)
        return tuple(dict.fromkeys(each for each in said if each))

    @property
    def polling(self) -> Polling:
        """The loops that poll."""
        return self.roster.polling

    @property
    def recorder(self) -> Recorder | None:
        """The recorder, where this process has one."""
        return self.recording.recorder if self.recording else None

    @property
    def summary(self) -> Summary:
        """The ledger's sums as of its last tick."""
        ledger = self.recording or self.viewing
        return ledger.summary if ledger else Summary()


def _open_store(setup: Setup) -> Store:
    return open_memory("the demo keeps nothing") if setup.demo else open_store(setup.database, setup.clock.now())

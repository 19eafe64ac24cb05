"""A run of infertop: sources, live state and recorder put together; the screen and the other commands stand on it."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from dataclasses import replace

from collectors import KINDS
from infertop import __version__
from infertop.commands import demo
from infertop.commands.finding import Finding
from infertop.commands.hub import Broken, Hub
from infertop.commands.past import past
from infertop.commands.restore import restore_state
from infertop.commands.setup import Setup
from infertop.commands.sources import collector, is_local
from infertop.commands.viewing import Viewing
from infertop.commands.watch import Watch
from infertop.engine.collector import Collector, Health, SourceConfig, Unavailable
from infertop.engine.memory import gap_seconds
from infertop.engine.placement import Holder, Placed, Placement
from infertop.engine.run import Polling
from infertop.engine.state import State
from infertop.history.open import Mode, Store, open_memory, open_store
from infertop.history.recorder import Recorder
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.history.upkeep import Limits
from infertop.money.derive import Deriver
from infertop.money.gpu_shape import is_gpus
from infertop.money.rates import PriceBook
from infertop.readings.model import Batch
from infertop.views.costs import costs
from infertop.views.facts import Facts
from infertop.views.meters import Meters
from infertop.views.shapes import Event

_log = logging.getLogger(__name__)
LAST_POLL_SECONDS = 1.5
DEFAULT_WINDOW_SECONDS = 60.0


class Session:
    """Everything that runs. `open` before polling, `close` at the end; in between `facts` is what is known."""

    def __init__(self, setup: Setup, store: Store) -> None:
        self.setup = setup
        self.clock = setup.clock
        self.store = store
        self.state = State()
        self.hub = Hub(self.state)
        self.window = DEFAULT_WINDOW_SECONDS
        self.polling = Polling(setup.clock, self.hub)
        self.settings = setup.watcher.current.settings
        self.prices = PriceBook(self.settings)
        self.watch = Watch(float(self.settings.alert.sigma))
        self.configs: dict[str, SourceConfig] = {}
        self.viewing: Viewing | None = None
        self.finding = Finding(self) if setup.discover else None
        self._now = demo.Now(setup.clock, demo=setup.demo)
        self.recorder = self._make_recorder() if store.mode in (Mode.WRITER, Mode.MEMORY) else None
        self.hub.recorder = self.recorder

    @classmethod
    async def open(cls, setup: Setup, store: Store | None = None) -> Session:
        """Open the database (or use `store`) and every configured source; nothing is polled yet."""
        now = setup.clock.now()
        if store is None and setup.demo:
            store = await asyncio.to_thread(open_memory, "the demo keeps nothing")
        elif store is None:
            store = await asyncio.to_thread(open_store, setup.database, now)
        session = cls(setup, store)
        if session.recorder is not None:
            await restore_state(store, session.state, now)
            session.recorder.start()
            session._add_sources()
        else:
            await session._view()
        return session

    async def _view(self) -> None:
        """Follow the recorder instead of polling."""
        assert self.store.path is not None
        now = self.clock.now()
        viewing = await Viewing.open(self.store.path, self.state, self.watch, self._scopes(), now)
        if isinstance(viewing, str):
            self.store.notices.append(viewing)
            return
        self.viewing = viewing
        await viewing.look(now)

    async def close(self) -> None:
        """Poll what is due once more, keep it, and let go of everything."""
        if self.finding is not None:
            self.finding.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_POLL_SECONDS + 1):
                await self.polling.poll_once_all(LAST_POLL_SECONDS, self._due())
        await self.polling.close()
        if self.viewing is not None:
            await self.viewing.close()
        if self.recorder is not None:
            await self.tick()
            await asyncio.to_thread(self.recorder.close)

    def _due(self) -> list[str]:
        """Name the sources that answer: what is down now would only hold up the end."""
        return [name for name in self.polling.names if self._is_up(name)]

    def _is_up(self, name: str) -> bool:
        known = self.state.sources().get(name)
        return known is not None and not known.stale

    def add(self, config: SourceConfig) -> None:
        """Read a source from now on; one that cannot be made says why, and others go on."""
        if config.name in self.configs:
            return
        self.configs[config.name] = config
        made: Collector
        try:
            made = collector(config, self.clock)
        except Unavailable as why:
            made = Broken(config, why)
        if config.kind == "nvml":
            made = Placed(made, Placement([kind.server for kind in KINDS.values() if kind.server]), self._holders)
        self.polling.add(made)
        self.sources_changed()

    async def remove(self, name: str) -> None:
        """Stop reading a source and forget what it said; its totals stay in the ledger."""
        self.configs.pop(name, None)
        await self.polling.remove(name)
        self.state.forget(name)
        self.sources_changed()

    def _add_sources(self) -> None:
        if self.setup.demo:
            for made in demo.collectors(self.setup.interval or 1.0):
                self.configs[made.config.name] = made.config
                self.polling.add(made)
            self.sources_changed()
            return
        for config in self.setup.sources():
            self.add(config)

    async def load_demo_past(self) -> None:
        """Let the demo begin with a past: what its sources would have said in the hour before now."""
        sources = demo.collectors(self.setup.interval or 1.0)
        minute = 0.0
        for step in demo.steps(self.clock.now()):
            self._now.past = step
            for source in sources:
                self.hub.apply(await source.collect(step))
            if step // 60 != minute and self.recorder is not None:
                minute = step // 60
                await asyncio.to_thread(self.recorder.flush)
                await self.tick()
        self._now.past = None
        now = self.clock.now()
        self.watch.remember(Event(now, "info", "demo", demo.NOTICE, until=now))

    def set_interval(self, seconds: float) -> None:
        """Poll the local meters every so many seconds from now on."""
        for name in self.polling.names:
            self.polling.set_interval(name, seconds)
            if name in self.configs:
                self.configs[name] = replace(self.configs[name], interval_seconds=seconds)

    async def move(self, name: str, url: str) -> None:
        """Read a source at another URL from now on; what it said stays its own."""
        config = replace(self.configs.pop(name), url=url)
        await self.polling.remove(name)
        self.add(config)

    def sources_changed(self) -> None:
        """Tell who divides costs which engines run on this machine."""
        local = self.local()
        if self.recorder is not None:
            self.recorder.apply(lambda deriver: _set_local(deriver, local))

    def _holders(self) -> tuple[Holder, ...]:
        pids = self.finding.pids if self.finding else {}
        return tuple(
            Holder(each.name, each.kind, each.url, pids.get(each.name, ()), each.gpus)
            for each in self.configs.values()
            if each.url
        )

    def local(self) -> frozenset[str]:
        """Return the engines that run on this machine."""
        return frozenset(each.name for each in self.configs.values() if each.url and is_local(each, _OWN_NAMES))

    def _make_recorder(self) -> Recorder:
        deriver = Deriver(self.prices, gap_seconds=self._gap_seconds)
        limits = Limits(db_bytes=self.setup.db_limit_bytes)
        return Recorder(self.store, deriver, self._now, scopes=self._scopes(), limits=limits, version=__version__)

    def _scopes(self) -> Scopes:
        return Scopes(self.settings, self._counts)

    def _counts(self, source: str) -> bool:
        config = self.configs.get(source)
        return config is None or config.counts is not False

    def _gap_seconds(self, source: str) -> float:
        config = self.configs.get(source)
        return gap_seconds(config.interval_seconds if config else 1.0)

    async def tick(self) -> None:
        """Do what is due once a second: prices that changed, minutes that closed, budgets, news for the recorder."""
        now = self.clock.now()
        self.state.tick(now)
        if self.setup.watcher.tick(now) is not None:
            self._settings_changed()
        if self.viewing is not None:
            await self.viewing.look(now)
        if self.recorder is None:
            return
        self.watch.tick(self.recorder.summary, self.settings, now)
        for key, content in self.watch.take_news().items():
            self.recorder.put_event(key, now, content)
        for budget, period, level in self.watch.levels:
            if (budget, period, level) not in self.recorder.summary.told:
                self.recorder.put_level(budget, period, level, now)

    def _settings_changed(self) -> None:
        loaded = self.setup.watcher.current
        if loaded.settings == self.settings:
            return
        self.settings, self.prices = loaded.settings, PriceBook(loaded.settings)
        self.watch.baselines.sigma = float(loaded.settings.alert.sigma)
        prices = self.prices
        if self.recorder is not None:
            self.recorder.apply(lambda deriver: _set_prices(deriver, prices))
            self.recorder.rescope(self._scopes())
        if not self.setup.demo:
            for config in self.setup.sources():
                self.add(config)

    def facts(self) -> Facts:
        """Return everything that is known now, ready for the views."""
        now = self.clock.now()
        self.state.tick(now)
        meters = Meters(self.state, self.window)
        current = costs(self.gpu_batch(), meters, self.prices, now, self.local())
        summary = self.summary
        return Facts(
            now=now,
            state=self.state,
            healths=self._healths(),
            meters=meters,
            prices=self.prices,
            costs=current,
            past=past(summary, self.settings, current, self.watch.baselines, self.watch.events, now),
            interval_seconds=self.setup.interval or 1.0,
            timezone=str(self.settings.zone),
            host="demo-box" if self.setup.demo else socket.gethostname(),
            mode=self._mode(),
            notices=self._notices(summary),
            searched=self.finding.searched if self.finding else (),
            recorder=self._recorder_note(),
        )

    @property
    def summary(self) -> Summary:
        """The ledger's sums as of its last tick."""
        source = self.recorder or self.viewing
        return source.summary if source else Summary()

    def _healths(self) -> tuple[Health, ...]:
        """Return how the sources are; what the tape alone still knows, and nobody reads now, is left out."""
        healths = self.state.healths()
        return tuple(each for each in healths if each.source in self.configs or self.viewing is not None)

    def _mode(self) -> str:
        if self.setup.demo:
            return "demo"
        return "viewer" if self.store.mode in (Mode.VIEWER, Mode.READ_ONLY) else "live"

    def _recorder_note(self) -> str:
        return self.viewing.recorder if self.viewing else ""

    def gpu_batch(self) -> Batch | None:
        """Return the newest reading of the GPUs, None where there is none that still holds."""
        for source in self.state.sources().values():
            if source.newest is not None and not source.stale and is_gpus(source.newest.series):
                return source.newest
        return None

    def _notices(self, summary: Summary) -> tuple[str, ...]:
        loaded = self.setup.watcher.current
        kept = () if self.setup.demo else self.store.notices
        said = (loaded.problem, summary.status, *loaded.notices, *kept)
        return tuple(dict.fromkeys(each for each in said if each))


_OWN_NAMES = frozenset({socket.gethostname(), "localhost"})


def _set_local(deriver: object, local: frozenset[str]) -> None:
    assert isinstance(deriver, Deriver)
    deriver.local_sources = local


def _set_prices(deriver: object, prices: PriceBook) -> None:
    assert isinstance(deriver, Deriver)
    deriver.prices = prices

"""The recorder's side of a session: what it is told besides the polls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from infertop import __version__
from infertop.commands.choosing import Choosing
from infertop.commands.gpus import SeenGpus
from infertop.commands.known import newest_gpus
from infertop.commands.pricing import Pricing
from infertop.commands.roles import role_of
from infertop.commands.roster import Roster
from infertop.commands.telling import Telling
from infertop.commands.unread import INVENTORY as UNREAD
from infertop.commands.watch import Watch
from infertop.engine.origin import shown_address
from infertop.engine.state import State
from infertop.history.open import Store
from infertop.history.outbox import Letter
from infertop.history.recorder import News, Recorder
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.history.upkeep import Limits
from infertop.money.derive import Deriver


class Recording:
    """Tells the recorder which sources and GPUs there are, what things cost, what happened and what was announced."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        pricing: Pricing,
        roster: Roster,
        choosing: Choosing,
        limit_bytes: int,
    ) -> None:
        self._choosing = choosing
        self._pricing = pricing
        self._roster = roster
        self._gpus = SeenGpus()
        self.telling: Telling | None = None
        self._untold: tuple[str, ...] = ()
        self._unread: frozenset[str] = frozenset()
        self.recorder = Recorder(
            store,
            Deriver(pricing.prices, gap_seconds=roster.gap_seconds),
            now,
            scopes=self._scopes(),
            limits=Limits(db_bytes=limit_bytes),
            version=__version__,
        )

    @property
    def summary(self) -> Summary:
        """The ledger's sums as of its last tick."""
        return self.recorder.summary

    def start(self, gpus: SeenGpus) -> None:
        """Begin to record; `gpus` are those that an earlier run saw. The prices of now also hold for what had none."""
        self._gpus = gpus
        # What an earlier session noted is gone with its first write, and GPUs that are no news are not noted again.
        self.recorder.put_inventory("gpus", gpus.rows())
        self._tell_prices()
        self.recorder.start()

    def sources_changed(self) -> None:
        """Tell which sources are read, and which of them run on this machine and so carry its cost."""
        local = self._roster.local()
        self.recorder.apply(lambda deriver: _set_local(deriver, local))
        rows = [
            {"name": each.name, "kind": each.kind, "address": shown_address(each.url), "local": each.name in local,
             "counts": each.counts is not False, "set": each.counts, "role": role_of(each.kind)}
            for each in self._roster.every().values()
        ]  # fmt: skip
        self.recorder.put_inventory("sources", rows)
        if self._choosing.sources_changed(self._roster.every().values()):
            self.choices_changed()

    def choices_changed(self) -> None:
        """Sum by what counts now."""
        self.recorder.rescope(self._scopes())

    def source_forgotten(self, name: str) -> None:
        """Begin anew with the counters of a source: another server has its name now."""
        self.recorder.apply(lambda deriver: _forget(deriver, name))

    def settings_changed(self, state: State) -> None:
        """Price and sum by the settings of now."""
        self._look_at_gpus(state)
        self._tell_prices()
        self.recorder.rescope(self._scopes())

    def tick(self, watch: Watch, state: State, now: float) -> None:
        """Take the minutes that closed, and store what came of them."""
        self._look_at_gpus(state)
        watch.tick(self.summary, self._pricing.settings, state, now)
        news = [News(key, each, self._letters(key, each, now)) for key, each in watch.events.take_news().items()]
        levels = watch.levels.take()
        if news or levels:
            self.recorder.put_news(news, levels, now)
        if self.telling is not None:
            self.telling.tick(self._pricing.settings.alert, now)
        if watch.levels.unread != self._unread:
            self._unread = watch.levels.unread
            self.recorder.put_inventory(UNREAD, [{"name": each} for each in sorted(self._unread)])
        untold = (*(self.telling.notices if self.telling else ()), *filter(None, (watch.notice,)))
        if untold != self._untold:
            self._untold = untold
            self.recorder.put_inventory("untold", [{"text": each} for each in untold])

    def _letters(self, key: str, content: Mapping[str, object], now: float) -> Sequence[Letter]:
        """Say who is told of an event: stored with it, so that nobody is told twice, or not at all."""
        return self.telling.letters(key, content, self.summary, self._pricing.settings, now) if self.telling else ()

    def tell(self) -> None:
        """Tell those whom pricing.toml names from now on."""
        self.telling = Telling(self.recorder, self._pricing.settings.alert)

    def _look_at_gpus(self, state: State) -> None:
        new = [self._gpus.take(each) for each in newest_gpus(state)]
        if any(new):
            self.recorder.put_inventory("gpus", self._gpus.rows())

    def _tell_prices(self) -> None:
        path = self._pricing.path
        self.recorder.put_inventory("pricing", [{"path": str(path.absolute()) if path else None}])
        self.recorder.set_prices(self._pricing.prices, dict(self._gpus.by_uuid))

    async def close(self, now: float) -> None:
        """Tell what is due, store what is left and let go of the database."""
        if self.telling is not None:
            await self.telling.close(now)
        await asyncio.to_thread(self.recorder.close)

    def _scopes(self) -> Scopes:
        return Scopes(self._pricing.settings, self._choosing.counts)


def _set_local(deriver: object, local: frozenset[str]) -> None:
    assert isinstance(deriver, Deriver)
    deriver.local_sources = local


def _forget(deriver: object, source: str) -> None:
    assert isinstance(deriver, Deriver)
    deriver.forget(source)

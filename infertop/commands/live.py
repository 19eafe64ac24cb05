"""The screen's feed: before the first paint it holds nothing heavy; `start` loads and opens everything."""

from __future__ import annotations

import asyncio
import gc
import time
from argparse import Namespace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from infertop.views.page_shapes import GpuHistory, ModelPage
from infertop.views.shapes import Explained, Headline, Overview

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infertop.commands.compared import Compared
    from infertop.commands.coursing import Coursing
    from infertop.commands.crowd import Crowd
    from infertop.commands.reckoning import Reckoning
    from infertop.commands.recounting import Recounting
    from infertop.commands.session import Session
    from infertop.commands.setup import Setup
    from infertop.commands.wondering import Wondering
    from infertop.views.account_shapes import AccountsPage, Within
    from infertop.views.event_shapes import Comparison, Course
    from infertop.views.run_shapes import RunsPage
    from infertop.views.whatif_shapes import WhatIfPage
    from tui.announcing import Calls

_TICK_SECONDS = 1.0
_UNSAID = Explained("", ())
_EMPTY = Headline(None, None, None, None, None, None)


class LiveFeed:
    """Gives the screen the views of a session, and takes its wishes."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._session: Session | None = None
        self._wondering: Wondering | None = None
        self._recounting: Recounting | None = None
        self._reckoning: Reckoning | None = None
        self._compared: Compared | None = None
        self._coursing: Coursing | None = None
        self._crowd: Crowd | None = None
        self._facts: Any = None
        self._facts_at = 0.0
        self._told: tuple[Any, tuple[str, str], dict[str, Explained]] | None = None
        self._window = 300.0
        self._tasks: list[asyncio.Task[None]] = []

    def overview(self) -> Overview:
        """Return the view of now."""
        if self._session is None:
            return self._nothing_yet()
        self._facts = self._session.facts()
        self._facts_at = time.monotonic()
        if self._crowd is None:
            self._crowd = import_module("infertop.commands.crowd").Crowd()
        rows = self._crowd.rows(self._facts)
        made: Overview = import_module("infertop.views.overview").overview(self._facts, rows)
        return made

    def model_page(self, source: str, model: str) -> ModelPage:
        """Return the page of a model; raise KeyError where it is not known any more."""
        made: ModelPage = import_module("infertop.views.model_page").model_page(self._fresh(), source, model)
        return made

    def gpu_history(self, uuid: str) -> GpuHistory:
        """Return the course of a GPU's meters; raise KeyError where it is not known any more."""
        made: GpuHistory = import_module("infertop.views.gpu_history").gpu_history(self._fresh(), uuid)
        return made

    def explain(self, panel: str, key: str, column: str) -> Explained:
        """Return how a figure was come by."""
        if self._session is None:
            return _UNSAID
        asked = (self._fresh(), panel, key)
        if self._told is None or self._told[0] is not asked[0] or self._told[1] != asked[1:]:
            self._told = asked[0], asked[1:], import_module("infertop.views.explain").figures(*asked)
        return self._told[2].get(column, _UNSAID)

    def whatif(self, seconds: float, every: bool) -> WhatIfPage | None:
        """Return the what-if page as it was last made, None before the first; it is made in a thread."""
        if self._session is None:
            return None
        if self._wondering is None:
            self._wondering = import_module("infertop.commands.wondering").Wondering(self._session)
        return self._wondering.page(seconds, every)

    def runs(self, seconds: float) -> RunsPage | None:
        """Return the runs as they were last added up, None before the first time; that is done in a thread."""
        if self._session is None:
            return None
        if self._recounting is None:
            self._recounting = import_module("infertop.commands.recounting").Recounting(self._session)
        return self._recounting.page(seconds)

    def accounts(self, by: str, within: Within) -> AccountsPage | None:
        """Return the page of providers as it was last read, None before the first time; that is done in a thread."""
        if self._session is None:
            return None
        if self._reckoning is None:
            self._reckoning = import_module("infertop.commands.reckoning").Reckoning(self._session)
        return self._reckoning.page(self._fresh(), by, within)

    def compare(
        self, scope: Mapping[str, str], before: tuple[float, float], after: tuple[float, float]
    ) -> Comparison | None:
        """Return what changed between two windows, None until it was made once; that is done in a thread."""
        if self._session is None:
            return None
        if self._compared is None:
            self._compared = import_module("infertop.commands.compared").Compared(self._session)
        return self._compared.page(scope, before, after)

    def course(self, scope: Mapping[str, str], since: float, width: float, count: int) -> Course | None:
        """Return what a scope cost over time, None until it was read once; that is done in a thread."""
        if self._session is None:
            return None
        if self._coursing is None:
            self._coursing = import_module("infertop.commands.coursing").Coursing(self._session)
        return self._coursing.page(scope, since, width, count)

    def acknowledge(self, key: str, state: str) -> str:
        """Set the state of an incident; answer with a sentence."""
        if self._session is None:
            return "nothing is known yet"
        return self._session.acknowledge(key, state)

    def steer(self, what: str, step: float) -> str:
        """Do nothing: time is not to be steered."""
        return ""

    def calls(self) -> Calls | None:
        """Return by what [alert] wants the person at the screen to be called, None before anything is known."""
        if self._session is None:
            return None
        from tui.announcing import Calls  # the screen is there: it asks

        alert = self._session.pricing.settings.alert
        return Calls(alert.bell, alert.osc)

    def set_window(self, seconds: float) -> None:
        """Average over so many seconds from now on."""
        self._window = seconds
        if self._session is not None:
            self._session.window = seconds

    def set_interval(self, seconds: float) -> None:
        """Poll the local meters every so many seconds from now on."""
        if self._session is not None:
            self._session.set_interval(seconds)

    async def start(self) -> None:
        """Load the libraries in a thread, open the session and begin to poll."""
        # The terminal is the screen's: what is logged from here on goes to a file.
        (await asyncio.to_thread(import_module, "infertop.commands.log_file")).keep_log()
        module = await asyncio.to_thread(import_module, "infertop.commands.session")
        session: Session = await module.Session.open(self._setup)
        session.window = self._window
        if self._setup.demo:
            await session.load_demo_past()
        self._session = session
        # All that has been loaded stays: what is garbage from now on is found without looking through it again.
        gc.freeze()
        gc.enable()
        tasks = [session.polling.run(), self._tick(session)]
        if session.finding is not None:
            tasks.append(session.finding.run())
        tasks += [session.remember(), session.recall()]
        self._tasks = [asyncio.create_task(each) for each in tasks]
        await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Poll what is due once more and flush."""
        if self._wondering is not None:
            await self._wondering.close()
        for reading in (self._recounting, self._reckoning, self._compared, self._coursing):
            if reading is not None:
                await reading.close()
        if self._session is not None:
            await self._session.close()
        for task in self._tasks:
            task.cancel()

    async def _tick(self, session: Session) -> None:
        while True:
            await session.tick()
            await asyncio.sleep(_TICK_SECONDS)

    def _fresh(self) -> Any:
        """Return the facts of this tick, made again where a second has passed."""
        if self._session is None:
            raise KeyError("nothing is known yet")
        if self._facts is None or time.monotonic() - self._facts_at > _TICK_SECONDS:
            self._facts, self._facts_at = self._session.facts(), time.monotonic()
        return self._facts

    def _nothing_yet(self) -> Overview:
        setup = self._setup
        return Overview(
            at=setup.clock.now(),
            timezone=str(setup.watcher.current.settings.zone),
            host="",
            mode="demo" if setup.demo else "live",
            window_seconds=0.0,
            interval_seconds=setup.interval or 1.0,
            headline=_EMPTY,
            models=(),
            gpus=(),
            budgets=(),
            sources=(),
            events=(),
        )


def wants_color(options: Namespace, environ: dict[str, str]) -> bool:
    """Say whether colours are wanted: not with --no-color or NO_COLOR set (no-color.org)."""
    return not options.no_color and not environ.get("NO_COLOR")

"""What the screen is wired to: it gives views and takes wishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from infertop.views.page_shapes import GpuHistory, ModelPage
from infertop.views.shapes import Explained, Overview

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infertop.views.account_shapes import AccountsPage, Within
    from infertop.views.event_shapes import Comparison, Course
    from infertop.views.run_shapes import RunsPage
    from infertop.views.whatif_shapes import WhatIfPage
    from tui.announcing import Calls


class Feed(Protocol):
    """Where views come from. All but `start` and `stop` are called on the screen's loop and must return at once."""

    def overview(self) -> Overview:
        """Return the view of now, also before `start`; asked once a tick."""
        ...

    def model_page(self, source: str, model: str) -> ModelPage:
        """Return the page of a model; raise KeyError where it is not known any more. Asked once a tick while open."""
        ...

    def gpu_history(self, uuid: str) -> GpuHistory:
        """Return what a GPU did over the window; raise KeyError where it is not known any more. Asked once a tick."""
        ...

    def explain(self, panel: str, key: str, column: str) -> Explained:
        """Return how a figure was come by.

        `panel` is "models", "gpus", "budgets", "sources", "events" or "headline"; `key` the row: a model's is its
        source and its name with a tab between, a GPU's its UUID, else a name, and empty for the headline; `column` the
        field of the row's shape. Without lines there is nothing to say.
        """
        ...

    def whatif(self, seconds: float, every: bool) -> WhatIfPage | None:
        """Return what the traffic of the last `seconds` would cost elsewhere, None until that has been made once.

        That is on the well-known models, with `every` on all that have a price.
        Asked once a tick while its page is open; where the last one is old, a new one is begun in the background.
        """
        ...

    def runs(self, seconds: float) -> RunsPage | None:
        """Return the runs of the last `seconds`, None until they have been added up once.

        Asked once a tick while their page is open; where the last page is old, a new one is begun in the background.
        """
        ...

    def accounts(self, by: str, within: Within) -> AccountsPage | None:
        """Return what providers told and billed, None until it has been read once.

        It is divided by the model, key, project, user or team, of all or `within` some (dimension, name). Asked once a
        tick while its page is open; where what was read is old, it is read again in the background.
        """
        ...

    def compare(
        self, scope: Mapping[str, str], before: tuple[float, float], after: tuple[float, float]
    ) -> Comparison | None:
        """Return what changed in what `scope` cost from one window (start, end) to the other, None until it was made.

        Asked once a tick while its page is open; other windows are compared in the background.
        """
        ...

    def course(self, scope: Mapping[str, str], since: float, width: float, count: int) -> Course | None:
        """Return what `scope` cost an hour in `count` bins of `width` seconds from `since` on, None until it was read.

        Asked once a tick while windows are shown; other times are read in the background.
        """
        ...

    def acknowledge(self, key: str, state: str) -> str:
        """Set the state of the incident with this key (`open`, `acknowledged`, `planned`); answer with a sentence."""
        ...

    def steer(self, what: str, step: float) -> str:
        """Of a recording: stop time or let it go on ("hold"), change its "speed", or "go" to another time by seconds.

        Answer with a few words; there are none where nothing is replayed.
        """
        ...

    def calls(self) -> Calls | None:
        """Return by what the person is called to look when something is wrong, None until the feed has begun."""
        ...

    def set_window(self, seconds: float) -> None:
        """Average over so many seconds from now on."""
        ...

    def set_interval(self, seconds: float) -> None:
        """Poll the local meters every so many seconds from now on."""
        ...

    async def start(self) -> None:
        """Begin collecting; called after the first paint, so heavy imports belong in here (in a thread)."""
        ...

    async def stop(self) -> None:
        """Poll what is due once more and flush; given `STOP_SECONDS`, then cancelled."""
        ...

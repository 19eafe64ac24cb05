"""The same polls for the live view and for the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from infertop.engine.collector import Health
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.money.derive import Deriver
from infertop.money.gpu_shape import is_gpus
from infertop.money.rates import PriceBook
from infertop.readings.model import Batch
from infertop.views.costs import Costs, costs
from infertop.views.facts import Facts, Past
from infertop.views.meters import Meters
from tests.money.tape import START, book

WINDOW = 60.0


class World:
    """A live state and a deriver under the same prices; `local` are the engines on this machine."""

    def __init__(self, prices: PriceBook | None = None, local: Iterable[str] = ()) -> None:
        self.prices = prices or book()
        self.local = frozenset(local)
        self.state = State()
        self.deriver = Deriver(self.prices, local_sources=self.local)
        self.now = float(START)

    def poll(self, *batches: Batch, kind: str = "vllm") -> None:
        """Let these be read, each with the time it carries."""
        for each in batches:
            self.now = max(self.now, each.ts)
            of = "nvml" if is_gpus(each.series) else "host" if each.source == "host" else kind
            self.state.apply_health(Health(each.source, of, SourceState.UP, each.ts, each.ts, 0.01))
            self.state.apply(each)
            self.deriver.advance(each)

    def meters(self, window: float = WINDOW) -> Meters:
        return Meters(self.state, window)

    def costs(self, window: float = WINDOW) -> Costs:
        self.state.tick(self.now)
        newest = [each.newest for each in self.state.sources().values() if each.newest and not each.stale]
        gpus = [each for each in newest if is_gpus(each.series)]
        return costs(gpus, self.meters(window), self.prices, self.now, self.local)

    def facts(self, window: float = WINDOW, past: Past | None = None, **more: Any) -> Facts:
        given = {"interval_seconds": 1.0, "timezone": "UTC", "host": "box", "mode": "live", **more}
        costs = self.costs(window)
        return Facts(
            now=self.now,
            state=self.state,
            healths=self.state.healths(),
            meters=self.meters(window),
            prices=self.prices,
            costs=costs,
            past=past or Past(),
            **given,
        )

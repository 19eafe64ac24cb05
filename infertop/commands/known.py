"""What is known at this moment, put together for the views."""

from __future__ import annotations

import socket

from infertop.commands.past import past
from infertop.commands.pricing import Pricing
from infertop.commands.watch import Watch
from infertop.engine.collector import Health
from infertop.engine.state import State
from infertop.history.summary import Summary
from infertop.money.gpu_shape import is_gpus
from infertop.readings.model import Batch
from infertop.views.costs import costs
from infertop.views.facts import Facts
from infertop.views.meters import Meters


def newest_gpus(state: State) -> Batch | None:
    """Return the newest reading of the GPUs, None where there is none that still holds."""
    for source in state.sources().values():
        if source.newest is not None and not source.stale and is_gpus(source.newest.series):
            return source.newest
    return None


def known(
    now: float, state: State, window: float, pricing: Pricing, summary: Summary, watch: Watch, local: frozenset[str]
) -> Facts:
    """Return what the state says over the last `window` seconds, what the ledger says, and what both cost.

    `local` are the engines that run on this machine. Who shows it adds what the program knows of itself.
    """
    state.tick(now)
    meters = Meters(state, window)
    current = costs(newest_gpus(state), meters, pricing.prices, now, local)
    return Facts(
        now=now,
        state=state,
        healths=state.healths(),
        meters=meters,
        prices=pricing.prices,
        costs=current,
        past=past(summary, pricing.settings, current, watch.baselines, watch.events.shown, now),
        interval_seconds=1.0,
        timezone=str(pricing.settings.zone),
        host=socket.gethostname(),
        mode="live",
    )


def of_sources(healths: tuple[Health, ...], names: frozenset[str] | None) -> tuple[Health, ...]:
    """Return how these sources are (None: all); what the tape still knows, and nobody reads now, is left out."""
    return healths if names is None else tuple(each for each in healths if each.source in names)

"""What is known at this moment, put together for the views."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from collectors import KINDS
from infertop.commands.past import past
from infertop.engine.collector import Health
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.money.gpu_shape import is_gpus
from infertop.readings.account import Account
from infertop.readings.model import Batch
from infertop.views.api_rates import ApiRates, Teller, api_rates
from infertop.views.costs import Costs, costs
from infertop.views.facts import Facts, Past, Told
from infertop.views.meters import Meters
from infertop.views.shapes import Searched

if TYPE_CHECKING:
    from infertop.commands.session import Session

_FAR_METERS = frozenset({"dcgm", "ssh"})  # kinds that read the GPUs of other machines
_TOLD = {kind.name: Told(kind.says, kind.caveats, kind.counts_at_end) for kind in KINDS.values() if kind.says}
_DEMO_HOST = "demo-box"


def newest_gpus(state: State) -> list[Batch]:
    """Return the newest reading of each meter of GPUs, as far as it still holds; this machine's own meter first."""
    found = [
        (source.health.kind in _FAR_METERS, source.newest)
        for source in state.sources().values()
        if source.newest is not None and not source.stale and is_gpus(source.newest.series)
    ]
    return [batch for _, batch in sorted(found, key=lambda each: each[0])]


def own_gpus(state: State) -> list[Batch]:
    """Return the newest reading of each meter of this machine's own GPUs, as far as it still holds."""
    sources = state.sources()
    return [each for each in newest_gpus(state) if sources[each.source].health.kind not in _FAR_METERS]


def known(session: Session) -> Facts:
    """Return what the state says over the window, what the ledger says, what both cost, and how the program is."""
    now, pricing, viewing, demo = session.clock.now(), session.pricing, session.viewing, session.setup.demo
    session.state.tick(now)
    meters = Meters(session.state, session.window)
    local = viewing.local if viewing else session.roster.local()
    current = costs(newest_gpus(session.state), meters, pricing.prices, now, local)
    healths = _of_sources(session.state.healths(), viewing.sources if viewing else session.roster.every().keys())
    if viewing and viewing.silent:
        healths = tuple(_unheard(each, viewing.silent) for each in healths)
    api = api_rates(session.summary, tellers(healths, session.summary.accounts), now)
    current = replace(current, told=api.usd_per_hour)
    return Facts(
        now=now,
        state=session.state,
        healths=healths,
        meters=meters,
        prices=pricing.prices,
        costs=current,
        past=_past(session, current, api, now),
        interval_seconds=session.interval,
        timezone=str(pricing.settings.zone),
        host=_DEMO_HOST if demo else socket.gethostname(),
        mode="demo" if demo else "viewer" if viewing else "live",
        notices=session.notices,
        searched=(*_looked(session), *session.roster.afar.searched),
        recorder=viewing.recorder if viewing else "",
        prices_loaded_at=pricing.loaded_at,
        told=_TOLD,
        choices=session.choosing.choices,
        api=api,
        accounts=session.summary.accounts,
    )


def _past(session: Session, current: Costs, api: ApiRates, now: float) -> Past:
    watch, settings = session.watch, session.pricing.settings
    plans, events = session.plans.made, watch.events.shown
    return past(session.summary, settings, current, watch.baselines, events, now, api, plans, session.unread)


def _looked(session: Session) -> tuple[Searched, ...]:
    """Return what was looked for on this machine; why nothing, where nobody here looks."""
    if session.finding is not None:
        return session.finding.searched
    if session.viewing is not None:
        return (Searched("nothing here", "", "this shows what another infertop records: that one looks"),)
    if session.setup.demo:
        return ()
    return (Searched("nothing", "", "--no-discovery: only what you name with --source or in pricing.toml is read"),)


def tellers(healths: Iterable[Health], accounts: Mapping[str, Account]) -> list[Teller]:
    """Return the sources that tell of use in statements, each with the time up to which it has told all.

    A provider says that itself; a log or a gateway has told all when it was last read.
    """
    found = []
    for health in healths:
        kind = KINDS.get(health.kind)
        if kind is None:
            continue
        if kind.api is not None:
            account = accounts.get(health.source)
            found.append(Teller(health.source, account.complete_until if account else None))
        elif kind.folders is not None or kind.gateway:
            found.append(Teller(health.source, health.good_ts, recorded=kind.gateway))
    return found


def _unheard(health: Health, why: str) -> Health:
    """Say of a source of which nothing is heard that its reader is silent: it may be well itself."""
    return replace(health, detail=why) if health.state is SourceState.STALE else health


def _of_sources(healths: tuple[Health, ...], names: Collection[str] | None) -> tuple[Health, ...]:
    """Return how these sources are (None: all); what the tape still knows, and nobody reads now, is left out."""
    return healths if names is None else tuple(each for each in healths if each.source in names)

"""What a history tells of itself besides readings and lines: its sources, what they cost when, what providers allow."""

from __future__ import annotations

import json
import sqlite3
import struct
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from infertop.commands.replay_events import Stored, read_events
from infertop.engine.collector import Health, State
from infertop.history.account_notes import accounts_of
from infertop.history.notes import read_sources
from infertop.history.price_log import read_states
from infertop.history.replay_span import Recorded, recorded
from infertop.money.price_history import Loaded
from infertop.money.settings import Settings
from infertop.readings.account import Account

MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)
"""What comes of rows that infertop did not write: a file may be anybody's."""

_MACHINE = ("nvml", "host", "amd")
_PRICED = ("gpus", "host", "energy", "models", "providers", "deployments")


@dataclass(frozen=True, slots=True)
class Annals:
    """What is best known of a history whatever time of it is shown. `kinds` are those of its sources, by name."""

    recorded: Recorded
    kinds: Mapping[str, str] = field(default_factory=dict)
    local: frozenset[str] = frozenset()
    accounts: Mapping[str, Account] = field(default_factory=dict)
    prices: Sequence[Loaded] = ()
    events: Sequence[Stored] = ()

    def health(self, source: str, ts: float, interval: float) -> Health:
        """Return how a source is that was read at `ts`."""
        kind = self.kinds.get(source) or source.partition("@")[0]
        return Health(source, kind, State.UP, good_ts=ts, tried_ts=ts, interval_seconds=interval)

    def accounts_at(self, telling: Iterable[str], until: float) -> dict[str, Account]:
        """Return what providers allow; balances and what they say is spent are those of another time."""
        found = {}
        for source in {*telling, *self.accounts}:
            known = self.accounts.get(source, Account())
            allowed = known.allowances and tuple(replace(each, spent_usd=None) for each in known.allowances)
            found[source] = Account(allowances=allowed, rate_limits=known.rate_limits, complete_until=until)
        return found

    def settings_at(self, settings: Settings, ts: float) -> Settings:
        """Return settings with what pricing.toml said of prices at `ts`, as far as the history knows."""
        if not self.prices:
            return settings
        at = max(bisect_right([each.ts for each in self.prices], ts) - 1, 0)
        said = self.prices[at].settings
        return replace(settings, **{name: getattr(said, name) for name in _PRICED})


def read_annals(connection: sqlite3.Connection) -> Annals | None:
    """Return what a history tells of itself, None where it is empty."""
    span = recorded(connection)
    if span is None:
        return None
    kinds = {name: kind for name, (kind, _, _) in read_sources(connection).items()}
    inventory = _inventory(connection)
    sources = [row for row in inventory.get("sources", ()) if isinstance(row, dict)]
    kinds |= {str(row.get("name")): str(row.get("kind")) for row in sources}
    local = {str(row.get("name")) for row in sources if row.get("local")}
    local |= {name for name, kind in kinds.items() if kind in _MACHINE or "@127.0.0.1:" in name}
    return Annals(
        recorded=span,
        kinds=kinds,
        local=frozenset(local),
        accounts=accounts_of(inventory),
        prices=read_states(connection),
        events=read_events(connection),
    )


def _inventory(connection: sqlite3.Connection) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, content in connection.execute("SELECT kind, content FROM inventory").fetchall():
        try:
            rows = json.loads(content)
        except (TypeError, ValueError):
            continue
        if isinstance(rows, list):
            found[str(kind)] = rows
    return found

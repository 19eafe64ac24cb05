"""The ledger's line: what was used in one span of time, what it cost, and by which price."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

NANO = 1_000_000_000


class Basis(StrEnum):
    """How a figure was come by."""

    MEASURED = "measured"
    COMPUTED = "computed"
    ESTIMATED = "estimated"
    BILLED = "billed"


@dataclass(frozen=True, slots=True)
class Price:
    """A unit price and where it is from; two prices with the same content are the same price.

    `per` is the unit that `usd` pays for: "GPU hour", "host hour", "deployment hour", "kWh", "1M tokens". `source` is
    what the screen shows ("pricing.toml:4", "default rates 2026-11-22"), `since` the date or time from which it holds,
    or empty. `default` is True where nobody set it.
    """

    name: str
    usd: Decimal
    per: str
    source: str
    since: str = ""
    default: bool = False

    @property
    def id(self) -> str:
        """The content's hash: what a ledger line keeps of its price."""
        content = json.dumps([self.name, str(self.usd), self.per, self.source, self.since, self.default])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger. `start` and `end` are epoch seconds; a line of the open minute has its whole minute.

    `resource` is a token class, a call unit ("requests", "web_searches"), "cost" where a provider states its own
    (1e-9 USD), "requests_failed", "requests_aborted", "gpu_busy", "gpu_idle", "gpu" where
    the two cannot be told apart (quantity in milliseconds), "gpu_energy" (millijoules), "host" or "deployment"
    (milliseconds). `usd_nano` is None where there is no price. `flags` are words joined by blanks: "gap" for an
    increase over a time in which nobody polled, "restart" where the engine began anew, so that some of what it did is
    not in. Every line about a GPU carries its UUID in `dimensions` as `gpu`, that of a MIG instance (or of what
    instances leave over) its `slices`, and energy drawn while nothing ran has `state` "idle".
    """

    start: int
    end: int
    source: str
    provider: str
    model: str | None
    resource: str
    dimensions: tuple[tuple[str, str], ...]
    quantity: int
    unit: str
    usd_nano: int | None
    price: Price | None
    basis: Basis
    flags: str = ""

"""What a provider says of an account besides how much was used: what it charges, who is who, what is left and allowed.

Nothing here is spend: usage is (`Statement`), and a bill only settles it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """What a provider charges for one thing on one of its days: a row of its cost API, in 1e-9 USD.

    `start` and `end` are epoch seconds, the edges of the provider's day. `model`, `resource` (a token class or call
    unit of the registry) and each of `dimensions` are named as in the source's statements, and absent where the row
    does not say. `text` is what the provider calls it, for the person at the screen.
    """

    start: int
    end: int
    provider: str
    model: str | None
    resource: str | None
    dimensions: Mapping[str, str]
    usd_nano: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class BillPage:
    """Everything that a source's cost API said of [start, end): it replaces what it said of the days inside.

    A day is settled once `settles_seconds` have passed since its end. `leaves_out` are dimensions (name, value) of
    usage that this API never has: what has one of them is left as computed, and told as part of the drift.
    """

    source: str
    start: int
    end: int
    bills: tuple[Bill, ...]
    settles_seconds: int
    leaves_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Name:
    """What people call an id: `kind` is the dimension ("key", "project", "user")."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left on an account, in its own currency (ISO 4217, upper case); it is never converted.

    `what` tells several apart ("granted", "topped up", "cash"), empty for the whole.
    """

    provider: str
    currency: str
    amount: Decimal
    what: str = ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A limit that the provider keeps: it is shown as a budget, marked as the provider's.

    `period` is "hour", "day", "week" or "month", empty where it never begins anew; `conditions` are (dimension, value);
    `spent_usd` is what the provider itself says, None where it does not; `alert_at` are shares of the limit.
    `enforced` says that the provider refuses requests beyond it, None where that is not told.
    """

    name: str
    provider: str
    limit_usd: Decimal
    period: str
    conditions: tuple[tuple[str, str], ...] = ()
    spent_usd: Decimal | None = None
    alert_at: tuple[Decimal, ...] = ()
    enforced: bool | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How much of a model may be used: `limit` in `unit` ("requests", "tokens", "input tokens") every `seconds`."""

    provider: str
    model: str | None
    unit: str
    limit: int
    seconds: int
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What a provider says that a model costs at it: USD per million tokens by class, or for one of a call unit.

    `varies`: it costs something else for long prompts, or at some times of the day. Nothing is priced by it: it stands
    beside what is.
    """

    provider: str
    model: str
    prices: tuple[tuple[str, Decimal], ...]
    varies: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What one poll of a source read about its account. None: it was not asked this time, what stands goes on standing.

    `complete_until` is the end of the newest bucket of usage that the provider has whole (epoch seconds); what is
    newer is shown as incomplete and never alarmed on. The age of a provider's figures is now minus that.
    `spent_hour` is the hour (epoch seconds of its begin) in which allowances last told what is spent: the history notes
    it, so that what was spent of a period that is over is not taken for the running one's.
    """

    bills: tuple[BillPage, ...] = ()
    names: tuple[Name, ...] | None = None
    balances: tuple[Balance, ...] | None = None
    allowances: tuple[Allowance, ...] | None = None
    rate_limits: tuple[RateLimit, ...] | None = None
    list_prices: tuple[ListPrice, ...] | None = None
    complete_until: float | None = None
    spent_hour: float | None = None

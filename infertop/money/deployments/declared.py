"""What [[deployment]] says: plain values, checked when they were read. Amounts are Decimal and in USD."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

Kind = Literal["provisioned", "serverless", "batch"]
KINDS: tuple[Kind, ...] = ("provisioned", "serverless", "batch")
# How many hours the periods of a batch have; a month is 730 of them.
PERIOD_HOURS = {"hour": Decimal(1), "day": Decimal(24), "week": Decimal(168), "month": Decimal(730)}
ONCE = "once"

Tokens = tuple[tuple[str, Decimal], ...]
"""Tokens of a request by class, as pairs; the classes are disjoint."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How many tokens of what was reserved one token uses up; a fresh input token uses up one."""

    output: Decimal = Decimal(1)
    cache_read: Decimal = Decimal(1)
    cache_write: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Provisioned:
    """Reserved throughput for a fixed price.

    `tokens_per_minute` is what is reserved of weighted tokens; where input and output are reserved apart it is None,
    and the two others are set. `formula` says how `usd_per_hour` is come by.
    """

    usd_per_hour: Decimal
    formula: str
    tokens_per_minute: Decimal | None = None
    input_tokens_per_minute: Decimal | None = None
    output_tokens_per_minute: Decimal | None = None
    weights: Weights = Weights()
    requests_per_hour: Decimal | None = None
    tokens: Tokens = ()


@dataclass(frozen=True, slots=True)
class Hardware:
    """GPUs that are rented by the hour: a GPU's name, or a price; `count` of them."""

    gpu: str = ""
    usd_per_hour: Decimal | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Serverless:
    """Seconds of a worker, paid for while it works, starts or waits.

    `cold_starts_per_hour` is None where it follows from the traffic and from `idle_seconds`, the time for which a
    worker waits for the next request before it stops. Every start, or every request where waiting is not billed, is
    rounded up to a multiple of `round_up_to_seconds`; 0: it is not rounded. `dedicated` is what it is compared with.
    """

    usd_per_second: Decimal
    idle_usd_per_second: Decimal
    seconds_per_request: Decimal | None = None
    requests_per_hour: Decimal | None = None
    cold_start_seconds: Decimal = Decimal(0)
    cold_starts_per_hour: Decimal | None = None
    cold_start_billed: bool = True
    idle_seconds: Decimal = Decimal(0)
    idle_billed: bool = True
    round_up_to_seconds: Decimal = Decimal(0)
    workers: int = 1
    dedicated: Hardware | None = None
    tokens: Tokens = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that can wait: so many at once or again and again, by the provider's batch price or on own GPUs.

    `every` is a period of `PERIOD_HOURS` or "once". On own GPUs `hardware` is set, and works for `hours` each time.
    """

    requests: Decimal
    tokens: Tokens
    every: str
    hardware: Hardware | None = None
    hours: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One [[deployment]]. `provider` is a name, `model` a name or a glob.

    `conditions` (dimension, glob) narrow down whose traffic it serves. It exists from the beginning of the day `since`
    to that of `until`, and always without. `where` is the line of its price, or its own; `counts` says whether what it
    costs is part of what is spent.
    """

    name: str
    provider: str
    model: str
    where: str
    terms: Provisioned | Serverless | Batch
    counts: bool = False
    conditions: tuple[tuple[str, str], ...] = ()
    since: date | None = None
    until: date | None = None
    kind: Kind = field(init=False)

    def __post_init__(self) -> None:
        kind: Kind = KINDS[(Provisioned, Serverless, Batch).index(type(self.terms))]
        object.__setattr__(self, "kind", kind)

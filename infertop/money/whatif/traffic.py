"""Measured traffic: what was asked of a model in the time that was recorded, and the GPUs that it took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from infertop.money.quote import Way
from infertop.readings.registry import TOKEN_CLASSES

HOUR = 3600
DAY = 86_400
MILLION = 1_000_000

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Tokens by class and calls by unit, for each way of processing, over `seconds`; `requests` None: not known.

    Where it is a sum, `parts` are what it is the sum of, over the same time: each has a mean prompt of its own.
    """

    seconds: Decimal
    tokens: Mapping[Way, Counts]
    requests: int | None = None
    calls: Mapping[Way, Counts] = field(default_factory=dict)
    parts: tuple[Traffic, ...] = ()

    @property
    def by_class(self) -> dict[str, int]:
        """Tokens by class, of all ways together, in the registry's order."""
        found: dict[str, int] = {}
        for counts in self.tokens.values():
            for name, count in counts.items():
                found[name] = found.get(name, 0) + count
        return {name: found[name] for name in TOKEN_CLASSES if name in found}

    @property
    def all_tokens(self) -> int:
        """Tokens of all classes."""
        return sum(self.by_class.values())

    @property
    def prompt_tokens_per_request(self) -> int | None:
        """The mean prompt, cached tokens included, rounded up; None where requests are not known or there were none.

        Rounded up, a mean is above a tier's whole number of tokens exactly where it is so unrounded.
        """
        if not self.requests:
            return None
        prompt = sum(count for name, count in self.by_class.items() if TOKEN_CLASSES[name].prompt)
        return math.ceil(Decimal(prompt) / self.requests)

    @property
    def tokens_per_second(self) -> Decimal | None:
        """All tokens over the recorded time, None where nothing was recorded."""
        return Decimal(self.all_tokens) / self.seconds if self.seconds else None

    def per_hour(self, amount: Decimal | None) -> Decimal | None:
        """Return an amount of the whole traffic as one of an hour, None where nothing was recorded."""
        return None if amount is None or not self.seconds else amount * HOUR / self.seconds


@dataclass(frozen=True, slots=True)
class GpusUsed:
    """The GPU time behind the traffic: `hours` allocated to it (busy and idle), what that cost, and by which price.

    `busy_hours` is None where utilisation was not known. `uuids` are the GPUs, `name` what NVML calls them (the one
    with most time), `price_source` and `default` tell the price of an hour. `usd` includes the energy of owned ones,
    which `energy` says that there is.
    """

    hours: Decimal = Decimal(0)
    busy_hours: Decimal | None = None
    usd: Decimal | None = None
    busy_usd: Decimal | None = None
    uuids: frozenset[str] = frozenset()
    name: str = ""
    price_source: str = ""
    price_since: str = ""
    default: bool = False
    energy: bool = False

    @property
    def usd_per_gpu_hour(self) -> Decimal | None:
        """USD an hour of one GPU, energy included; None without a price or without GPU time."""
        return self.usd / self.hours if self.usd is not None and self.hours else None


@dataclass(frozen=True, slots=True)
class Used:
    """One model of one source in the span: its traffic, what it cost in all (None: nothing has a price), its GPUs.

    `basis` is the least certain of its costs. `gap_tokens` were told for time in which nobody polled: they are in no
    rate. `counts` is False for what another source counts too, `reserved` says that tokens of it are paid for by the
    hours of reserved throughput, which are another's cost.
    """

    source: str
    provider: str
    model: str
    traffic: Traffic
    usd: Decimal | None
    gpus: GpusUsed
    basis: str = ""
    gap_tokens: int = 0
    counts: bool = True
    reserved: bool = False

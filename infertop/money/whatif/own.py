"""GPUs of one's own: what tokens cost on them, from how many on they are cheaper, how many a load needs.

R: USD an hour of one GPU; tps: tokens of all classes a second that one GPU serves at full use, at the mix measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from infertop.money.whatif.traffic import DAY, HOUR, MILLION

HOURS_PER_DAY = 24
# Throughputs are quotients: five times one of them must be five GPUs, whatever was lost in the 28th digit.
_ROUNDED_OFF = 1 - Decimal("1e-15")


@dataclass(frozen=True, slots=True)
class BreakEvenPoint:
    """From where on GPUs are cheaper than an API: tokens a day, and the share of what the GPUs can serve.

    `capacity` is what they can serve a day, in tokens; it, `utilization` and `reachable` are None where that is not
    known. `reachable` is False where more tokens would be needed than they can serve: then they never are.
    """

    tokens_per_day: Decimal
    capacity: Decimal | None
    utilization: Decimal | None
    reachable: bool | None


def usd_per_million(usd_per_hour: Decimal, tokens_per_second: Decimal) -> Decimal:
    """Return what a million tokens cost at a rate and a throughput: R / 3600 / tps x 1e6, USD."""
    return usd_per_hour * MILLION / HOUR / tokens_per_second


def usd_per_day(gpus: int | Decimal, usd_per_gpu_hour: Decimal) -> Decimal:
    """Return what GPUs that are held day and night cost a day: gpus x R x 24, USD."""
    return gpus * usd_per_gpu_hour * HOURS_PER_DAY


def tokens_per_day(tokens_per_second: Decimal, gpus: int | Decimal = 1) -> Decimal:
    """Return what GPUs serve a day at full use: gpus x tps x 86400, tokens."""
    return gpus * tokens_per_second * DAY


def break_even(
    usd_per_gpu_hour: Decimal,
    usd_per_million_tokens: Decimal,
    tokens_per_second: Decimal | None = None,
    gpus: int | Decimal = 1,
) -> BreakEvenPoint | None:
    """Return from where on `gpus` GPUs are cheaper than an API at a price; None where the API is free.

    tokens a day = 24 R x gpus / price x 1e6, which is at a utilisation of R x 1e6 / (3600 x tps x price).
    """
    if usd_per_million_tokens <= 0:
        return None
    tokens = usd_per_day(gpus, usd_per_gpu_hour) * MILLION / usd_per_million_tokens
    if not tokens_per_second or not gpus:
        return BreakEvenPoint(tokens, None, None, None)
    capacity = DAY * tokens_per_second * gpus
    return BreakEvenPoint(tokens, capacity, tokens / capacity, tokens <= capacity)


def gpus_needed(
    tokens_per_second: Decimal,
    tokens_per_second_per_gpu: Decimal,
    gpus_per_replica: int = 1,
    utilization: Decimal = Decimal(1),
) -> int:
    """Return the whole GPUs for a load: ceil(load / (tps x gpus per replica x utilisation)) replicas of that many.

    One replica at least, for a model that is held; `utilization` is how full they may be.
    """
    of_replica = tokens_per_second_per_gpu * gpus_per_replica * utilization
    return max(math.ceil(tokens_per_second / of_replica * _ROUNDED_OFF), 1) * gpus_per_replica

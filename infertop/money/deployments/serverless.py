"""Serverless GPU seconds: what an hour's traffic is billed, and from when on a dedicated GPU is cheaper. Pure formulas.

Vendors bill from the start of a worker to its stop (RunPod, Modal, fal: start + execution + idle, RunPod rounded up to
a second), or the seconds of each request alone (SageMaker Serverless, public models of Replicate).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from infertop.money.deployments.declared import Serverless

HOUR = Decimal(3600)
_NONE = Decimal(0)
# A worker that waits for so many mean gaps is found cold once in 1e434 requests: what is longer would overflow.
_AWAKE = Decimal(1000)
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of traffic in seconds of all workers together: working, starting, waiting, and added by rounding up.

    `cold_starts` of it are known or `estimated`; `fits` is False where the workers cannot serve that much.
    """

    requests: Decimal
    busy: Decimal
    starting: Decimal
    idle: Decimal
    rounding: Decimal
    cold_starts: Decimal
    estimated: bool
    fits: bool
    usd: Decimal

    @property
    def billed(self) -> Decimal:
        """The seconds that are paid for."""
        return self.busy + self.starting + self.idle + self.rounding


def hour(terms: Serverless, requests: Decimal, seconds_per_request: Decimal) -> Hour:
    """Return what an hour with that many requests of that many seconds each is billed.

    Where the number of cold starts is declared, each serves its share of the requests one after the other and then
    waits `idle_seconds`. Where it is not, requests come at random, at a rate to each worker (an M/G/1 queue whose first
    request may have to wait for the start): asleep = exp(-rate x idle_seconds) of the requests that find it free find
    it cold, it is free for (1 - rho) / (1 + rate x asleep x cold_start_seconds) of the time, for a start takes a
    worker's time too, and waits in 1 - asleep of that.
    """
    busy = requests * seconds_per_request
    rate = requests / HOUR / terms.workers
    asleep = (-min(rate * terms.idle_seconds, _AWAKE)).exp()
    free = max(1 - busy / (HOUR * terms.workers), _NONE) / (1 + rate * asleep * terms.cold_start_seconds)
    starts = terms.cold_starts_per_hour
    if starts is None:
        cold, waiting = requests * free * asleep, HOUR * terms.workers * free * (1 - asleep)
    else:
        cold, waiting = starts, starts * terms.idle_seconds
    idle = waiting if terms.idle_billed else _NONE
    starting = cold * terms.cold_start_seconds if terms.cold_start_billed else _NONE
    rounding = _rounding(terms, requests, seconds_per_request, cold, busy + starting + idle)
    usd = (busy + starting + rounding) * terms.usd_per_second + idle * terms.idle_usd_per_second
    # Without starts and waiting that are paid for nothing depends on how requests follow one another.
    estimated = starts is None and bool(idle or starting)
    return Hour(requests, busy, starting, idle, rounding, cold, estimated, busy <= HOUR * terms.workers, usd)


def _rounding(terms: Serverless, requests: Decimal, seconds: Decimal, cold: Decimal, exact: Decimal) -> Decimal:
    """Return the seconds that rounding up adds: to each start where waiting is billed, else to each request."""
    step = terms.round_up_to_seconds
    if not step or not requests:
        return _NONE
    if terms.idle_billed and terms.idle_seconds and cold:
        return rounded_up(exact / cold, step) * cold - exact
    start = terms.cold_start_seconds if terms.cold_start_billed else _NONE
    colds = min(cold, requests)
    warm = (rounded_up(seconds, step) - seconds) * (requests - colds)
    return warm + (rounded_up(start + seconds, step) - start - seconds) * colds


def rounded_up(seconds: Decimal, step: Decimal) -> Decimal:
    """Return the next multiple of `step` from `seconds` on."""
    return (seconds / step).to_integral_value(ROUND_CEILING) * step


def utilisation(busy_seconds: Decimal, workers: int = 1) -> Decimal:
    """Return the share of the hour in which GPUs that run all the time would work."""
    return busy_seconds / (HOUR * workers)


def break_even(dedicated_usd_per_hour: Decimal, usd_per_second: Decimal) -> Decimal | None:
    """Return the share of the hour that may be billed until a dedicated GPU is cheaper: d / (3600 r); None if free."""
    return dedicated_usd_per_hour / (HOUR * usd_per_second) if usd_per_second else None


def break_even_by_traffic(terms: Serverless, dedicated_usd_per_hour: Decimal, seconds_per_request: Decimal) -> Decimal:
    """Return the utilisation until which serverless is cheaper, where starts and waiting follow from the traffic.

    Fewer requests are waited for longer: the bill is not in proportion to them, so the traffic is halved in. Above 1,
    serverless is cheaper at any use.
    """
    full = HOUR * terms.workers / seconds_per_request
    most = hour(terms, full, seconds_per_request).usd
    if most <= dedicated_usd_per_hour:
        return dedicated_usd_per_hour / most
    low, high = _NONE, full
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if hour(terms, middle, seconds_per_request).usd <= dedicated_usd_per_hour:
            low = middle
        else:
            high = middle
    return utilisation(low * seconds_per_request, terms.workers)


def break_even_at(dedicated_usd_per_hour: Decimal, used: Decimal, usd_per_hour: Decimal) -> Decimal | None:
    """Return the utilisation until which serverless is cheaper, from one point: `usd_per_hour` at `used`.

    Cold starts and waiting are taken to stay the same share of the bill.
    """
    return dedicated_usd_per_hour * used / usd_per_hour if usd_per_hour else None

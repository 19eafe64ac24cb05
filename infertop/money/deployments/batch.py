"""Batch jobs: what they cost by the provider's batch price or on own GPUs, and what they would cost at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from infertop.money.deployments.blend import prompt_of, tokens_usd
from infertop.money.deployments.declared import PERIOD_HOURS, Batch
from infertop.money.quote import STANDARD_RATE, Quote

_BATCH = f"{STANDARD_RATE}:batch"


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a batch in USD; None where a price is missing. `flags` are those of the batch price.

    `at_once` is what the same requests cost one by one at the standard rate.
    """

    usd: Decimal | None
    at_once: Decimal | None
    flags: tuple[str, ...] = ()

    @property
    def saved(self) -> Decimal | None:
        """What is saved by waiting."""
        return None if self.usd is None or self.at_once is None else self.at_once - self.usd

    @property
    def at_standard_rate(self) -> bool:
        """Whether the list has no price for batches, so that nothing is saved."""
        return _BATCH in self.flags


def by_the_token(terms: Batch, batch: Quote | None, standard: Quote | None) -> Job:
    """Return what a run costs by a provider's prices for batches, and by those for requests at once."""
    return Job(run_usd(terms, batch), run_usd(terms, standard), batch.flags if batch else ())


def on_gpus(terms: Batch, usd_per_gpu_hour: Decimal | None, standard: Quote | None) -> Job:
    """Return what a run costs on GPUs that work for its hours, and by a provider's prices at once where there are."""
    usd = None
    if usd_per_gpu_hour is not None and terms.hardware is not None and terms.hours is not None:
        usd = usd_per_gpu_hour * terms.hardware.count * terms.hours
    return Job(usd, run_usd(terms, standard))


def run_usd(terms: Batch, quote: Quote | None) -> Decimal | None:
    """Return requests x the price of one of them; None where a class of which there are some has no price."""
    one = dict(terms.tokens)
    usd = tokens_usd(quote, one, prompt_of(one))
    return None if usd is None else usd * terms.requests


def per_hour(terms: Batch, usd: Decimal | None) -> Decimal | None:
    """Return what a batch that comes again and again costs an hour; None for one that does not."""
    hours = PERIOD_HOURS.get(terms.every)
    return None if usd is None or hours is None else usd / hours


def tokens_of(terms: Batch) -> Mapping[str, Decimal]:
    """Return the tokens of a whole run by class."""
    return {name: amount * terms.requests for name, amount in terms.tokens}

"""What a use costs as it goes on and as it grows: by the day and the month, and over many steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from infertop.money.cost import cost
from infertop.money.quote import Cost, Quote
from infertop.money.whatif.priced import ratio
from infertop.money.whatif.traffic import MILLION

HOURS_PER_MONTH = 730
DAYS_PER_MONTH = 30


@dataclass(frozen=True, slots=True)
class RunRate:
    """What goes on at one rate: USD an hour, a day (24 h) and a month (730 h)."""

    usd_per_hour: Decimal

    @property
    def usd_per_day(self) -> Decimal:
        """24 hours of it."""
        return self.usd_per_hour * 24

    @property
    def usd_per_month(self) -> Decimal:
        """730 hours of it, a twelfth of a year."""
        return self.usd_per_hour * HOURS_PER_MONTH


@dataclass(frozen=True, slots=True)
class Volume:
    """So many requests a day, each with the same tokens by class: what a plan says before there is traffic."""

    requests_per_day: int
    tokens_per_request: Mapping[str, int]

    def tokens_per_day(self) -> int:
        """Tokens of all classes a day."""
        return self.requests_per_day * sum(self.tokens_per_request.values())

    def usd_per_request(self, quote: Quote | None) -> Decimal | None:
        """What one request costs, None where nothing of it has a price."""
        return cost(quote, self.tokens_per_request).usd

    def usd_per_day(self, quote: Quote | None) -> Decimal | None:
        """What a day of them costs."""
        return projected(self.usd_per_request(quote), self.requests_per_day)

    def usd_per_month(self, quote: Quote | None, days: int = DAYS_PER_MONTH) -> Decimal | None:
        """What so many days of them cost."""
        return projected(self.usd_per_request(quote), self.requests_per_day * days)


def together_usd_per_month(plans: Iterable[tuple[Volume, Quote | None]], days: int = DAYS_PER_MONTH) -> Decimal | None:
    """Return what several volumes, each with its model's quote, cost a month; None where one's cost is not known."""
    parts = [volume.usd_per_month(quote, days) for volume, quote in plans]
    return None if None in parts else sum((each for each in parts if each is not None), Decimal(0))


def projected(usd_per_request: Decimal | None, requests: int) -> Decimal | None:
    """Return what that many requests cost: USD per request x requests; None where one's cost is not known."""
    return None if usd_per_request is None else usd_per_request * requests


@dataclass(frozen=True, slots=True)
class Loop:
    """An agent's run: tokens and USD of all its steps, each of which cost `step`; `ratio` is over the `direct` call."""

    step: Cost
    tokens: Mapping[str, int]
    usd: Decimal | None
    by_class: Mapping[str, Decimal | None]
    ratio: Decimal | None


def loop(quote: Quote | None, tokens_per_step: Mapping[str, int], steps: int, direct: Mapping[str, int]) -> Loop:
    """Return what `steps` calls cost together, USD, and how many times that of the `direct` call it stands in for."""
    step = cost(quote, tokens_per_step)
    by_class = {name: projected(usd, steps) for name, usd in step.by_class.items()}
    usd = projected(step.usd, steps)
    tokens = {name: count * steps for name, count in tokens_per_step.items()}
    return Loop(step, tokens, usd, by_class, ratio(usd, cost(quote, direct).usd))


def amortised_usd_per_token(training_usd: Decimal, lifetime_tokens: int | Decimal) -> Decimal:
    """Return what training adds to each token that the model ever serves: USD / tokens."""
    return training_usd / lifetime_tokens


def per_million(usd_per_token: Decimal) -> Decimal:
    """Return USD per million tokens."""
    return usd_per_token * MILLION

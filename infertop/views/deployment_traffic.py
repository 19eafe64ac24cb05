"""What a deployment serves: the traffic that meters tell of it, else what pricing.toml declares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from infertop.money.deployments.blend import prompt_of, tokens_usd
from infertop.money.deployments.booked import model_of, serves
from infertop.money.deployments.declared import Deployment, Tokens
from infertop.money.quote import Quote
from infertop.money.rates import PriceBook
from infertop.views.shapes import ModelRow

HOUR = 3600
MEASURED, DECLARED, UNKNOWN = "measured", "declared", "unknown"
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Share:
    """The traffic of one model: tokens an hour by class, and the prompt tokens of a mean request (0: not known)."""

    model: str
    tokens: Mapping[str, Decimal]
    prompt_tokens: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is known of it: None or empty is unknown. `how` is "measured", "declared" or "unknown".

    `mix` is True where only the tokens of a request are known, and not how many requests there are: `shares` then are
    those of a single request an hour. `told` says where it is from.
    """

    how: str = UNKNOWN
    shares: tuple[Share, ...] = ()
    requests_per_hour: Decimal | None = None
    seconds_per_request: Decimal | None = None
    mix: bool = False
    told: str = "no meter tells of it, and pricing.toml does not declare it"

    @property
    def tokens(self) -> dict[str, Decimal]:
        """Tokens an hour by class, of all models together."""
        found: dict[str, Decimal] = {}
        for share in self.shares:
            for name, amount in share.tokens.items():
                found[name] = found.get(name, Decimal(0)) + amount
        return found


@dataclass(frozen=True, slots=True)
class ByToken:
    """What traffic costs by the token, and the quotes that say so; `usd` is None where a price is missing."""

    usd: Decimal | None
    quotes: tuple[Quote, ...] = field(default=())
    unpriced: str = ""


def measured(deployment: Deployment, rows: Iterable[ModelRow], prices: PriceBook) -> Traffic:
    """Return the traffic of the models of the live view that are the deployment's."""
    canonical = prices.listing.provider
    found = [row for row in rows if serves(deployment, row.source, row.provider, row.model, canonical=canonical)]
    shares = tuple(each for row in found if (each := _share(row)) is not None)
    requests = _sum(row.requests_per_second for row in found)
    if not shares and requests is None:
        return Traffic()
    names = sorted({f"{row.model} on {row.source}" for row in found})
    window = max(row.window_seconds for row in found)
    return Traffic(
        how=MEASURED,
        shares=shares,
        requests_per_hour=requests,
        seconds_per_request=_latency(found),
        told=f"measured over {window:.0f} s: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}",
    )


def declared(deployment: Deployment, requests_per_hour: Decimal | None, tokens: Tokens) -> Traffic:
    """Return the traffic that pricing.toml states, as tokens of a request and requests an hour."""
    if not tokens and requests_per_hour is None:
        return Traffic()
    one = dict(tokens)
    requests = Decimal(1) if requests_per_hour is None else requests_per_hour
    hourly = {name: amount * requests for name, amount in one.items()}
    return Traffic(
        how=UNKNOWN if requests_per_hour is None else DECLARED,
        shares=(Share(deployment.model, hourly, prompt_of(one)),) if one else (),
        requests_per_hour=requests_per_hour,
        mix=requests_per_hour is None,
        told=f"declared in {deployment.where.rpartition(':')[0] or 'pricing.toml'}",
    )


def by_token(deployment: Deployment, traffic: Traffic, prices: PriceBook, now: float) -> ByToken:
    """Return what the traffic would cost an hour by the list prices of its models at the deployment's provider."""
    total: Decimal | None = Decimal(0)
    quotes: list[Quote] = []
    for share in traffic.shares:
        model = model_of(deployment) or share.model
        quote = prices.quote(deployment.provider, model, now)
        usd = tokens_usd(quote, share.tokens, share.prompt_tokens)
        if quote is None or usd is None:
            return ByToken(None, tuple(quotes), model)
        quotes.append(quote)
        total = None if total is None else total + usd
    return ByToken(total if traffic.shares else None, tuple(quotes))


def exact(value: float | None) -> Decimal | None:
    """Return a measured figure as Decimal, None for what is no amount."""
    if value is None or not math.isfinite(value) or value < 0:
        return None
    return Decimal(f"{value:.{_DIGITS}g}")


def _share(row: ModelRow) -> Share | None:
    hourly = {name: rate * HOUR for name, each in row.tokens_per_second.items() if (rate := exact(each)) is not None}
    return Share(row.model, hourly, exact(row.prompt_tokens_per_request) or Decimal(0)) if hourly else None


def _sum(rates: Iterable[float | None]) -> Decimal | None:
    known = [rate for each in rates if (rate := exact(each)) is not None]
    return sum(known, Decimal(0)) * HOUR if known else None


def _latency(rows: Sequence[ModelRow]) -> Decimal | None:
    """Return the mean seconds of a request, each model by its requests; None where nobody tells."""
    told = [
        (rate, seconds)
        for row in rows
        if (rate := exact(row.requests_per_second)) and (seconds := exact(row.request.mean)) is not None
    ]
    requests = sum((rate for rate, _ in told), Decimal(0))
    return sum((rate * seconds for rate, seconds in told), Decimal(0)) / requests if requests else None

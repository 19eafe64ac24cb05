"""Which deployments cost money at a moment, what an hour of each costs, and whose tokens they pay for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from infertop.money.budgets import matches
from infertop.money.deployments.declared import Deployment, Provisioned
from infertop.money.lines import Price
from infertop.money.settings import Settings
from infertop.readings.model import LOCAL

DEPLOYMENT = "deployment"
PER_DEPLOYMENT_HOUR = "deployment hour"
Canonical = Callable[[str], str | None]
_PRECISION = Decimal("1e-12")


def running(deployments: Iterable[Deployment], ts: float, zone: ZoneInfo) -> tuple[Deployment, ...]:
    """Return the deployments that exist at `ts`; of those with one name the one that began last, until it ends."""
    deployments = tuple(deployments)
    if not deployments:
        return ()
    today = datetime.fromtimestamp(ts, zone).date()
    newest: dict[str, Deployment] = {}
    for each in deployments:
        before = newest.get(each.name)
        if _begun(each, today) and (before is None or (each.since or date.min) >= (before.since or date.min)):
            newest[each.name] = each
    return tuple(each for each in newest.values() if each.until is None or today < each.until)


def _begun(deployment: Deployment, today: date) -> bool:
    return deployment.since is None or deployment.since <= today


def spending(settings: Settings, ts: float) -> tuple[Deployment, ...]:
    """Return the deployments whose hours are spent at `ts`, used or not: provisioned ones that count."""
    return tuple(each for each in running(settings.deployments, ts, settings.zone) if spends(each))


def spends(deployment: Deployment) -> bool:
    """Say whether the hours of a deployment are part of what is spent."""
    return deployment.counts and isinstance(deployment.terms, Provisioned)


def price(deployment: Deployment) -> Price | None:
    """Return USD per hour of a deployment that costs the same used or not, None for others."""
    if not isinstance(deployment.terms, Provisioned):
        return None
    usd = Decimal(f"{deployment.terms.usd_per_hour.quantize(_PRECISION).normalize():f}")
    since = deployment.since.isoformat() if deployment.since else ""
    return Price(deployment.name, usd, PER_DEPLOYMENT_HOUR, deployment.where, since)


def dated_price(settings: Settings, name: str, ts: float) -> Price | None:
    """Return what the file says with a `from` that an hour of the deployment called `name` costs at `ts`, else None."""
    found = price_at(settings, name, ts)
    return found if found and found.since else None


def price_at(settings: Settings, name: str, ts: float) -> Price | None:
    """Return what an hour of the deployment called `name` costs at `ts`, None where there is none or it costs apart."""
    found = next((each for each in spending(settings, ts) if each.name == name), None)
    return price(found) if found else None


def usd_per_hour(deployments: Iterable[Deployment]) -> float | None:
    """Return what these cost an hour together, used or not; None where none of them does."""
    prices = [each for deployment in deployments if (each := price(deployment))]
    return float(sum(each.usd for each in prices)) if prices else None


def model_of(deployment: Deployment) -> str | None:
    """Return the one model that a deployment serves, None where it is a glob."""
    return None if any(ch in deployment.model for ch in "*?[") else deployment.model


def covers(
    settings: Settings,
    ts: float,
    source: str,
    provider: str,
    model: str | None,
    dimensions: Mapping[str, str | None] | None = None,
    canonical: Canonical = str.casefold,
) -> bool:
    """Say whether tokens of this traffic are paid for by a deployment that counts, and so must not be priced again.

    `dimensions` are those of the line (project, key, ...): a deployment that names one serves only what has it.
    `canonical` returns the one name of a provider that has several ("bedrock": "aws"), as `Listing.provider` does. What
    goes beyond the reserved throughput cannot be told from what is within it: a provider that reports such requests
    apart ("spillover") says so in a dimension, or under another model.
    """
    own = {**(dimensions or {}), "source": source}
    return any(serves(each, source, provider, model, own, canonical) for each in spending(settings, ts))


def serves(
    deployment: Deployment,
    source: str,
    provider: str,
    model: str | None,
    own: Mapping[str, str | None] | None = None,
    canonical: Canonical = str.casefold,
) -> bool:
    """Say whether this is traffic of the deployment.

    A meter of one's own (an engine, a gateway) does not know whose servers answer: its provider is "local", and it is
    believed where the deployment names it as its source.
    """
    said = {**(own or {}), "source": source, "model": model}
    if not matches((*deployment.conditions, ("model", deployment.model)), said):
        return False
    named = any(name == "source" for name, _ in deployment.conditions)
    one, other = ((canonical(name) or name).casefold() for name in (deployment.provider, provider))
    return one == other or (named and provider == LOCAL)

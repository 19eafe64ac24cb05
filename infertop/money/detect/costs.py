"""What a fault came to: where each request costs more, that times the requests, whatever their number did meanwhile."""

from __future__ import annotations

from dataclasses import replace

from infertop.money.detect.incidents import Incident
from infertop.money.detect.scopes import USD

_AS_MANY = 1.5  # times as many requests as expected, or as few, are no part of what is wrong
_MOST_OF_IT = 0.8


def all_of_it(incident: Incident, before: float, usd_per_hour: float, hours: float, lately: float) -> Incident:
    """Return a fault's incident where so much an hour is expected as `before`; it is more in the mean, and lately."""
    usd, beyond = (usd_per_hour - before) * hours, lately - before
    return replace(
        incident,
        hours=hours,
        total=usd_per_hour * hours,
        latest=lately,
        excess=usd,
        excess_per_hour=beyond,
        excess_usd=usd,
        excess_usd_per_hour=beyond,
    )


def costs(metric: str, incident: Incident, paid: Incident | None) -> Incident:
    """Return a fault's incident with what it came to; `paid` is that of the mean cost of a request of the same scope.

    $/hour is expected by the hours before, and traffic drifts: where it is a request that costs more, and about as many
    are made as expected, what is beyond is what those very requests would not have cost.
    """
    if metric != USD or paid is None or paid.excess_usd is None or not incident.hours:
        return incident
    if paid.hours < _MOST_OF_IT * incident.hours:
        return incident
    value, plan = incident.mean
    usual = value - paid.excess_usd / incident.hours  # what it would cost at the usual price of a request
    if not plan / _AS_MANY <= usual <= plan * _AS_MANY:
        return incident
    per_hour = paid.excess_usd_per_hour or 0.0
    return replace(
        incident,
        excess=paid.excess_usd,
        excess_per_hour=per_hour,
        excess_usd=paid.excess_usd,
        excess_usd_per_hour=per_hour,
    )

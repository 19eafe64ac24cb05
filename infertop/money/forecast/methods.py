"""The ways of forecasting: how fast the level of the last hours gives way to that of the day, the week, the month.

At `h` hours ahead the level is late^a x (day^(1-c) x (week^(1-d) x month^d)^c)^(1-a), with a = share x e^(-h/late),
c = 1 - e^(-h/day), d = 1 - e^(-h/week): near hours go on as the last ones, far ones come back to what is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import NamedTuple

from infertop.money.forecast.level import Levels

_LEAST = 1e-3  # of the usual level: what is taken for nothing


class Method(NamedTuple):
    """A way of forecasting: hours after which the level of late, of the day, of the week give way.

    `share` is what the last hours count for at first; without `shaped` every hour of the week is alike.
    """

    name: str
    late: float
    day: float
    week: float
    share: float
    shaped: bool = True


METHODS = (
    Method("last hours, then day, then week", 6, 48, 120, 0.7),
    Method("last hours for longer", 24, 96, 168, 0.7),
    Method("week and month", 6, 12, 12, 0.5),
    Method("last day goes on", 1, 1e9, 1e9, 0.0, shaped=False),
)


def path(method: Method, level: Levels, shape: Sequence[float]) -> list[float]:
    """Return what each hour ahead will take; `shape` has the factor of each of them."""
    least = _LEAST * max(level.week, level.month)
    if least <= 0:
        return [0.0] * len(shape)
    if not method.shaped:
        return [level.day] * len(shape)
    late, day, week, month = (log(max(each, least)) for each in level)
    found = []
    for ahead, factor in enumerate(shape):
        h = ahead + 0.5
        a, c, d = method.share * exp(-h / method.late), 1 - exp(-h / method.day), 1 - exp(-h / method.week)
        usual = week + d * (month - week)
        found.append(factor * exp(a * late + (1 - a) * (day + c * (usual - day))))
    return found

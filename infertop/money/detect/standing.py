"""What stands for two hours above all that the days before had, in a series that bursts too often for less to tell."""

from __future__ import annotations

from math import log

from infertop.money.detect.first import Stepped
from infertop.money.detect.usual import DAY, SLOT, WEEK, Usual

_SLOTS = 12
_KNOWN = 432  # slots; three days
_TIMES = 1.55


def standing(usual: Usual) -> Stepped | None:
    """Return the step two hours ago, where these were 1.55 times the highest two hours known before."""
    if usual.newest is None or usual.slots < _KNOWN:
        return None
    since = usual.newest - _SLOTS + 1
    mean = usual.mean_of(since, _SLOTS)
    if mean is None or mean < _TIMES * usual.level:
        return None
    if any((usual.mean_of(since - back, _SLOTS) or 0.0) * _TIMES > mean for back in (DAY, WEEK)):
        return None  # as on most days at their peak: it need not be looked at more
    before = usual.means_before(since, _SLOTS)
    if len(before) < _KNOWN - _SLOTS or log((mean + usual.floor) / (max(before) + usual.floor)) < log(_TIMES):
        return None
    values = [(each * SLOT, usual.value(each) or 0.0) for each in range(since, since + _SLOTS)]
    return Stepped(before[-1], max(before), float(since * SLOT), values, float(SLOT))

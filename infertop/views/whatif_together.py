"""Everything together: the traffic of all subjects as one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from infertop.money.lines import Basis
from infertop.money.quote import Way
from infertop.money.whatif.traffic import Counts, GpusUsed, Traffic, Used

ALL = "(all)"
_CERTAINTY = ("", *(str(each) for each in (Basis.BILLED, Basis.MEASURED, Basis.COMPUTED, Basis.ESTIMATED)))


def together(used: Sequence[Used]) -> Used:
    """Return the sum of what counts, over the longest time that one of them was recorded.

    What was recorded for a shorter time goes in at its rate; requests are known where those of all are.
    """
    counting = [each for each in used if each.counts] or list(used)
    seconds = max(each.traffic.seconds for each in counting)
    tokens: dict[Way, dict[str, int]] = {}
    calls: dict[Way, dict[str, int]] = {}
    usd: Decimal | None = None
    requests: int | None = 0
    for each in counting:
        times = seconds / each.traffic.seconds if each.traffic.seconds else Decimal(1)
        for whole, part in ((tokens, each.traffic.tokens), (calls, each.traffic.calls)):
            for way, counts in part.items():
                _add(whole.setdefault(way, {}), counts, times)
        if each.usd is not None:
            usd = (usd or Decimal(0)) + each.usd * times
        if each.traffic.requests is None:
            requests = None if each.traffic.all_tokens else requests
        elif requests is not None:
            requests += round(each.traffic.requests * times)
    return Used(
        source=ALL,
        provider="",
        model=ALL,
        traffic=Traffic(seconds, tokens, requests, calls),
        usd=usd,
        gpus=_gpus([each.gpus for each in counting]),
        basis=max((each.basis for each in counting), key=_CERTAINTY.index),
        gap_tokens=sum(each.gap_tokens for each in counting),
    )


def _add(whole: dict[str, int], part: Counts, times: Decimal) -> None:
    for name, amount in part.items():
        whole[name] = whole.get(name, 0) + round(amount * times)


def _gpus(parts: Sequence[GpusUsed]) -> GpusUsed:
    held = [each for each in parts if each.hours]
    if not held:
        return GpusUsed()
    most = max(held, key=lambda each: each.hours)
    busy = [each.busy_hours for each in held if each.busy_hours is not None]
    usd = [each.usd for each in held if each.usd is not None]
    busy_usd = [each.busy_usd for each in held if each.busy_usd is not None]
    return GpusUsed(
        hours=sum((each.hours for each in held), Decimal(0)),
        busy_hours=sum(busy, Decimal(0)) if len(busy) == len(held) else None,
        usd=sum(usd, Decimal(0)) if usd else None,
        busy_usd=sum(busy_usd, Decimal(0)) if len(busy_usd) == len(held) else None,
        uuids=frozenset().union(*(each.uuids for each in held)),
        name=most.name if len({each.name for each in held}) == 1 else "several kinds",
        price_source=most.price_source,
        price_since=most.price_since,
        default=most.default,
    )

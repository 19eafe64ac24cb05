"""Everything together: the traffic of all subjects as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from infertop.money.lines import Basis
from infertop.money.quote import Way
from infertop.money.whatif.traffic import Counts, GpusUsed, Traffic, Used
from infertop.readings.model import LOCAL
from infertop.views.whatif_shapes import AS_NOW, SEVERAL_KINDS, Scale, WhatIf

ALL = "(all)"
_OWN = "each engine on GPUs of its own"
_UNKNOWN = "what one GPU serves is not known of every engine"
_CERTAINTY = ("", *(str(each) for each in (Basis.BILLED, Basis.MEASURED, Basis.COMPUTED, Basis.ESTIMATED)))


def together(used: Sequence[Used]) -> Used:
    """Return the sum of what counts, over the longest time that one of them was recorded.

    What was recorded for a shorter time goes in at its rate; requests are known where those of all are.
    """
    counting = [each for each in used if each.counts] or list(used)
    seconds = max(each.traffic.seconds for each in counting)
    parts = [_over(seconds, each.traffic) for each in counting]
    tokens: dict[Way, dict[str, int]] = {}
    calls: dict[Way, dict[str, int]] = {}
    usd: Decimal | None = None
    requests: int | None = 0
    for each, part in zip(counting, parts, strict=True):
        for whole, counted in ((tokens, part.tokens), (calls, part.calls)):
            for way, counts in counted.items():
                _add(whole.setdefault(way, {}), counts)
        if each.usd is not None:
            usd = (usd or Decimal(0)) + each.usd * _times(seconds, each.traffic)
        if part.requests is None:
            requests = None if part.all_tokens else requests
        elif requests is not None:
            requests += part.requests
    return Used(
        source=ALL,
        provider="",
        model=ALL,
        traffic=Traffic(seconds, tokens, requests, calls, tuple(parts)),
        usd=usd,
        gpus=_gpus([_held(each.gpus, _times(seconds, each.traffic)) for each in counting]),
        basis=max((each.basis for each in counting), key=_CERTAINTY.index),
        gap_tokens=sum(each.gap_tokens for each in counting),
    )


def booked(used: Sequence[Used]) -> float | None:
    """Return what the ledger has of all that counts of these, in USD; None where nothing has a price."""
    found = [each.usd for each in [each for each in used if each.counts] or used if each.usd is not None]
    return float(sum(found)) if found else None


def growth_together(subjects: Sequence[WhatIf], factors: Sequence[float]) -> tuple[Scale, ...]:
    """Return the growth of everything as it is: providers in proportion, each own engine in whole GPUs of its own."""
    return tuple(
        _grown([each.scale[place] for each in subjects], subjects, factors[place]) for place in range(len(factors))
    )


def _grown(rows: Sequence[Scale], subjects: Sequence[WhatIf], factor: float) -> Scale:
    asked = [row.api_usd_per_hour for row, each in zip(rows, subjects, strict=True) if each.provider != LOCAL]
    own = [row for row, each in zip(rows, subjects, strict=True) if each.provider == LOCAL]
    gpus = [row.own_gpus for row in own if row.own_gpus is not None]
    own_usd = [row.own_usd_per_hour for row in own if row.own_usd_per_hour is not None]
    api_usd = [usd for usd in asked if usd is not None]
    unknown = len(gpus) < len(own)
    return Scale(
        factor=factor,
        tokens_per_second=sum(row.tokens_per_second or 0.0 for row in rows),
        api_model=AS_NOW if asked else "",
        api_usd_per_hour=sum(api_usd) if asked and len(api_usd) == len(asked) else None,
        own_gpus=sum(gpus) if own and not unknown else None,
        own_usd_per_hour=sum(own_usd) if own and len(own_usd) == len(own) else None,
        note=(_UNKNOWN if unknown else _OWN) if own else "",
    )


def _times(seconds: Decimal, traffic: Traffic) -> Decimal:
    return seconds / traffic.seconds if traffic.seconds else Decimal(1)


def _over(seconds: Decimal, traffic: Traffic) -> Traffic:
    """Return the traffic at its rate over that many seconds."""
    times = _times(seconds, traffic)

    def scaled(by_way: Mapping[Way, Counts]) -> dict[Way, Counts]:
        return {way: {name: round(n * times) for name, n in counts.items()} for way, counts in by_way.items()}

    requests = None if traffic.requests is None else round(traffic.requests * times)
    return Traffic(seconds, scaled(traffic.tokens), requests, scaled(traffic.calls))


def _held(gpus: GpusUsed, times: Decimal) -> GpusUsed:
    """Return GPU time and its cost as they go in: GPUs that were held all the time known of them count whole."""

    def scaled(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else amount * times

    return replace(
        gpus,
        hours=gpus.hours * times,
        busy_hours=scaled(gpus.busy_hours),
        usd=scaled(gpus.usd),
        busy_usd=scaled(gpus.busy_usd),
    )


def _add(whole: dict[str, int], part: Counts) -> None:
    for name, amount in part.items():
        whole[name] = whole.get(name, 0) + amount


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
        name=most.name if len({each.name for each in held}) == 1 else SEVERAL_KINDS,
        price_source=most.price_source,
        price_since=most.price_since,
        default=most.default,
        energy=any(each.energy for each in held),
    )

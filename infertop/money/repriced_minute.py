"""An open minute under other prices: as if they had held since it began, as far as they hold for what was before."""

from __future__ import annotations

from infertop.money.lines import Price
from infertop.money.minutes import MINUTE, Deployed, Energy, GpuSpan, Held, Minute, SpanKey
from infertop.money.repricing import Repricing


def reprice_minute(minute: Minute, repricing: Repricing) -> None:
    """Put what may have another price under the prices of now, see `price_rules`."""
    spans: dict[SpanKey, GpuSpan] = {}
    for key, span in minute.spans.items():
        rate = repricing.rate(key.gpu, key.slices, key.price, minute.start)
        energy: dict[Price | None, Energy] = {}
        for price, drawn in span.energy.items():
            paid = repricing.energy(rate, price, minute.start, minute.start + MINUTE)
            _add_energy(energy, paid.price if paid else price, drawn)
        span.energy = energy
        new_key = key if rate is None else key._replace(price=rate.price)
        if new_key in spans:
            _add_span(spans[new_key], span)
        else:
            spans[new_key] = span
    minute.spans = spans
    host: dict[tuple[str, Price | None], int] = {}
    for (source, price), ms in minute.host.items():
        rate = repricing.host(price, minute.start)
        at = (source, rate.price if rate else price)
        host[at] = host.get(at, 0) + ms
    minute.host = host
    minute.deployed = _deployed(minute, repricing)


def _deployed(minute: Minute, repricing: Repricing) -> dict[Deployed, int]:
    found: dict[Deployed, int] = {}
    for key, ms in minute.deployed.items():
        rate = repricing.deployment(key.price, minute.start)
        paid = key if rate is None else key._replace(price=rate.price)
        found[paid] = found.get(paid, 0) + ms
    return found


def _add_span(to: GpuSpan, more: GpuSpan) -> None:
    to.ms += more.ms
    to.busy_ms += more.busy_ms
    for price, drawn in more.energy.items():
        _add_energy(to.energy, price, drawn)
    for source, held in more.holders.items():
        before = to.holders.setdefault(source, Held())
        before.byte_ms = _sum(before.byte_ms, held.byte_ms)
        before.sm_ms = _sum(before.sm_ms, held.sm_ms)


def _add_energy(to: dict[Price | None, Energy], price: Price | None, drawn: Energy) -> None:
    before = to.setdefault(price, Energy())
    before.busy += drawn.busy
    before.idle += drawn.idle
    before.guessed = before.guessed or drawn.guessed


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other

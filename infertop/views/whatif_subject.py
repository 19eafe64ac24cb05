"""One subject of the what-if page: what was measured of it."""

from __future__ import annotations

from decimal import Decimal

from infertop.money.whatif.traffic import HOUR, Used
from infertop.views.whatif_shapes import WhatIf


def subject(each: Used) -> WhatIf:
    """Return what was measured of one model of one source."""
    traffic, gpus = each.traffic, each.gpus
    return WhatIf(
        source=each.source,
        provider=each.provider,
        model=each.model,
        seconds=float(traffic.seconds),
        coverage=None,
        requests=None if traffic.requests is None else float(traffic.requests),
        tokens={name: float(count) for name, count in traffic.by_class.items()},
        usd_per_hour=_float(traffic.per_hour(each.usd)),
        basis=each.basis,
        gpus=_float(gpus.hours * HOUR / traffic.seconds) if traffic.seconds and gpus.hours else None,
        gpu_name=gpus.name,
        gpu_usd_per_hour=_float(gpus.usd_per_gpu_hour),
        capacity_tokens_per_second=None,
        capacity_method="",
        alternatives=(),
        break_even=(),
        scale=(),
        savings=(),
    )


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)

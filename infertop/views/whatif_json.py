"""The what-if page as JSON-able data: plain numbers in base units named in the key, null for what is unknown."""

from __future__ import annotations

from typing import Any

from infertop.views.once import number, timestamp
from infertop.views.whatif_shapes import Alternative, BreakEven, Saving, Scale, WhatIf, WhatIfPage

SCHEMA_VERSION = 1


def as_data(page: WhatIfPage) -> dict[str, Any]:
    """Return the page; a subject's fields are those of `WhatIf`, costs in USD."""
    return {
        "schema": SCHEMA_VERSION,
        "at": timestamp(page.at),
        "since": timestamp(page.since),
        "until": timestamp(page.until),
        "subjects": [_subject(each) for each in page.subjects],
        "notices": list(page.notices),
    }


def _subject(each: WhatIf) -> dict[str, Any]:
    return {
        "source": each.source,
        "provider": each.provider or None,
        "model": each.model,
        "seconds": number(each.seconds),
        "coverage": number(each.coverage),
        "requests": number(each.requests),
        "tokens": {name: number(count) for name, count in each.tokens.items()},
        "usd": number(each.usd),
        "usd_per_hour": number(each.usd_per_hour),
        "basis": each.basis or None,
        "gpus": number(each.gpus),
        "gpu_name": each.gpu_name or None,
        "gpu_usd_per_hour": number(each.gpu_usd_per_hour),
        "capacity_tokens_per_second": number(each.capacity_tokens_per_second),
        "capacity_method": each.capacity_method or None,
        "more": each.more,
        "alternatives": [_alternative(row) for row in each.alternatives],
        "break_even": [_break_even(row) for row in each.break_even],
        "scale": [_scale(row) for row in each.scale],
        "savings": [_saving(row) for row in each.savings],
        "explained": list(each.explained),
    }


def _alternative(row: Alternative) -> dict[str, Any]:
    return {
        "provider": row.provider or None,
        "model": row.model,
        "usd_per_hour": number(row.usd_per_hour),
        "usd_per_request": number(row.usd_per_request),
        "usd_per_million_tokens": number(row.usd_per_million_tokens),
        "ratio": number(row.ratio),
        "price_source": row.price_source or None,
        "since": row.since or None,
        "notes": list(row.notes),
        "current": row.current,
    }


def _break_even(row: BreakEven) -> dict[str, Any]:
    return {
        "against": row.against,
        "api_usd_per_million_tokens": number(row.api_usd_per_million_tokens),
        "tokens_per_day": number(row.tokens_per_day),
        "capacity_tokens_per_day": number(row.capacity_tokens_per_day),
        "utilization": number(row.utilization),
        "reachable": row.reachable,
        "sentence": row.sentence,
    }


def _scale(row: Scale) -> dict[str, Any]:
    return {
        "factor": number(row.factor),
        "tokens_per_second": number(row.tokens_per_second),
        "api_model": row.api_model or None,
        "api_usd_per_hour": number(row.api_usd_per_hour),
        "own_gpus": row.own_gpus,
        "own_usd_per_hour": number(row.own_usd_per_hour),
        "note": row.note,
        "shadow": row.shadow,
    }


def _saving(row: Saving) -> dict[str, Any]:
    return {
        "name": row.name,
        "had": row.had,
        "usd_per_hour": number(row.usd_per_hour),
        "sentence": row.sentence,
    }

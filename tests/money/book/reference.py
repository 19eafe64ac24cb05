"""genai-prices, asked for the same thing in its own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest

from infertop.money.book.load import shipped
from infertop.money.quote import Way

pytest.importorskip("genai_prices", reason="genai-prices is not installed: it comes with the development dependencies")

from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot

if version("genai-prices") != shipped().version:
    pytest.skip(
        f"genai-prices {version('genai-prices')} is installed, the price book is of {shipped().version}",
        allow_module_level=True,
    )

PROVIDERS = providers
SNAPSHOT = DataSnapshot(providers=providers, from_auto_update=False)
PROMPT = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio", "input_image")
GENERATED = ("output", "reasoning", "output_audio", "output_image")
# It will not infer that none of what was cached was audio.
_NONE_OF = {f"cache_{kind}_{what}_tokens": 0 for kind in ("audio", "image", "video") for what in ("read", "write")}
_LITERAL = ("equals", "starts_with", "ends_with", "contains")
# Its counts include those of a kind that is priced apart; the book's are disjoint.
_PARTS = {
    "audio_seconds": ("audio_seconds", "input_audio_seconds", "output_audio_seconds"),
    "input_document_pages": ("input_document_pages", "input_annotated_document_pages"),
}


def usd(
    provider: str, model: str, ts: float, way: Way, tokens: Mapping[str, int], calls: Mapping[str, int]
) -> Decimal | None:
    """What genai-prices asks for a use, None where it knows no such model."""
    context = {"processing": "batch"} if way.batch else {}
    if way.service_tier:
        context["service_tier"] = way.service_tier
    if way.service_tier == "fast":
        context["speed"] = "fast"
    try:
        return calc_price(
            _usage(tokens, calls),
            model,
            provider_id=provider or None,
            genai_request_timestamp=datetime.fromtimestamp(ts, UTC),
            price_context=context or None,
        ).total_price
    except LookupError:
        return None


def resolved(provider: str, model: str) -> tuple[str, str] | None:
    """The list that genai-prices takes the price from and its model, None where it knows none."""
    try:
        _, found = SNAPSHOT.find_provider_model(model, None, provider or None, None)
    except LookupError:
        return None
    return next((each.id, found.id) for each in PROVIDERS if any(found is one for one in each.models))


def names(model: Any) -> list[str]:
    """The names that a model's clauses are made of, its id among them: most of them mean it."""
    return list(dict.fromkeys((model.id, *_literals(model.match))))


def _literals(clause: Any) -> Iterator[str]:
    for part in getattr(clause, "or_", None) or getattr(clause, "and_", None) or ():
        yield from _literals(part)
    yield from (text for kind in _LITERAL if (text := getattr(clause, kind, "")))


def turns(model: Any) -> set[float]:
    """The moments at which a model's prices or variants may change: start dates, and hours on a day in November."""
    rows = model.prices if isinstance(model.prices, list) else []
    found: set[float] = set()
    for constraint in (each.constraint for each in (*rows, *(model.price_variants or ()))):
        if isinstance(since := getattr(constraint, "start_date", None), date):
            found.add(datetime(since.year, since.month, since.day, tzinfo=UTC).timestamp())
        elif constraint is not None:
            for at in (constraint.start_time, constraint.end_time):
                found.add(datetime(2026, 11, 12, at.hour, at.minute, tzinfo=UTC).timestamp())
    return found


def _usage(tokens: Mapping[str, int], calls: Mapping[str, int]) -> Usage:
    whole = {name: sum(calls.get(part, 0) for part in parts) for name, parts in _PARTS.items()}
    return Usage(
        **_NONE_OF,
        **{name: count for name, count in (calls | whole).items() if name != "requests"},
        input_tokens=sum(tokens.get(name, 0) for name in PROMPT),
        output_tokens=sum(tokens.get(name, 0) for name in GENERATED),
        cache_read_tokens=tokens.get("cache_read", 0),
        cache_write_tokens=tokens.get("cache_write_5m", 0) + tokens.get("cache_write_1h", 0),
        cache_write_5m_tokens=tokens.get("cache_write_5m", 0),
        cache_write_1h_tokens=tokens.get("cache_write_1h", 0),
        output_reasoning_tokens=tokens.get("reasoning", 0),
        **{f"{name}_tokens": tokens.get(name, 0) for name in (*PROMPT[4:], *GENERATED[2:])},
    )

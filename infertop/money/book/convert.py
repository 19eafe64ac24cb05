"""From the genai-prices package to the book's own file: one model a line, without what infertop does not price."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

FORMAT = 1
# genai-prices' keys and the book's: token classes and call units, priced by 1M tokens and by what registry.py says.
# The rest (video, citations, what is cached of audio and pictures) nothing that infertop reads tells apart.
_KEYS = {
    **{f"{name}_mtok": name for name in ("input", "output", "cache_read", "cache_write", "cache_write_5m")},
    **{f"{name}_mtok": name for name in ("cache_write_1h", "input_audio", "output_audio")},
    **{f"{name}_mtok": name for name in ("input_image", "output_image")},
    "output_reasoning_mtok": "reasoning",
    **{f"{name}_kcount": name for name in ("requests", "web_searches", "social_searches", "storage_searches")},
    **{f"{name}_kcount": name for name in ("code_executions", "rerank_searches", "input_text_messages")},
    "audio_hours": "audio_seconds",
    "input_audio_hours": "input_audio_seconds",
    "output_audio_hours": "output_audio_seconds",
    "input_mchars": "input_characters",
    "input_document_kpages": "input_document_pages",
    "input_annotated_document_kpages": "input_annotated_document_pages",
    "input_gpixels": "input_pixels",
}
# genai-prices has these in its code, not in its data: Groq bills ten seconds of audio at least.
_MINIMUMS = {
    ("groq", model): {"audio_seconds": 10, "input_audio_seconds": 10}
    for model in ("whisper-large-v3", "whisper-large-v3-turbo")
}
_FREE_NAME = ":free"
_FREE_WORDS = ("free of charge", "included in the subscription")
_CLAUSES = {"equals": "=", "starts_with": "^", "ends_with": "$", "contains": "*", "regex": "~"}


def convert(providers: Iterable[Any], version: str, day: str) -> str:
    """Return the text of a snapshot made from genai-prices' `providers`, dated `day` (YYYY-MM-DD)."""
    head = {
        "format": FORMAT,
        "source": "genai-prices, MIT licence: see LICENCES.md",
        "version": version,
        "date": day,
        "unit": "USD per 1M tokens, 1K calls, messages or pages, 1 hour of audio, 1M characters, 1G pixels",
    }
    lists = ",\n".join(_provider(each) for each in providers)
    return f'{_text(head)[:-1]},"providers":[\n{lists}\n]}}\n'


def _provider(provider: Any) -> str:
    head = {
        "id": provider.id,
        "name": provider.name,
        "called": _clause(provider.provider_match),
        "infers": _clause(provider.model_match),
        "fallback": provider.fallback_model_providers,
    }
    models = ",\n".join(_text(_model(provider.id, each)) for each in provider.models)
    return f'{_text(head)[:-1]},"models":[\n{models}\n]}}'


def _model(provider: str, model: Any) -> dict[str, Any]:
    match = _clause(model.match)
    rows = [_row(each) for each in _conditional(model.prices)]
    priced = [row for row in rows if row["usd"]]
    note = model.price_comments or ""
    free = not priced and (model.id.endswith(_FREE_NAME) or any(word in note.lower() for word in _FREE_WORDS))
    return {
        "id": model.id,
        "name": model.name if model.name != model.id else None,
        "context": model.context_window,
        "match": match if match != "=" + model.id else None,
        "free": free or None,
        "usd": rows[0]["usd"] if len(rows) == 1 else None,
        "prices": rows if priced and len(rows) > 1 else None,
        "variants": [row for each in model.price_variants or () if (row := _variant(each))["usd"]],
        "minimum": _MINIMUMS.get((provider, model.id)),
        "note": note if free or not priced or any("daily" in row for row in rows) else None,
    }


def _conditional(prices: Any) -> list[Any]:
    return prices if isinstance(prices, list) else [prices]


def _row(row: Any) -> dict[str, Any]:
    prices = getattr(row, "prices", row)
    constraint = getattr(row, "constraint", None)
    usd = {_KEYS[key]: _usd(price) for key, price in vars(prices).items() if key in _KEYS and price is not None}
    return {**_when(constraint), "usd": usd}


def _variant(variant: Any) -> dict[str, Any]:
    return {"when": dict(variant.when), **_row(variant)}


def _when(constraint: Any) -> dict[str, str]:
    if constraint is None:
        return {}
    if isinstance(since := getattr(constraint, "start_date", None), date):
        return {"from": since.isoformat()}
    return {"daily": f"{_clock(constraint.start_time)}-{_clock(constraint.end_time)}"}


def _clock(at: time) -> str:
    if at.second or at.microsecond or (at.utcoffset() or None) is not None:
        raise ValueError(f"{at} is not a whole minute in UTC")
    return f"{at:%H:%M}"


def _usd(price: Any) -> Decimal | list[Decimal | int]:
    if isinstance(price, Decimal):
        return price
    return [price.base, *(part for tier in price.tiers for part in (tier.start, tier.price))]


def _clause(clause: Any) -> Any:
    if clause is None:
        return None
    if hasattr(clause, "or_"):
        return [_clause(each) for each in clause.or_]
    if hasattr(clause, "and_"):
        return {"all": [_clause(each) for each in clause.and_]}
    name = next(name for name in _CLAUSES if hasattr(clause, name))
    return _CLAUSES[name] + getattr(clause, name)


def _text(value: Any) -> str:
    """Return JSON in which decimals keep their digits and keys without a value are left out."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Mapping):
        found = ((key, each) for key, each in value.items() if each not in (None, "", [], {}))
        return "{" + ",".join(f"{json.dumps(key)}:{_text(each)}" for key, each in found) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)

"""Whether a snapshot is one: a file in the user's data folder can be cut short, edited or made by someone else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from infertop.money.book.clauses import compiled
from infertop.money.book.convert import FORMAT
from infertop.money.book.names import clause_of
from infertop.money.book.rows import parse_model

LARGEST = 4_000_000
_MAX_PROVIDERS = 1_000
_MAX_MODELS = 20_000
_LONGEST = 512
_LONGEST_NOTE = 5_000
_VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){0,5}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def parse_snapshot(content: bytes) -> Mapping[str, Any]:
    """Return the data of a snapshot, every part of it looked at; raises ValueError with what is wrong."""
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1_000_000} MB")
    try:
        data = parse_text(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"it is no snapshot of prices in format {FORMAT}")
    version_of(data.get("version"))
    if not _is_date(data.get("date")):
        raise ValueError("it has no date")
    providers = _tables(data.get("providers"), "providers", _MAX_PROVIDERS)
    for provider in providers:
        _provider(provider)
    if len({each["id"] for each in providers}) < len(providers):
        raise ValueError("a provider is in it twice")
    if sum(len(each["models"]) for each in providers) > _MAX_MODELS:
        raise ValueError(f"it has more than {_MAX_MODELS} models")
    return data


def parse_text(content: bytes) -> Any:
    """Return what JSON says; prices with a decimal point stay text, since a float would not keep their digits."""
    return json.loads(content, parse_float=str)


def version_of(version: Any) -> tuple[int, ...]:
    """Return a version as numbers, to be compared; raises ValueError where it is not written so."""
    if not _matches(_VERSION, version):
        raise ValueError(f"{version!r:.40} is no version")
    return tuple(int(part) for part in version.split("."))


def _provider(data: Mapping[str, Any]) -> None:
    _text(data, "id", required=True)
    _text(data, "name")
    fallback = data.get("fallback", [])
    if not isinstance(fallback, list) or not all(isinstance(each, str) for each in fallback):
        raise ValueError(f"provider {data['id']!r:.80}: fallback must be a list of ids")
    try:
        for key in ("called", "infers"):
            if data.get(key):
                compiled(data[key])
        for model in _tables(data.get("models"), "models", _MAX_MODELS):
            _model(model)
    except ValueError as error:
        raise ValueError(f"provider {data['id']!r:.80}: {error}") from error


def _model(data: Mapping[str, Any]) -> None:
    _text(data, "id", required=True)
    _text(data, "name")
    _text(data, "note", longest=_LONGEST_NOTE)
    if not isinstance(data.get("context"), int | None) or not isinstance(data.get("free"), bool | None):
        raise ValueError(f"model {data['id']!r:.80}: context must be a count of tokens, free true or false")
    minimum = data.get("minimum", {})
    if not isinstance(minimum, dict) or not all(type(least) is int for least in minimum.values()):
        raise ValueError(f"model {data['id']!r:.80}: minimum must be a table of counts")
    try:
        compiled(clause_of(data))
        parse_model(data)
    except ValueError as error:
        raise ValueError(f"model {data['id']!r:.80}: {error}") from error


def _text(data: Mapping[str, Any], key: str, required: bool = False, longest: int = _LONGEST) -> None:
    text = data.get(key, None if required else "")
    if not isinstance(text, str) or len(text) > longest or (required and not text):
        raise ValueError(f"{key} must be text of at most {longest} characters")


def _tables(tables: Any, what: str, most: int) -> Sequence[Mapping[str, Any]]:
    if not isinstance(tables, list) or len(tables) > most or not all(isinstance(each, dict) for each in tables):
        raise ValueError(f"{what} must be a list of at most {most} tables")
    return tables


def _is_date(text: Any) -> bool:
    try:
        return _matches(_DATE, text) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _matches(pattern: re.Pattern[str], text: Any) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None

"""What a file said about prices as text, so that the ledger's prices can be told later from what held at their time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from infertop.money import settings as said
from infertop.money.deployments import declared
from infertop.money.settings import Settings

_KIND = "is"
_KINDS: Mapping[str, type] = {
    name: each
    for module in (declared, said)
    for name, each in vars(module).items()
    if isinstance(each, type) and is_dataclass(each)
}


def dump_prices(settings: Settings) -> str:
    """Return settings as JSON; only what differs from its default is in it."""
    return json.dumps(_plain(settings), sort_keys=True)


def load_prices(text: str) -> Settings:
    """Return settings from what `dump_prices` returned; ValueError where this version cannot read it."""
    try:
        found = _made(json.loads(text))
    except (TypeError, KeyError, ArithmeticError, OSError) as error:
        raise ValueError(f"earlier prices cannot be read: {error}") from error
    if not isinstance(found, Settings):
        raise ValueError("earlier prices cannot be read: they are of another kind")
    return found


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        content = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        kept = {name: _plain(each) for name, each in content.items() if not _is_default(value, name, each)}
        return {_KIND: type(value).__name__, **kept}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal):
        return {_KIND: "usd", "text": str(value)}
    if isinstance(value, date):
        return {_KIND: "date", "text": value.isoformat()}
    if isinstance(value, ZoneInfo):
        return {_KIND: "zone", "text": value.key}
    return value


def _is_default(owner: Any, name: str, value: object) -> bool:
    default = next(each.default for each in fields(owner) if each.name == name)
    return bool(value == default) and type(value) is type(default)


def _made(content: Any) -> Any:
    if isinstance(content, list):
        return tuple(_made(each) for each in content)
    if not isinstance(content, dict):
        return content
    kind = content.pop(_KIND)
    if kind == "usd":
        return Decimal(content["text"])
    if kind == "date":
        return date.fromisoformat(content["text"])
    if kind == "zone":
        return ZoneInfo(content["text"])
    return _KINDS[kind](**{name: _made(each) for name, each in content.items()})

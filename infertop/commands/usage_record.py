"""A usage record: one line of JSON that says what a request used, as `infertop cost` takes it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf
from typing import Any

from infertop.money.quote import Way, way_by
from infertop.readings.figures import MOST, amount, count
from infertop.readings.safe import safe

AT_NOW = "at:now"
_LONGEST_NAME = 512
_LONGEST_ID = 200
_INFINITE = (inf, -inf)  # 1e999, which JSON can say and not write again
_LEAP = re.compile(r":60(?=[.+\-Z]|$)")
_WAYS = {batch: Way(batch) for batch in (False, True)}


class NoRecord(ValueError):  # noqa: N818 - it reads as the sentence it carries
    """A line is no usage record; the text says why, `id` is the record's own where it has a short one."""

    id: str | int | float | None = None


@dataclass(slots=True)
class UsageRecord:
    """What a request used. `id` is as given, `at` epoch seconds, `tokens` counts by class, `calls` by unit.

    The names of classes and units are the record's own. `flags` tell what was taken for granted.
    """

    id: Any
    provider: str
    model: str
    at: float
    way: Way
    tokens: Mapping[str, int]
    calls: Mapping[str, int | Decimal] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def read_record(line: bytes, now: float) -> UsageRecord:
    """Return the record on a line; raise NoRecord where there is none. `now` stands in for a time that is not given."""
    data = _object(line)
    try:
        return _record(data, now)
    except ValueError as error:
        refused = NoRecord(str(error))
        own = data.get("id")
        if type(own) in (int, float, str) and len(str(own)) <= _LONGEST_ID and own not in _INFINITE:
            refused.id = own
        raise refused from None


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        raise NoRecord("is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise NoRecord(f"is not JSON: {error.msg.lower().removesuffix(' at')} at column {error.colno}") from None
    except RecursionError:
        raise NoRecord("is nested too deeply") from None
    except NoRecord:
        raise
    except ValueError:
        raise NoRecord("has a number of too many digits") from None
    if type(data) is not dict:
        kind = {list: "a list", str: "a string", type(None): "null", bool: "true or false"}.get(type(data), "a number")
        raise NoRecord(f"is {kind}, not a usage record")
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise NoRecord(f'has "{safe(twice, 60)}" twice')
    return made


def _no_number(word: str) -> Any:
    raise NoRecord(f"has {word}, which is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)


def _record(data: dict[str, Any], now: float) -> UsageRecord:
    provider, model = _name(data, "provider"), _name(data, "model")
    at, flags = _at(data, now)
    tokens: Mapping[str, int]
    calls: Mapping[str, int | Decimal]
    usage = None
    if (given := data.get("tokens")) is None and (usage := data.get("usage")) is not None:
        tokens, calls, unread = _usage(usage, data.get("shape"), provider)
        flags += unread
    else:
        tokens, calls = _tokens(given), {}
        if given is None and data.get("calls") is None:
            raise ValueError('has neither "tokens" nor "usage" nor "calls"')
    if (extra := data.get("calls")) is not None:
        calls = _calls(extra)
    return UsageRecord(data.get("id"), provider, model, at, _way(data, usage), tokens, calls, flags)


def _name(data: dict[str, Any], key: str) -> str:
    name = data.get(key)
    if type(name) is str and 0 < len(name) <= _LONGEST_NAME:
        return name
    if name is None or name == "":
        raise ValueError(f'has no "{key}"')
    if type(name) is str:
        raise ValueError(f'"{key}" has more than {_LONGEST_NAME} characters')
    raise ValueError(f'"{key}" must be a string')


def _at(data: dict[str, Any], now: float) -> tuple[float, tuple[str, ...]]:
    text = data.get("at")
    if text is None:
        return now, (AT_NOW,)
    if type(text) is not str:
        raise ValueError('"at" must be a time like "2026-11-21T14:05:42Z"')
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at, text = _unusual_time(text)
    if len(text) < 16 or not text[4] == text[7] == "-":  # a date alone, a week or the form without dashes
        raise ValueError(_not_a_time(text))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp(), ()


def _unusual_time(text: str) -> tuple[datetime, str]:
    """Read what RFC 3339 allows and Python does not: small letters, and a leap second."""
    large = text.upper()
    leap = _LEAP.search(large, 16, 20) if len(large) < 64 else None
    try:
        at = datetime.fromisoformat(_LEAP.sub(":59", large, count=1) if leap else large)
        return at + timedelta(seconds=1) if leap else at, large
    except (ValueError, OverflowError):  # the last leap second there is has no second after it
        raise ValueError(_not_a_time(text)) from None


def _not_a_time(text: str) -> str:
    return f'"at" is "{safe(text, 40)}", which is no time like "2026-11-21T14:05:42Z"'


def _way(data: dict[str, Any], usage: dict[str, Any] | None) -> Way:
    """Return how it was processed, by the record's word or else by the usage object's, as Anthropic's has it."""
    batch, tier, speed = data.get("batch"), data.get("service_tier"), data.get("speed")
    if batch is not None and batch is not True and batch is not False:
        raise ValueError('"batch" must be true or false')
    if usage and tier is None and type(tier := usage.get("service_tier")) is not str:
        tier = None
    if usage and speed is None:
        speed = usage.get("speed")
    if tier is None and speed is None:
        return _WAYS[bool(batch)]
    if tier is not None and (type(tier) is not str or len(tier) > 64):
        raise ValueError('"service_tier" must be a string of at most 64 characters')
    return way_by(bool(batch), tier or "", speed if type(speed) is str else "")


def _tokens(given: Any) -> Mapping[str, int]:
    if given is None:
        return {}
    if type(given) is not dict:
        raise ValueError('"tokens" must be an object of class and count')
    for number in given.values():
        if type(number) is not int or not 0 <= number <= MOST:
            break
    else:
        return given
    # A class that is null was not counted.
    return {name: count(number, f"tokens.{name}") for name, number in given.items() if number is not None}


def _calls(given: Any) -> Mapping[str, int | Decimal]:
    if type(given) is not dict:
        raise ValueError('"calls" must be an object of unit and count')
    return {name: _exact(amount(number, f"calls.{name}")) for name, number in given.items() if number is not None}


def _exact(number: int | float) -> int | Decimal:
    """Return the number that was written: 12.7 is no binary fraction."""
    return number if type(number) is int else Decimal(repr(number))


def _usage(usage: Any, shape: Any, provider: str) -> tuple[Mapping[str, int], Mapping[str, int], tuple[str, ...]]:
    if type(usage) is not dict:
        raise ValueError('"usage" must be the object that the provider returned')
    from infertop.readings.breakdown import SHAPES, breakdown, shape_of  # most records need none

    if shape is not None and (type(shape) is not str or shape not in SHAPES):
        raise ValueError(f'"shape" must be one of {", ".join(sorted(SHAPES))}')
    shape = shape or shape_of(usage, provider.lower())
    if shape is None:
        raise ValueError(f'"usage" has no shape that is known: set "shape" to one of {", ".join(sorted(SHAPES))}')
    found = breakdown(shape, usage)
    return found.tokens, found.calls, tuple(f"unread:{name}" for name in found.unread)

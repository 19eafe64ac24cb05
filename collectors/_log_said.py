"""What a line of an agent's log says of one request, as a statement: who, when, how many tokens. Never its content."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infertop.readings.breakdown import Breakdown, breakdown
from infertop.readings.model import Statement

MAX_TEXT = 512
_HASH_DIGITS = 16
_NANO = 1_000_000_000
_MOST_USD = 1e6
_MOST_MS = 10**15
# Prompts beyond these have other prices with one provider or another.
_CONTEXT_TIERS = ((512_000, "512k+"), (272_000, "272k+"), (256_000, "256k+"), (200_000, "200k+"), (128_000, "128k+"))
_PROMPT = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio", "input_image")


class NotReadError(ValueError):
    """A line is about usage and cannot be read; the text says why, without a word of its content."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose requests a log tells of: the source that reads it, the agent that wrote it, its session and project."""

    source: str
    agent: str
    session: str = ""
    project: str = ""


def statement(
    whose: Whose,
    key: str,
    ts: float,
    provider: str,
    model: str | None,
    counted: Breakdown,
    *,
    rank: int = 1,
    usd_nano: int | None = None,
    basis: str = "computed",
    **dimensions: str,
) -> Statement:
    """Return what one request took; a dimension without a value is left out."""
    said = {"agent": whose.agent, "session": whose.session, "project": whose.project, **dimensions}
    said["context"] = said.get("context") or context_tier(counted.tokens)
    return Statement(
        source=whose.source,
        key=key,
        start=ts,
        end=ts,
        provider=provider,
        model=model,
        dimensions={name: value for name, value in said.items() if value},
        quantities={**counted.tokens, **counted.calls},
        requests=1,
        usd_nano=usd_nano,
        basis=basis,
        rank=rank,
    )


def counts(shape: str, usage: Mapping[str, Any]) -> Breakdown:
    """Return the disjoint classes of a usage object; raise NotReadError where it cannot be true."""
    try:
        return breakdown(shape, usage)
    except ValueError as error:
        raise NotReadError(str(error)) from None


def context_tier(tokens: Mapping[str, int]) -> str:
    """Return how long the prompt was at least, as far as that may change prices; empty for what is shorter."""
    prompt = sum(tokens.get(name, 0) for name in _PROMPT)
    return next((name for least, name in _CONTEXT_TIERS if prompt > least), "")


def text(value: object) -> str:
    """Return a name from a log, empty where it is none; beyond 512 characters a hash stands for the rest."""
    if not isinstance(value, str):
        return ""
    value = value.strip()
    if len(value) <= MAX_TEXT:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
    return f"{value[: MAX_TEXT - _HASH_DIGITS - 1]}…{digest}"


def inner(said: object, *names: str) -> Any:
    """Return what stands under these keys, from the outside in; None where there is nothing."""
    for name in names:
        if not isinstance(said, dict):
            return None
        said = said.get(name)
    return said


def instant(value: object) -> float:
    """Return a time of a log in epoch seconds: RFC 3339, or milliseconds; raise NotReadError where it is none."""
    found = math.nan
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            found = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            pass
    elif type(value) is float or (type(value) is int and abs(value) < _MOST_MS):
        found = value / 1000
    if not 0 <= found < 1e11:
        raise NotReadError("its time is no time")
    return found


def stated_usd(value: object) -> int | None:
    """Return a cost that a log states, in 1e-9 USD; None where it states none, or none that can be true."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _MOST_USD:
        return None
    return round(value * _NANO)


def digest(*parts: object) -> str:
    """Return a short key for what has no id of its own."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]

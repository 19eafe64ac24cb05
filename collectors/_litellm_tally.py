"""What a LiteLLM proxy's own books say, added up by whose it is: disjoint tokens, requests, and dollars at its list."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from collectors import _litellm_labels as of
from collectors._litellm_books import MAX_STATEMENTS, Amounts, statement
from collectors._litellm_labels import Spender
from collectors._money import DOLLAR, usd_nano
from infertop.readings.model import Statement

Row = Mapping[str, Any]

SPEND, ANSWERED, FAILED = "spend", "successful_requests", "failed_requests"
PROMPT, OUTPUT = "prompt_tokens", "completion_tokens"
READ, WRITTEN = "cache_read_input_tokens", "cache_creation_input_tokens"
_COUNTS = (ANSWERED, FAILED, PROMPT, OUTPUT, READ, WRITTEN)
_SERVED = (ANSWERED, PROMPT, OUTPUT, SPEND)
_ABSURD = 10**15
_MOST_LABEL = 512
_MOST = 200_000


class Tally:
    """Sums of a span by whose they are; `add` raises ValueError with a sentence where they are too many."""

    def __init__(self) -> None:
        self._sums: dict[Spender, Amounts] = {}

    def add(self, who: Spender, amounts: Amounts) -> None:
        """Add what somebody used."""
        if who not in self._sums and len(self._sums) >= _MOST:
            raise ValueError("more callers than can be read back")
        _add(self._sums.setdefault(who, {}), amounts)

    def statements(self, source: str, scope: str, start: float, end: float) -> Iterator[Statement]:
        """Yield all of the span, the dearest first; the rest of too many in one for each provider and model.

        What only failed is of no model that is known to be served: the name is as the client made it up.
        """
        served = {(who.provider, who.model) for who, each in self._sums.items() if any(map(each.get, _SERVED))}
        sums = {
            who: each for who, each in self._sums.items() if (who.provider, who.model) in served and any(each.values())
        }
        told: dict[Spender, Amounts] = {}
        for number, who in enumerate(sorted(sums, key=lambda who: (-sums[who].get(SPEND, 0), who))):
            whose = who if number < MAX_STATEMENTS else who._replace(dimensions=())
            _add(told.setdefault(whose, {}), sums[who])
        for who, amounts in told.items():
            yield _statement(source, scope, start, end, who, amounts)


def figures(row: Row) -> Amounts:
    """Return a row's counts, and its dollars in 1e-9 USD; raise ValueError where one is none. What is absent is 0."""
    said = {name: count(row, name) for name in _COUNTS}
    said[SPEND] = 0 if row.get(SPEND) is None else usd_nano(row[SPEND], DOLLAR, SPEND)
    if said[SPEND] < 0:
        raise ValueError("spend is below 0")
    return said


def count(row: Row, name: str) -> int:
    """Return a count, 0 where it is absent; raise ValueError with a sentence where it is none."""
    said = row.get(name)
    if said is None:
        return 0
    if type(said) is not int or not 0 <= said < _ABSURD:
        raise ValueError(f"{name} is no count")
    return said


def spender(provider: object, model: str, **dimensions: object) -> Spender:
    """Return whose it is; what is not said is left out.

    The books of newer releases name models with their provider (openai/gpt-4o), the metrics page never does.
    """
    said = tuple((name, text) for name, value in dimensions.items() if (text := label(value)))
    by = label(provider) or of.UNTOLD
    return Spender(by, (model.removeprefix(f"{by}/") or model)[:_MOST_LABEL], said)


def label(said: object) -> str | None:
    """Return a label, None where it says nothing."""
    return said[:_MOST_LABEL] if isinstance(said, str) and said not in ("", "None") else None


def document(body: bytes, path: str) -> Row:
    """Return an answer's object, with exact numbers; raise ValueError with a sentence where it is none."""
    try:
        said = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ValueError(f"{path} answers with no object")
    return said


def _add(to: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        to[name] = to.get(name, 0) + amount


def _statement(source: str, scope: str, start: float, end: float, who: Spender, said: Amounts) -> Statement:
    # As on the metrics page: prompts include what the caches gave and took, and what costs 0 there has no price there.
    get = said.get
    quantities = {"input": max(0, get(PROMPT, 0) - get(READ, 0) - get(WRITTEN, 0)), "output": get(OUTPUT, 0)}
    more = {"cache_read": get(READ, 0), "cache_write_5m": get(WRITTEN, 0), of.FAILED: get(FAILED, 0)}
    quantities |= {name: amount for name, amount in more.items() if amount}
    key = f"{scope}{start:.3f}+{end - start:.3f}"
    return statement(source, key, (start, end), who, quantities, get(ANSWERED, 0), get(SPEND) or None)

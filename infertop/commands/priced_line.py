"""A usage record's answer: one line of JSON with what it costs, by which price."""

from __future__ import annotations

import json
from bisect import bisect_right, insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from math import inf, nextafter
from operator import attrgetter
from typing import Any

from infertop.commands.usage_record import NoRecord, UsageRecord
from infertop.money.cost import cost
from infertop.money.quote import Quote, Way
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES

_REMEMBERED = 4096
_FLAGGED = 32
_KEYS = {name: f"{quoted(name)}: " for name in (*TOKEN_CLASSES, *CALL_UNITS)}

Asked = tuple[str, str, Way]
_start = attrgetter("start")


@dataclass(frozen=True, slots=True)
class _Answer:
    """The quote in force in [start, end) for one (provider, model, way), and what of the line it settles."""

    quote: Quote | None
    price: str
    flags: tuple[str, ...]
    start: float
    end: float


class PricedLines:
    """Turns records into lines. `ask` finds a quote, `lacks` the flag that says why a provider's model has none.

    `unpriced` is how many of them used something that has no price, or of which the price is not known.
    """

    def __init__(self, ask: Callable[[str, str, float, Way], Quote | None], lacks: Callable[[str, str], str]) -> None:
        self._ask = ask
        self._lacks = lacks
        self._answers: dict[Asked, list[_Answer]] = {}
        self._kept = 0
        self.unpriced = 0

    def line(self, record: UsageRecord) -> str:
        """Return the line, without its newline; raise NoRecord where the id cannot be written again."""
        answer = self._answer(record)
        found = cost(answer.quote, record.tokens, record.calls)
        if found.usd is None or None in found.by_class.values():
            self.unpriced += 1
        parts = [f"{_key(name)}{_text(usd)}" for name, usd in found.by_class.items()]
        if 0 in record.tokens.values():
            parts += [f'{_key(name)}"0"' for name, used in record.tokens.items() if not used]
        classes = ", ".join(parts)
        flags = answer.flags + found.flags + record.flags
        return (
            f'{{"id": {_id(record.id)}, "usd": {_text(found.usd)}, "by_class": {{{classes}}}, "price": {answer.price},'
            f' "flags": {_list(flags) if flags else "[]"}}}'
        )

    def _answer(self, record: UsageRecord) -> _Answer:
        """Return the answer at the record's time: prices by the hour of the day make many spans of one model."""
        asked = (record.provider, record.model, record.way)
        spans = self._answers.get(asked)
        if spans:
            here = spans[bisect_right(spans, record.at, key=_start) - 1]
            if here.start <= record.at < here.end:
                return here
        answer = self._asked(record)
        if self._kept >= _REMEMBERED:
            self._answers.clear()  # names come from outside, and may be made up without end
            self._kept = 0
        self._kept += 1
        insort(self._answers.setdefault(asked, []), answer, key=_start)
        return answer

    def _asked(self, record: UsageRecord) -> _Answer:
        quote = self._ask(record.provider, record.model, record.at, record.way)
        if quote is not None:
            return _Answer(quote, _price(quote), (), quote.start, quote.end)
        flag = self._lacks(record.provider, record.model)
        # A price may hold from a later date on: of no other moment is it known that there is none.
        return _Answer(None, "null", (flag,), record.at, nextafter(record.at, inf))


def error_line(line: int, sentence: str, id: Any = None, file: str = "") -> str:
    """Return the line that stands in for one that is no usage record."""
    shown: dict[str, Any] = {"file": file} if file else {}
    shown |= {"line": line} if id is None else {"line": line, "id": id}
    return json.dumps(shown | {"error": sentence})


def plain(usd: Decimal) -> str:
    """Return a decimal without exponent and without trailing zeros, "0" for nothing."""
    text = format(usd, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(usd: Decimal | None) -> str:
    if usd is None:
        return "null"
    # An exact amount above 1e-7 comes without zeros at its end from `cost`, and reads as it should.
    text = str(usd)
    return f'"{plain(usd) if "E" in text or text[-1] == "0" else text}"'


def _key(name: str) -> str:
    known = _KEYS.get(name)
    return known if known is not None else f"{quoted(name)}: "


def _id(given: Any) -> str:
    if type(given) is str:
        return quoted(given)
    if given is None:
        return "null"
    try:
        return json.dumps(given, allow_nan=False)
    except (ValueError, RecursionError):
        raise NoRecord('"id" cannot be written as JSON') from None


def _price(quote: Quote) -> str:
    named: Mapping[str, str | None] = {
        "matched": quote.matched,
        "provider": quote.provider,
        "source": quote.source,
        "from": quote.since or None,
    }
    return json.dumps(named)


def _list(flags: tuple[str, ...]) -> str:
    # A record has as many classes of its own as it likes: only what is short is worth remembering.
    return _remembered(flags) if len(flags) <= 8 and sum(map(len, flags)) <= 512 else json.dumps(flags[:_FLAGGED])


@lru_cache(maxsize=1024)
def _remembered(flags: tuple[str, ...]) -> str:
    return json.dumps(flags)

"""What one use of a model costs by a quote: exact USD, of which the parts sum to the whole."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from types import MappingProxyType

from infertop.money.quote import CONTEXT_TIER, PRICE_OF, UNPRICED, Cost, Quote, UnitPrice
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES

UNKNOWN_CLASS = "unknown_class"
UNKNOWN_UNIT = "unknown_unit"
REQUESTS = "requests"
# Wide enough for any price times any count that a caller lets through: products and sums are exact.
_EXACT = Context(prec=100)
_POWERS = {10**power: -power for power in range(13)}
_FINEST = Decimal("1e-18")
_ZERO = Decimal(0)
_PROMPT = frozenset(name for name, each in TOKEN_CLASSES.items() if each.prompt)
_KNOWN = frozenset((*TOKEN_CLASSES, *CALL_UNITS))
_ONE_REQUEST: Mapping[str, int | Decimal] = MappingProxyType({REQUESTS: 1})
_NO_CALLS: Mapping[str, int | Decimal] = MappingProxyType({})


def cost(quote: Quote | None, tokens: Mapping[str, int], calls: Mapping[str, int | Decimal] = _NO_CALLS) -> Cost:
    """Return what one request costs that used `tokens` by disjoint class and `calls` by unit, all of them above -1.

    USD of a class = count x price / per, where the price is that of the context tier above which all prompt tokens
    together lie. A share of an hour is rounded to 1e-18 USD, once; everything else is exact. Where the model asks a fee
    for each request, this is one, unless `calls` says how many "requests" it was.
    """
    prices: Mapping[str, UnitPrice] = quote.prices if quote else {}
    prompt = _prompt_tokens(tokens)
    by_class: dict[str, Decimal | None] = {}
    flags: list[str] = []
    usd, priced, tier = _ZERO, False, 0
    if REQUESTS in prices and REQUESTS not in calls:
        calls = {**calls, **_ONE_REQUEST}
    uses: tuple[tuple[Mapping[str, int | Decimal], str], ...] = ((tokens, UNKNOWN_CLASS), (calls, UNKNOWN_UNIT))
    for counts, unknown in uses:
        for name, used in counts.items():
            if not used:
                continue
            unit = prices.get(name)
            if unit is None:
                by_class[name] = None
                flags.append(f"{UNPRICED if name in _KNOWN else unknown}:{name}")
                continue
            by_class[name] = part = _usd(unit, used, prompt)
            usd, priced = _EXACT.add(usd, part), True
            flags += unit.flags
            if unit.stands_for:
                flags.append(f"{PRICE_OF}:{unit.stands_for}:{name}")
            for above, _ in unit.tiers:
                if tier < above < prompt:
                    tier = above
    if tier:
        flags.append(f"{CONTEXT_TIER}:{tier}")
    known = priced or (quote is not None and not by_class)
    said = tuple(dict.fromkeys((*quote.flags, *flags) if quote else flags))
    return Cost(usd.normalize(_EXACT) if known else None, by_class, quote, said)


def _prompt_tokens(tokens: Mapping[str, int]) -> int:
    found = 0
    for name, count in tokens.items():
        if name in _PROMPT:
            found += count
    return found


def _usd(unit: UnitPrice, count: int | Decimal, prompt_tokens: int) -> Decimal:
    price = unit.at(prompt_tokens) if unit.tiers else unit.usd
    whole = _EXACT.multiply(price, count if count >= unit.minimum else unit.minimum)
    power = _POWERS.get(unit.per)
    if power is not None:
        return _EXACT.scaleb(whole, power).normalize(_EXACT)
    return _EXACT.divide(whole, unit.per).quantize(_FINEST, context=_EXACT).normalize(_EXACT)

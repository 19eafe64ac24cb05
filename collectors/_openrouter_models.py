"""OpenRouter's price list, of the models that were used.

Wire format: GET /models of OpenRouterTeam/typescript-sdk (PublicPricing): USD per token, image, request or search, as
strings; "-1" is a router's, whose models have prices of their own. `overrides` are prices for long prompts and hours of
the day, `discount` the share that is taken off.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from collectors._money import DOLLAR, amount
from collectors._openrouter_usage import PROVIDER
from collectors._provider_buckets import dimension
from collectors._provider_pages import Row, document, entries
from infertop.readings.account import Account, ListPrice

if TYPE_CHECKING:
    from collectors._provider_root import Rooted

PATH = "/models"
_WHERE = f"OpenRouter's {PATH}"
_MILLION = Decimal(1_000_000)
# Their names here; tokens are by the million.
_TOKENS = {
    "prompt": "input",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write_5m",
    "input_cache_write_1h": "cache_write_1h",
    "completion": "output",
    "internal_reasoning": "reasoning",
    "audio": "input_audio",
}
_CALLS = {"request": "requests", "web_search": "web_searches"}


class OpenRouterModels:
    """Reads what models cost there; `used` are those that are of interest."""

    def __init__(self, api: Rooted, used: Collection[str]) -> None:
        self._api = api
        self._used = used

    async def list_prices(self, _ts: float) -> tuple[Account, str]:
        """Return the list prices of the models in use; nothing is asked while none is."""
        if not self._used:
            return Account(), ""
        rows = entries(document((await self._api.get(PATH)).body, _WHERE), "data", _WHERE)
        found: list[ListPrice] = []
        odd = ""
        for row in rows:
            names = {dimension(row, name) for name in ("id", "canonical_slug")}
            pricing = row.get("pricing")
            if not isinstance(pricing, dict):
                continue
            try:
                found += [_said(name, pricing) for name in names if name and name in self._used]
            except ValueError as error:
                odd = odd or f"{_WHERE}: {error}"
        told = {each.model: each for each in found if each.prices}
        return Account(list_prices=tuple(told[name] for name in sorted(told))), odd


def _said(model: str, pricing: Row) -> ListPrice:
    left = 1 - amount(pricing.get("discount") or 0, DOLLAR, "discount")
    prices = [*_of(pricing, _TOKENS, _MILLION * left), *_of(pricing, _CALLS, left)]
    return ListPrice(PROVIDER, model, tuple(prices), varies=bool(pricing.get("overrides")))


def _of(pricing: Row, names: Mapping[str, str], unit: Decimal) -> list[tuple[str, Decimal]]:
    """Return prices by our names; what costs nothing besides, and a router's, is left out."""
    said = [(ours, amount(pricing[theirs], unit, theirs)) for theirs, ours in names.items() if theirs in pricing]
    return [(name, usd) for name, usd in said if usd > 0 or (usd == 0 and name in ("input", "output"))]

"""The worked examples of tests/payloads/prices, read exactly, and the models that they are about."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from infertop.money.book.load import shipped
from infertop.money.cost import cost
from infertop.money.quote import STANDARD, Quote, Way
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings

CASES = {
    each["id"]: each
    for each in json.loads(
        (Path(__file__).parents[2] / "payloads/prices/acceptance_cases.json").read_text("utf-8"), parse_float=Decimal
    )
}
NOON = 1_795_348_800.0  # 22 November 2026, 12:00 UTC
# What the examples call their models is how the list calls them, but for this one.
OF_MODEL = {
    "gpt-4o": ("openai", "gpt-4o"),
    "gpt-4o-mini": ("openai", "gpt-4o-mini"),
    "claude-3.5-sonnet": ("anthropic", "claude-3-5-sonnet"),
}


def given(case: str) -> dict[str, Any]:
    return {name: exact(value) for name, value in CASES[case]["inputs"].items()}


def exact(value: Any) -> Any:
    if isinstance(value, list):
        return [exact(each) for each in value]
    if isinstance(value, str) and "/" not in value and not value.startswith("S"):
        return Decimal(value)
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def listed(model: str, way: Way = STANDARD, **stated: Decimal) -> Quote:
    """The list's quote of a model, which asks what the example says that it asks."""
    quote = PriceBook(Settings(), shipped()).quote(*OF_MODEL[model], NOON, way)
    assert quote is not None
    assert {name: quote.prices[name].usd for name in stated} == stated
    return quote


def request_usd(case: str) -> Decimal:
    """What one request of the example costs by the list."""
    said = given(case)
    quote = listed(CASES[case]["source"].split()[-1], input=said["usd_per_mtok_in"], output=said["usd_per_mtok_out"])
    usd = cost(quote, {"input": int(said["input_tokens"]), "output": int(said["output_tokens"])}).usd
    assert usd is not None
    return usd

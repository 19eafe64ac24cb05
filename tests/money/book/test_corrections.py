"""What the list is known to have wrong is right in the book, for as long as the list has it wrong."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from infertop.money.book.corrections import Correction, corrections
from infertop.money.book.listing import Listing
from infertop.money.book.load import shipped
from infertop.money.cost import cost
from infertop.money.quote import Quote, Way

WRONG = {
    "version": "1.0",
    "date": "2026-11-01",
    "providers": [
        {
            "id": "acme",
            "models": [
                {"id": "big", "match": ["=big", "=latest"], "usd": {"input": 2, "output": "6.5"}},
                {"id": "small", "usd": {"input": 1}},
            ],
        }
    ],
}
RIGHT = Correction(
    provider="acme",
    model="latest",
    alone=True,
    was={"usd": {"input": 2, "output": "6.5"}},
    prices=({"usd": {"input": 2, "output": "6.5"}}, {"from": "2026-01-01", "usd": {"input": "0.5", "output": 1}}),
    reason="it is\nanother model now",
    source="their page",
)


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def quote(listing: Listing, provider: str, model: str, moment: str, batch: bool = False) -> Quote:
    found = listing.quote(provider, model, at(moment), Way(batch=batch))
    assert found is not None
    return found


def listing(data: dict, *known: Correction) -> Listing:
    return Listing(data, json.dumps(data).encode(), known)


def test_a_corrected_name_has_the_right_price_and_says_so():
    found = quote(listing(WRONG, RIGHT), "acme", "Latest", "2026-01-01")
    assert (found.prices["input"].usd, found.flags, found.since) == (Decimal("0.5"), ("corrected",), "2026-01-01")
    assert listing(WRONG, RIGHT).reason("acme", "latest") == "it is another model now Source: their page"


def test_a_correction_from_a_date_on_leaves_what_was_before_it():
    found = quote(listing(WRONG, RIGHT), "acme", "latest", "2025-12-31T23:59:59")
    assert (found.prices["input"].usd, found.flags, found.end) == (Decimal(2), (), at("2026-01-01"))


def test_other_names_of_the_row_and_other_models_keep_their_prices():
    book = listing(WRONG, RIGHT)
    for name in ("big", "small"):
        assert quote(book, "acme", name, "2026-06-01") == quote(listing(WRONG), "acme", name, "2026-06-01")
        assert book.reason("acme", name) == ""


@pytest.mark.parametrize("path", ["price", "alias", "model"])
def test_a_list_that_was_put_right_switches_the_correction_off(path):
    data = deepcopy(WRONG)
    big, small = data["providers"][0]["models"]
    if path == "price":
        big["usd"]["input"] = "0.6"
    elif path == "alias":
        big["match"], small["match"] = "=big", ["=small", "=latest"]
    else:
        del data["providers"][0]["models"][0]
    assert listing(data, RIGHT).quote("acme", "latest", at("2026-06-01")) == listing(data).quote(
        "acme", "latest", at("2026-06-01")
    )
    assert listing(data, RIGHT).reason("acme", "latest") == ""


def test_a_whole_row_is_corrected_where_the_correction_is_not_for_a_name_alone():
    known = Correction("acme", "big", {"usd": {"input": 2}}, "why", "where", ({"usd": {"input": 3}},))
    book = listing(WRONG, known)
    assert quote(book, "acme", "latest", "2026-06-01").prices["input"].usd == 3
    assert quote(book, "acme", "latest", "2026-06-01").matched == "big"


def test_a_quote_is_said_to_be_corrected_only_while_the_list_has_another_price():
    data = deepcopy(WRONG)
    peak = {"daily": "01:00-04:00", "usd": {"input": 9}}
    data["providers"][0]["models"] = [{"id": "big", "prices": [{"usd": {"input": 1}}, peak]}]
    book = listing(data, Correction("acme", "big", peak, "no peak", "their page", ({"usd": {"input": 1}},)))
    inside, after = quote(book, "acme", "big", "2026-06-01T02:00"), quote(book, "acme", "big", "2026-06-01T05:00")
    assert (inside.flags, inside.start, inside.end) == (("corrected",), at("2026-06-01T01:00"), at("2026-06-01T04:00"))
    assert (after.flags, after.start, after.end) == ((), at("2026-06-01T04:00"), at("2026-06-02T01:00"))
    assert inside.prices == after.prices


def test_listings_differ_by_their_corrections():
    assert listing(WRONG) == listing(WRONG)
    assert hash(listing(WRONG)) == hash(listing(WRONG))
    assert listing(WRONG) != listing(WRONG, RIGHT)


def test_every_shipped_correction_is_applied_and_says_why_and_by_what_source():
    for each in corrections():
        assert len(shipped().reason(each.provider, each.model)) > 60, each.model
        assert "\n" not in shipped().reason(each.provider, each.model)


def test_what_is_known_to_be_wrong_is_right():
    book = shipped()
    large = quote(book, "mistral", "mistral-large-latest", "2026-11-20")
    assert [str(large.prices[name].usd) for name in ("input", "output", "cache_read")] == ["0.5", "1.5", "0.05"]
    assert quote(book, "mistral", "mistral-large-2411", "2026-11-20").prices["input"].usd == 2
    sonnet = quote(book, "anthropic", "claude-sonnet-4-5-20250929", "2026-04-30")
    assert cost(sonnet, {"input": 300_000}).usd == Decimal("0.9")
    assert cost(quote(book, "anthropic", "claude-sonnet-4-5", "2026-04-29"), {"input": 300_000}).usd == Decimal("1.8")
    assert str(quote(book, "mistral", "codestral-latest", "2026-11-20", batch=True).prices["cache_read"].usd) == "0.015"

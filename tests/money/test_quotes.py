"""What a model costs by pricing.toml over a list of prices."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from infertop.money.book.listing import Listing
from infertop.money.cost import cost
from infertop.money.load import parse
from infertop.money.quote import Quote, UnitPrice, Way
from infertop.money.rates import PriceBook
from infertop.money.settings import UTC

NOW = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
STANDARD, BATCH, FLEX, PRIORITY = Way(), Way(batch=True), Way(service_tier="flex"), Way(service_tier="priority")
LIST: dict[str, Any] = {
    "version": "1",
    "date": "2026-11-10",
    "providers": [
        {
            "id": "openai",
            "called": "*openai",
            "models": [
                {
                    "id": "big",
                    "usd": {"input": ["2", 100000, "4"], "cache_read": "1", "output": "8", "web_searches": "10"},
                    "variants": [{"when": {"processing": "batch"}, "usd": {"input": "1", "output": "4"}}],
                },
                {
                    "id": "dated",
                    "prices": [
                        {"usd": {"input": "3", "output": "6"}},
                        {"from": "2026-11-01", "usd": {"input": "2", "output": "5"}},
                        {"from": "2026-11-01", "daily": "16:30-00:30", "usd": {"input": "1", "output": "2.5"}},
                    ],
                },
                {"id": "sparse", "usd": {"input": "2"}},
            ],
        },
        {"id": "azure", "fallback": ["openai"], "models": []},
        {
            "id": "google",
            "called": ["*vertex", "*google"],
            "models": [{"id": "gem", "usd": {"input": "1", "output": "2"}}],
        },
    ],
}
LISTING = Listing(LIST, b"list")


def book(text: str = "") -> PriceBook:
    return PriceBook(parse(text.encode()), LISTING)


def quoted(text: str, model: str = "big", provider: str = "openai", way: Way = STANDARD, ts: float = NOW) -> Quote:
    quote = book(text).quote(provider, model, ts, way)
    assert quote is not None
    return quote


def usd(quote: Quote) -> dict[str, Decimal]:
    """The prices of the classes that have one of their own."""
    return {name: each.usd for name, each in quote.prices.items() if not each.stands_for}


def test_without_an_entry_the_list_answers() -> None:
    quote = quoted("")
    assert quote == LISTING.quote("openai", "big", NOW, Way())
    assert quote.source == "snapshot 2026-11-10"


def test_nobody_prices_an_unknown_model_or_provider() -> None:
    assert book().quote("openai", "nobodys", NOW) is None
    assert book().quote("nobody", "big", NOW) is None
    assert book('[model.big]\nprovider = "azure"\ninput = 1').quote("nobody", "big", NOW) is None


def test_an_entry_prices_a_provider_that_no_list_knows() -> None:
    quote = quoted('[model.big]\nprovider = "our-*"\ninput = 5\noutput = 6\n', provider="our-gateway")
    assert usd(quote) == {"input": 5, "output": 6}
    assert (quote.provider, quote.matched, quote.source, quote.flags) == ("our-gateway", "big", "pricing.toml:3", ())


def test_an_entry_goes_over_the_list_class_by_class_each_with_its_own_source() -> None:
    quote = quoted("[model.big]\noutput = 7\n")
    assert usd(quote) == {"input": 2, "cache_read": 1, "output": 7, "web_searches": 10}
    assert quote.prices["output"].source == "pricing.toml:2"
    assert quote.prices["input"].source == "snapshot 2026-11-10"
    assert quote.prices["reasoning"] == UnitPrice(Decimal(7), 1_000_000, "pricing.toml:2", stands_for="output")
    # The first price is the list's, so what matched is too.
    assert (quote.matched, quote.source) == ("big", "snapshot 2026-11-10")


def test_what_an_entry_sets_has_no_tier_of_the_list_and_the_rest_keeps_its_own() -> None:
    assert quoted("[model.big]\noutput = 7\n").prices["input"].at(100_001) == 4
    assert quoted("[model.big]\ninput = 3\n").prices["input"].at(100_001) == 3


def test_a_class_without_a_price_costs_what_its_kind_costs_now() -> None:
    quote = quoted("[model.sparse]\ninput = 9\n", "sparse")
    assert (quote.prices["cache_read"].usd, quote.prices["cache_read"].stands_for) == (9, "input")
    assert (quote.prices["input_audio"].usd, quote.prices["input_audio"].source) == (9, "pricing.toml:2")
    assert "output" not in quote.prices
    quote = quoted("[model.sparse]\noutput = 9\n", "sparse")
    assert (quote.prices["reasoning"].usd, quote.prices["reasoning"].stands_for) == (9, "output")
    assert cost(quote, {"cache_read": 1_000_000, "output": 1}).flags == ("price_of:input:cache_read",)


def test_calls_cost_what_the_entry_says_each() -> None:
    quote = quoted("[model.big]\nweb_searches = 0.02\nrequests = 0.001\n")
    assert (quote.prices["web_searches"].usd, quote.prices["web_searches"].per) == (Decimal("0.02"), 1)
    assert cost(quote, {}, {"web_searches": 3, "requests": 1}).usd == Decimal("0.061")
    assert quote.prices["input"].source == "snapshot 2026-11-10"


TIERED = "[model.m]\ninput = 1\noutput = 2\ntiers = [{ above = 100, input = 3 }, { above = 200, output = 8 }]\n"


def test_tiers_of_an_entry_are_a_cliff_and_keep_what_they_leave_out() -> None:
    prices = quoted(TIERED, "m").prices
    assert [prices["input"].at(each) for each in (100, 101, 201)] == [1, 3, 3]
    assert [prices["output"].at(each) for each in (100, 101, 200, 201)] == [2, 2, 2, 8]
    assert prices["cache_read"].at(101) == 3


def test_a_factor_for_a_way_of_processing_is_on_every_class_and_tier_and_on_no_call() -> None:
    quote = quoted(TIERED + "web_searches = 0.01\nbatch = 0.5\n", "m", way=BATCH)
    assert (quote.prices["input"].at(1), quote.prices["input"].at(101), quote.prices["output"].at(201)) == (
        Decimal("0.5"),
        Decimal("1.5"),
        4,
    )
    assert quote.prices["web_searches"].usd == Decimal("0.01")
    assert quote.flags == ()


def test_a_way_of_processing_may_have_prices_and_tiers_of_its_own() -> None:
    text = TIERED + "flex = { input = 0.7, output = 1.5, tiers = [{ above = 50, input = 0.8 }] }\n"
    quote = quoted(text, "m", way=FLEX)
    assert quote.prices["input"].tiers == ((50, Decimal("0.8")),)
    assert (quote.prices["output"].usd, quote.prices["output"].tiers, quote.flags) == (Decimal("1.5"), (), ())


def test_a_way_of_processing_without_a_price_costs_the_standard_rate_and_says_so() -> None:
    text = "[model.m]\ninput = 1\noutput = 2\nbatch = { output = 1 }\n"
    assert quoted(text, "m").flags == ()
    assert usd(quoted(text, "m", way=PRIORITY)) == {"input": 1, "output": 2}
    assert quoted(text, "m", way=PRIORITY).flags == ("standard_rate:priority",)
    # What the table leaves out costs the standard rate.
    assert usd(quoted(text, "m", way=BATCH)) == {"input": 1, "output": 1}
    batch = quoted(text, "m", way=BATCH)
    assert batch.flags == ()
    assert cost(batch, {"output": 9, "reasoning": 1}).flags == ("price_of:output:reasoning",)
    assert cost(batch, {"input": 9, "output": 1}).flags == ("standard_rate:batch",)


def test_a_batch_in_a_service_tier_has_the_price_of_the_first_that_has_one() -> None:
    text = "[model.m]\ninput = 8\nbatch = 0.5\nflex = 0.25\n"
    both = Way(batch=True, service_tier="flex")
    assert (usd(quoted(text, "m", way=both)), quoted(text, "m", way=both).flags) == ({"input": 4}, ())
    assert quoted(text.replace("batch = 0.5\n", ""), "m", way=both).flags == ("standard_rate:batch",)


def test_the_lists_batch_prices_stay_for_what_the_entry_leaves_out_alone() -> None:
    quote = quoted("[model.big]\ninput = 1.5\n", way=BATCH)
    assert usd(quote) == {"input": Decimal("1.5"), "output": 4, "cache_read": 1, "web_searches": 10}
    assert {name for name, each in quote.prices.items() if each.flags} >= {"input", "cache_write_5m"}
    assert cost(quote, {"input": 0, "output": 5, "cache_read": 5}).flags == ()
    assert cost(quote, {"input": 1, "output": 5}).flags == ("standard_rate:batch",)
    assert quoted("[model.big.batch]\ninput = 0.9\n", way=BATCH).prices["input"].usd == Decimal("0.9")
    assert quoted("[model.big.batch]\ninput = 0.9\n").prices["input"].usd == 2


def test_a_list_without_that_way_is_flagged_only_where_it_prices_what_is_used() -> None:
    every = "[model.big]\ninput = 1\noutput = 2\ncache_read = 0.1\nflex = 0.5\n"
    assert quoted("", way=FLEX).flags == ("standard_rate:flex",)
    assert quoted("[model.big]\nweb_searches = 1\n", way=FLEX).flags == ("standard_rate:flex",)
    some = quoted("[model.big]\noutput = 2\nflex = 0.5\n", way=FLEX)
    assert cost(some, {"output": 1}).flags == ()
    assert cost(some, {"output": 1, "input": 1}).flags == ("standard_rate:flex",)
    assert all(not each.flags for each in quoted(every, way=FLEX).prices.values())


def test_the_exact_name_then_the_provider_then_the_newest_then_the_files_order_decides() -> None:
    text = (
        '[model."b*"]\nprovider = "openai"\ninput = 1\nfrom = 2026-11-20\n'
        '[[model."big"]]\ninput = 2\nfrom = 2026-11-20\n'
        '[[model."big"]]\nprovider = "openai"\ninput = 3\n'
        '[[model."big"]]\nprovider = "open*"\ninput = 4\nfrom = 2026-11-10\n'
        '[[model."big"]]\nprovider = "*"\ninput = 5\nfrom = 2026-11-10\n'
        '[[model."big"]]\nprovider = "openai"\ninput = 6\nfrom = 2026-12-01\n'
    )
    assert quoted(text).prices["input"].usd == 3
    assert quoted(text, provider="openly").prices["input"].usd == 4
    assert quoted(text, provider="nobody").prices["input"].usd == 5
    assert quoted(text, "best").prices["input"].usd == 1
    day = 86400.0
    assert quoted(text, ts=NOW - 20 * day).prices["input"].usd == 3
    assert quoted(text, ts=NOW + 20 * day).prices["input"].usd == 6


def test_providers_are_matched_in_any_case_and_under_all_their_names() -> None:
    for stated in ("google", "Vertex", "VERTEX_AI", "goo*"):
        assert quoted(f'[model.gem]\nprovider = "{stated}"\ninput = 9\n', "gem", "vertex_ai").prices["input"].usd == 9
    assert quoted('[model.gem]\nprovider = "openai"\ninput = 9\n', "gem", "vertex_ai").prices["input"].usd == 1
    # A gateway that is called after a provider is another provider, whose traffic has the list's prices nevertheless.
    gateway = '[model.gem]\nprovider = "my-google"\ninput = 9\n[provider."my-google"]\nfactor = 0.5\n'
    assert usd(quoted(gateway, "gem", "my-google")) == {"input": 9, "output": 1}
    assert usd(quoted(gateway, "gem", "google")) == {"input": 1, "output": 2}


def test_a_shadow_price_is_for_own_engines_and_no_api_and_a_price_for_all_is_for_both() -> None:
    mine = '[model.big]\nprovider = "local"\ninput = 9\n'
    assert quoted(mine).prices["input"].usd == 2
    assert quoted(mine, provider="local").prices["input"].usd == 9
    assert book(mine).shadow_price("big", NOW)["input"].usd == 9
    assert quoted("[model.big]\ninput = 9\n", provider="local").prices["input"].usd == 9
    # A list is for APIs.
    assert book().quote("local", "big", NOW) is None
    assert book('[model.big]\nprovider = "openai"\ninput = 9\n').shadow_price("big", NOW) == {}


def test_a_negotiated_factor_is_on_list_prices_and_not_on_what_an_entry_sets() -> None:
    quote = quoted('[provider."openai"]\nfactor = 0.9\n[model.big]\noutput = 7\n')
    assert usd(quote) == {"input": Decimal("1.8"), "cache_read": Decimal("0.9"), "output": 7, "web_searches": 9}
    assert quote.prices["input"].at(100_001) == Decimal("3.6")
    assert cost(quote, {"input": 1, "output": 1}).flags == ("factor:0.9",)
    assert cost(quote, {"output": 1}).flags == ()
    alone = '[provider."openai"]\nfactor = 0.9\n[model.dated]\ninput = 1\noutput = 2\n'
    assert quoted(alone, "dated").flags == ()


def test_a_factor_is_that_of_the_provider_that_was_asked_not_of_the_list_that_answers() -> None:
    text = '[provider."openai"]\nfactor = 0.9\n[provider."azure"]\nfactor = 0.8\n'
    quote = quoted(text, provider="azure")
    assert (quote.prices["output"].usd, quote.provider) == (Decimal("6.4"), "openai")
    assert quote.flags == ("listed_by:openai", "factor:0.8")
    assert quoted('[provider."openai"]\nfactor = 0.9\n', provider="azure").prices["output"].usd == 8
    assert quoted('[provider."VERTEX"]\nfactor = 0.5\n', "gem", "google").prices["output"].usd == 1


def test_behind_litellm_the_provider_of_the_prefix_was_asked() -> None:
    text = '[provider."azure"]\nfactor = 0.8\n[model."openai/big"]\nprovider = "openai"\noutput = 7\n'
    assert quoted(text, "azure/big", "litellm").prices["output"].usd == Decimal("6.4")
    assert quoted(text, "openai/big", "litellm").prices["output"].usd == 7
    own = '[model."big"]\nprovider = "openai"\noutput = 6\n[model."*"]\noutput = 5\n'
    assert quoted(own, "openai/big", "litellm").prices["output"].usd == 6
    assert quoted(own, "azure/big", "litellm").prices["output"].usd == 5


def test_a_factor_holds_from_its_date_on_and_may_end() -> None:
    text = (
        'timezone = "Europe/Berlin"\n[[provider."openai"]]\nfactor = 0.5\nfrom = 2026-03-29\n'
        '[[provider."openai"]]\nfactor = 1\nfrom = 2026-10-26\n'
    )
    berlin = ZoneInfo("Europe/Berlin")
    first, last = datetime(2026, 3, 29, tzinfo=berlin).timestamp(), datetime(2026, 10, 26, tzinfo=berlin).timestamp()
    prices = book(text)
    found = [prices.quote("openai", "big", ts) for ts in (first - 1, first, last - 1, last)]
    assert [each and each.prices["output"].usd for each in found] == [8, 4, 4, 8]
    assert [each and each.flags for each in found] == [(), ("factor:0.5",), ("factor:0.5",), ()]
    assert [each and (each.start, each.end) for each in found[1:3]] == [(first, last)] * 2
    assert found[1] is not None
    assert found[1].since == "2026-03-29"


@pytest.mark.parametrize("day", ["2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26", "2026-11-22"])
def test_an_entry_holds_from_the_first_moment_of_its_day_in_the_files_zone(day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("America/New_York")).timestamp()
    prices = book(f'timezone = "America/New_York"\n[model.big]\noutput = 1\nfrom = {day}\n')
    before, since = prices.quote("openai", "big", start - 0.001), prices.quote("openai", "big", start)
    assert before is not None
    assert since is not None
    assert (before.prices["output"].usd, before.end) == (8, start)
    assert (since.prices["output"].usd, since.prices["output"].since, since.start) == (1, day, start)


def test_the_lists_own_dates_are_utc_days_whatever_the_files_zone_is() -> None:
    prices = book('timezone = "Asia/Tokyo"\n')
    start = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    before, since = prices.quote("openai", "dated", start - 1), prices.quote("openai", "dated", start + 3600)
    assert before is not None
    assert since is not None
    assert (before.prices["input"].usd, since.prices["input"].usd) == (3, 2)

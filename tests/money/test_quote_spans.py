"""A quote says over which span it holds, and books are alike where they quote alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.book.listing import Listing
from infertop.money.book.load import shipped
from infertop.money.load import parse
from infertop.money.quote import Way
from infertop.money.rates import PriceBook
from tests.money.test_quotes import BATCH, FLEX, LIST, NOW, PRIORITY, STANDARD, book

TEXTS = st.sampled_from(
    [
        "",
        "[model.dated]\noutput = 9\nfrom = 2026-11-02\n",
        '[[model."d*"]]\ninput = 9\n[[model."d*"]]\ninput = 7\nfrom = 2026-10-25\n',
        '[[provider.openai]]\nfactor = 0.5\nfrom = 2026-11-02\n[[provider."azure"]]\nfactor = 0.7\nfrom = 2026-10-31\n',
        'timezone = "Europe/Berlin"\n[model.dated]\nbatch = { input = 3 }\nfrom = 2026-10-26\n',
    ]
)
TIMES = st.floats(NOW - 40 * 86400, NOW, allow_nan=False)


@given(TEXTS, st.sampled_from(["openai", "azure", "nobody"]), st.sampled_from([Way(), BATCH]), TIMES, TIMES)
@settings(max_examples=300, deadline=None)
def test_a_quote_is_the_same_all_over_its_span_and_asked_in_any_order(
    text: str, provider: str, way: Way, ts: float, other: float
) -> None:
    prices = book(text)
    quote = prices.quote(provider, "dated", ts, way)
    if quote is None:
        assert book(text).quote(provider, "dated", ts, way) is None
        return
    assert quote.start <= ts < quote.end
    later = prices.quote(provider, "dated", other, way)
    fresh = book(text).quote(provider, "dated", other, way)
    assert later == fresh
    if quote.start <= other < quote.end:
        assert fresh is not None
        assert (fresh.prices, fresh.flags) == (quote.prices, quote.flags)


def test_two_books_of_one_file_and_one_list_are_equal_and_quote_alike() -> None:
    text = "[[model.big]]\ninput = 2\nbatch = 0.5\n[[model.big]]\ninput = 1\nfrom = 2026-12-01\n"
    text += "[provider.openai]\nfactor = 0.9\n"
    one, other = book(text), PriceBook(parse(text.encode()), Listing(LIST, b"list"))
    first, second = one.quote("openai", "big", NOW, BATCH), other.quote("openai", "big", NOW, BATCH)
    assert one == other
    assert hash(one) == hash(other)
    assert first == second
    assert first is not None
    assert second is not None
    assert first.price("input") == second.price("input")


def test_books_differ_by_settings_and_by_list() -> None:
    one = book("[model.big]\ninput = 1\n")
    assert one != book("[model.big]\ninput = 2\n")
    assert one != book("[model.big]\ninput = 1\n[provider.openai]\nfactor = 0.9\n")
    assert one != PriceBook(one.settings, Listing(LIST, b"another"))
    gpus = book("[model.big]\ninput = 1\n[gpu.H100]\nusd_per_hour = 1\n")
    assert not one.costs_like(gpus)
    assert one.costs_like(book("[model.big]\ninput = 2\n"))
    assert PriceBook(one.settings) == PriceBook(one.settings, shipped())


def test_names_without_end_do_not_fill_the_memory() -> None:
    prices = book("[model.big]\ninput = 1\n")
    for number in range(5000):
        prices.quote("openai", f"model-{number}", NOW)
    assert len(prices._quotes._kept) <= 4096


def test_the_shipped_list_is_under_a_book_that_was_given_none() -> None:
    prices = PriceBook(parse(b'[model."gpt-4o"]\nprovider = "openai"\noutput = 7\n'))
    quote = prices.quote("openai", "gpt-4o", NOW)
    assert quote is not None
    assert prices.listing is shipped()
    assert quote.prices["input"].source == shipped().name
    assert quote.prices["output"].source == "pricing.toml:3"
    azure = prices.quote("azure", "gpt-4o", NOW)
    assert azure is not None
    assert azure.prices["output"].source == shipped().name


ENTRY = '[model."*"]\noutput = 3\nbatch = 0.5\nfrom = 2026-10-25\n'
REAL = PriceBook(parse(b'timezone = "Europe/Berlin"\n'))
OVER = PriceBook(parse(('timezone = "Europe/Berlin"\n' + ENTRY).encode()))
MODELS = sorted({(each.provider, each.model) for each in shipped().models()})
WAYS = st.sampled_from([STANDARD, BATCH, FLEX, PRIORITY, Way(True, "flex"), Way(service_tier="\x1b[31m")])
YEARS = st.floats(1.6e9, 1.9e9)


@given(st.sampled_from(MODELS), WAYS, YEARS)
@settings(max_examples=300, deadline=None)
def test_without_entries_every_model_costs_what_the_shipped_list_says(
    model: tuple[str, str], way: Way, ts: float
) -> None:
    assert REAL.quote(*model, ts, way) == shipped().quote(*model, ts, way)


@given(st.sampled_from(MODELS), WAYS, YEARS, st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_an_entry_over_the_shipped_list_changes_its_classes_alone_and_holds_all_over_its_span(
    model: tuple[str, str], way: Way, ts: float, part: float
) -> None:
    listed, quote = shipped().quote(*model, ts, way), OVER.quote(*model, ts, way)
    begun = ts >= datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    own = {"output"} if begun else set()
    assert (quote is None) == (listed is None and not begun)
    for name, unit in (listed.prices if listed else {}).items():
        assert quote is not None
        if name not in own and unit.stands_for not in own:
            assert replace(quote.prices[name], flags=()) == unit
        else:
            assert quote.prices[name].source == "pricing.toml:3"
            assert quote.prices[name].usd == (Decimal("1.5") if "batch" in str(way) else 3)
    if quote is not None:
        other = max(quote.start, 1.6e9) + part * (min(quote.end, 1.9e9) - max(quote.start, 1.6e9))
        if other < quote.end:
            again = PriceBook(OVER.settings).quote(*model, other, way)
            assert again is not None
            assert (again.prices, again.flags) == (quote.prices, quote.flags)

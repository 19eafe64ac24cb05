"""Where traffic could be taken: every model with a price, and the few that stand for all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infertop.money.load import parse
from infertop.money.quote import STANDARD, Quote
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.money.whatif.newest import MAKERS, family_of, newest
from infertop.money.whatif.offers import Name, Offer, basename, candidates, merged, named, offer
from infertop.money.whatif.priced import traffic_cost
from infertop.money.whatif.traffic import Traffic

NOON = 1_795_348_800.0  # 22 November 2026, 12:00 UTC
BOOK = PriceBook(Settings())
SOME = Traffic(Decimal(3600), {STANDARD: {"input": 1_000_000, "output": 250_000}}, 1000)


def book(text: str) -> PriceBook:
    return PriceBook(parse(text.encode(), "pricing.toml", {}))


def every_offer() -> list[Offer]:
    return [found for each in named(BOOK).names if (found := offer(each, BOOK, NOON))]


def test_every_model_that_costs_something_is_an_offer() -> None:
    found, (names, free, declared) = every_offer(), named(BOOK)
    assert declared == ()
    assert len(found) > 2000
    assert len(names) + free == len(BOOK.listing.models())
    assert all(any(price.usd for price in each.quote.prices.values()) for each in found)
    assert free > 100


def test_what_pricing_toml_names_is_an_offer_and_what_is_served_here_is_none() -> None:
    own = book(
        '[model."house-model"]\nprovider = "partner"\ninput = 1\noutput = 2\n'
        '[model."llama-3"]\nprovider = "local"\ninput = 1\n[model."gpt-*"]\ninput = 1\n'
    )
    names = set(named(own).names)
    assert Name("partner", "house-model") in names
    assert not any(each.model in ("llama-3", "gpt-*") for each in names)
    quoted = offer(Name("partner", "house-model"), own, NOON)
    assert quoted is not None
    assert traffic_cost(SOME, lambda _: quoted.quote).usd == Decimal("1.5")


def test_candidates_come_cheapest_first_and_those_without_a_price_for_it_last() -> None:
    found = candidates(SOME, every_offer(), BOOK, NOON)
    costs = [each.priced.usd for each in found]
    known = [usd for usd in costs if usd is not None]
    assert known == sorted(known)
    assert costs[: len(known)] == known
    assert any(each.priced.missing == ("output",) for each in found[len(known) :])


def test_one_model_at_one_cost_is_one_row_of_its_maker() -> None:
    names = [Name("azure", "gpt-4o"), Name("openai", "gpt-4o"), Name("openrouter", "openai/gpt-4o")]
    among = [found for each in names if (found := offer(each, BOOK, NOON))]
    rows = merged(candidates(SOME, among, BOOK, NOON), tuple(MAKERS))
    assert [(each.offer.name.provider, each.also) for each in rows] == [("openai", ("azure", "openrouter"))]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3-1-8b-instruct", True),
        ("llama-3.1-8b", "llama-3.1-70b", False),
        ("gpt-4o", "gpt-4o-mini", False),
    ],
)
def test_models_are_namesakes_however_they_are_punctuated(one: str, other: str, same: bool) -> None:
    assert (basename(one) == basename(other)) is same


@pytest.mark.parametrize(
    ("model", "family", "version"),
    [
        ("claude-opus-4-8", "claude-opus", (Decimal("4.8"), 0)),
        ("gpt-6.1-sol", "gpt-sol", (Decimal("6.1"), 0)),
        ("mistral-small-2603", "mistral-small", (Decimal("0.0"), 2603)),
        ("deepseek-v4-pro", "deepseek-pro", (Decimal("4.0"), 0)),
        ("claude-3-5-sonnet", "claude-sonnet", (Decimal("3.5"), 0)),
        ("gpt-4o-2024-05-13", "gpt-4o", (Decimal("0.0"), 20240513)),
    ],
)
def test_a_name_tells_family_and_version(model: str, family: str, version: tuple[Decimal, int]) -> None:
    assert family_of(model) == (family, version)


@pytest.mark.parametrize(
    "model", ["gpt-realtime-2", "gemini-3.8-flash-tts", "mistral-ocr-latest", "gpt-4o-mini-2024-07-18.ft-"]
)
def test_what_is_made_for_one_thing_stands_for_nothing(model: str) -> None:
    assert family_of(model) is None


def test_the_few_are_the_newest_that_have_a_price() -> None:
    names = [
        Name("openai", each) for each in ("gpt-5-mini", "gpt-5.4-mini", "gpt-9-mini", "gpt-4", "gpt-5", "gpt-oss-20b")
    ]
    names += [Name("anthropic", "claude-opus-4-1"), Name("openrouter", "gpt-77")]
    assert newest(names, lambda each: each.model != "gpt-9-mini") == [
        Name("openai", "gpt-5.4-mini"),
        Name("openai", "gpt-5"),
        Name("anthropic", "claude-opus-4-1"),
    ]


def test_of_the_shipped_list_each_maker_has_a_few() -> None:
    def answers(name: Name) -> bool:
        found: Quote | None = BOOK.quote(*name, NOON)
        return found is not None and "output" in found.prices

    few = newest(named(BOOK).names, answers)
    told = {maker for maker, starts in MAKERS.items() if starts}
    assert {each.provider for each in few} == told
    assert len(told) < len(few) <= 3 * len(told)


def test_a_price_without_a_provider_is_for_whoever_lists_the_model_and_else_a_model_by_itself() -> None:
    own = book('[model."gpt-4o"]\ninput = 2\noutput = 8\n[model."team-model"]\ninput = 1\noutput = 4\n')
    found = named(own)
    assert Name("openai", "gpt-4o") in found.declared
    assert Name("", "team-model") in found.declared
    assert "" not in {name.provider for name in found.names if name.model == "gpt-4o"}
    assert [str(name) for name in found.declared if name.model == "team-model"] == ["team-model"]

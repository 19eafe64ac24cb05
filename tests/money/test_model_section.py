"""[model] and [provider] of pricing.toml: what they take, and the sentence for each mistake."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from infertop.money.load import parse
from infertop.money.schema import Mistakes
from infertop.money.settings import ModelPrices


def model(text: str) -> ModelPrices:
    (entry,) = parse(text.encode()).models
    return entry


def mistakes(text: str) -> list[str]:
    """What is wrong with a text, without the file's name."""
    with pytest.raises(Mistakes) as found:
        parse(text.encode())
    return [each.removeprefix("pricing.toml:") for each in found.value.sentences]


def test_an_entry_keeps_the_line_of_every_price() -> None:
    entry = model(
        '[model."m"]\nprovider = "open*"\ninput = 1\noutput = 2\nweb_searches = 0.01\n'
        "tiers = [\n{ above = 200000, input = 3 },\n{ above = 1000000, input = 4, output = 5 },\n]\n"
        "batch = { input = 0.5 }\nflex = 0.6\nfrom = 2026-11-01\n"
    )
    assert (entry.provider, entry.since, entry.where) == ("open*", date(2026, 11, 1), "pricing.toml:1")
    assert [(each.name, each.usd, each.where) for each in entry.prices] == [
        ("input", 1, "pricing.toml:3"),
        ("output", 2, "pricing.toml:4"),
    ]
    assert [(each.name, each.usd, each.where) for each in entry.calls] == [
        ("web_searches", Decimal("0.01"), "pricing.toml:5")
    ]
    assert [(tier.above, [each.where for each in tier.prices]) for tier in entry.tiers] == [
        (200000, ["pricing.toml:7"]),
        (1000000, ["pricing.toml:8", "pricing.toml:8"]),
    ]
    batch, flex = entry.variants
    assert (batch.name, batch.factor, batch.prices[0].usd, batch.where) == (
        "batch",
        None,
        Decimal("0.5"),
        "pricing.toml:10",
    )
    assert (flex.name, flex.factor, flex.prices) == ("flex", Decimal("0.6"), ())


def test_a_name_may_have_an_array_of_entries_and_tables_below_them() -> None:
    settings = parse(
        b'[[model."m"]]\ninput = 1\n[model.m.batch]\ninput = 0.5\n'
        b'[[model."m"]]\ninput = 2\nfrom = 2026-11-01\n[[model.m.tiers]]\nabove = 10\ninput = 3\n'
    )
    assert [each.where for each in settings.models] == ["pricing.toml:1", "pricing.toml:5"]
    assert settings.models[0].variants[0].prices[0].where == "pricing.toml:4"
    assert settings.models[1].tiers[0].prices[0].where == "pricing.toml:10"


def test_an_entry_may_set_calls_or_a_way_of_processing_alone() -> None:
    assert model("[model.m]\nrequests = 0.001").calls[0].usd == Decimal("0.001")
    assert model("[model.m.priority]\noutput = 9").variants[0].prices[0].usd == 9


def test_one_provider_may_have_several_factors_over_time() -> None:
    settings = parse(b'[[provider."openai"]]\nfactor = 0.9\n[[provider.openai]]\nfactor = 0.8\nfrom = 2026-11-01\n')
    assert [(each.factor, each.where, each.since) for each in settings.providers] == [
        (Decimal("0.9"), "pricing.toml:2", None),
        (Decimal("0.8"), "pricing.toml:4", date(2026, 11, 1)),
    ]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ('input = "1"', "3: model.m.input must be a number of at least 0, without quotes"),
        ("input = nan", "3: model.m.input must be a number of at least 0"),
        ("input = inf", "3: model.m.input must be a number of at least 0"),
        ("web_searches = -1", "3: model.m.web_searches must be a number of at least 0"),
        ("web_search = 1", '3: unknown key "web_search" in model.m; did you mean "web_searches"?'),
        ("tier = []", '3: unknown key "tier" in model.m; did you mean "tiers"?'),
        ("tiers = 5", "3: model.m.tiers must be an array of tables: write [[model.m.tiers]]"),
        ("tiers = [1]", "3: model.m.tiers[0] must be a table"),
        (
            "tiers = { above = 1, output = 1 }",
            "3: model.m.tiers must be an array of tables: write [[model.m.tiers]] instead of [model.m.tiers]",
        ),
        (
            "tiers = [{ above = 1000 }]",
            "3: model.m.tiers[0] has no price: set those that differ, in USD per million tokens",
        ),
        ("tiers = [{ output = 3 }]", "3: model.m.tiers[0] needs above"),
        (
            "tiers = [{ above = 1, outpt = 3 }]",
            '3: unknown key "outpt" in model.m.tiers[0]; did you mean "output"?',
        ),
        (
            "tiers = [{ above = 200, output = 3 }, { above = 100, output = 4 }]",
            "3: model.m.tiers[1].above must be above 200, that of the tier before it",
        ),
        (
            "tiers = [{ above = 200, output = 3 }, { above = 200, output = 4 }]",
            "3: model.m.tiers[1].above must be above 200, that of the tier before it",
        ),
        (
            "tiers = [{ above = 200, input = 3 }]",
            "3: model.m.tiers[0].input needs model.m.input, which smaller prompts pay",
        ),
        (
            "tiers = [{ above = 0.5, output = 3 }]",
            "3: model.m.tiers[0].above must be a whole number of tokens from 1 to 1000000000",
        ),
        (
            "tiers = [{ above = 0, output = 3 }]",
            "3: model.m.tiers[0].above must be a whole number of tokens from 1 to 1000000000",
        ),
        (
            f"tiers = [{', '.join(f'{{ above = {each}, output = 1 }}' for each in range(1, 18))}]",
            "3: model.m.tiers has more than 16 tiers",
        ),
        ("batch = 0", "3: model.m.batch must be a number above 0 and at most 10"),
        ("flex = 50", "3: model.m.flex must be a number above 0 and at most 10"),
        ('priority = "2"', "3: model.m.priority must be a number above 0 and at most 10, without quotes"),
        ("batch = {}", "3: model.m.batch has no price: set input and output, in USD per million tokens"),
        ("batch = { web_searches = 1 }", '3: unknown key "web_searches" in model.m.batch'),
        ("[model.m.batch]\ninput = -1", "4: model.m.batch.input must be a number of at least 0"),
        (
            "[model.m.batch]\ninput = 1\ntiers = [{ above = 5, output = 1 }]",
            "5: model.m.batch.tiers[0].output needs model.m.batch.output, which smaller prompts pay",
        ),
        ('provider = ""', "3: model.m.provider must be a text in quotes"),
    ],
)
def test_a_mistake_in_a_model_is_a_sentence_with_its_line(row: str, sentence: str) -> None:
    assert mistakes(f"[model.m]\noutput = 2\n{row}") == [sentence]


def test_a_factor_needs_prices_that_it_is_a_factor_on() -> None:
    assert mistakes("[model.m]\nweb_searches = 1\nbatch = 0.5") == [
        "3: model.m.batch is a factor on prices that this entry does not set: set input and output beside it"
    ]


def test_two_entries_for_the_same_models_provider_and_date_are_a_mistake() -> None:
    entry = "[[model.m]]\ninput = 1\n"
    assert mistakes(entry + entry) == [
        "3: model.m[1] has the provider and the date of model.m[0] (pricing.toml:1): keep one, or set provider or from"
    ]
    dated = entry + "from = 2026-11-01\n"
    assert mistakes(dated + entry + dated)[0].startswith("6: model.m[2] has the provider and the date of model.m[0]")
    of = '[[model.m]]\nprovider = "{}"\ninput = 1\n'
    assert len(mistakes(of.format("openai") + of.format("OpenAI"))) == 1
    assert len(mistakes(entry + entry.replace("model.m", "model.M"))) == 1
    assert len(parse((entry + dated + of.format("openai") + of.format("azure")).encode()).models) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[provider.openai]\nfactor = 0",
            "2: provider.openai.factor must be a number above 0 and at most 10: 0.9 is 10 % off",
        ),
        (
            "[provider.openai]\nfactor = -1",
            "2: provider.openai.factor must be a number above 0 and at most 10: 0.9 is 10 % off",
        ),
        (
            "[provider.openai]\nfactor = 90",
            "2: provider.openai.factor must be a number above 0 and at most 10: 0.9 is 10 % off",
        ),
        ("[provider.openai]\nfactr = 1", '2: unknown key "factr" in provider.openai; did you mean "factor"?'),
        ("[provider.openai]\nfrom = 2026-11-01", "1: provider.openai needs factor"),
        ("[provider]\nopenai = 0.9", '2: provider.openai must stand under a name: [provider."NAME"]'),
        ("[providr.openai]\nfactor = 1", '1: unknown key "providr"; did you mean "provider"?'),
        (
            "[[provider.openai]]\nfactor = 1\n[[provider.openai]]\nfactor = 2",
            "3: provider.openai[1] has the date of provider.openai[0] (pricing.toml:1): keep one, or set from",
        ),
        (
            "[provider.openai]\nfactor = 1\n[provider.OpenAI]\nfactor = 2",
            "3: provider.OpenAI has the date of provider.openai (pricing.toml:1): keep one, or set from",
        ),
        ('[provider."*"]\nfactor = 0.5', '1: provider."*" must be the name of one provider: a glob is not taken here'),
        (
            "[provider.local]\nfactor = 0.5",
            "1: provider.local is what you serve yourself: it has no list prices that a factor could be on",
        ),
        (
            "[provider.x.ai]\nfactor = 1",
            '1: unknown key "ai" in provider.x; a name with a dot needs quotes: [provider."x.ai"]',
        ),
    ],
)
def test_a_mistake_in_a_factor_is_a_sentence_with_its_line(text: str, sentence: str) -> None:
    assert sentence in mistakes(text)


@pytest.mark.parametrize("section", ["model", "gpu", "provider"])
def test_a_name_has_an_end(section: str) -> None:
    (sentence,) = mistakes(f'[{section}."{"*a" * 300}"]\ninput = 1')
    assert sentence.endswith("must have a name of at most 512 characters")
    assert len(sentence) < 200


def test_a_file_with_absurdly_many_entries_is_refused_in_one_sentence() -> None:
    assert mistakes("".join(f"[model.m{each}]\ninput = 1\n" for each in range(5001))) == [
        "1: model has more than 5000 entries"
    ]
    assert mistakes("".join(f"[provider.p{each}]\nfactor = 1\n" for each in range(1001))) == [
        "1: provider has more than 1000 entries"
    ]

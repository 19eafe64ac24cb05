"""What `infertop prices` says of a model, on lists and in pricing.toml."""

from __future__ import annotations

import pytest

from infertop.money.book.load import shipped
from tests.commands.prices.asking import OWN, Run, only


def test_a_model_has_its_classes_source_and_age(prices: Run) -> None:
    status, out, _ = prices("gpt-4o", "--provider", "openai")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert status == 0
    assert lines[0] == "gpt-4o openai, context 128,000 tokens"
    assert lines[1] == f"USD per 1M tokens, {shipped().name}, 12 days old"
    assert "CLASS PRICE BATCH PRIORITY/FAST FROM" in lines
    assert "input 2.5 1.25 4.25" in lines
    assert "output 10 5 17" in lines
    assert "batch since 2026-10-14" in lines
    assert "web_searches 10 USD per 1,000" in lines


def test_others_that_the_name_may_mean_are_listed_within_bounds(prices: Run) -> None:
    status, out, _ = prices("sonnet")
    assert status == 0
    assert out.startswith("models with sonnet, USD per 1M tokens")
    assert len(out.splitlines()) < 30
    assert "more: write more of the name, or --provider" in out


def test_what_pricing_toml_changes_is_shown_beside_the_list(prices: Run) -> None:
    _, out, _ = prices("gpt-4o", "--provider", "openai", own=OWN)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "USD per 1M tokens, pricing.toml:3" in lines
    assert "since 2026-11-01 (list 2.5)" in " ".join(lines)
    assert "above 100,000 prompt tokens, for all of a request: input 5" in lines
    assert "in force since 2026-11-01, until 2027-01-01" in lines
    assert "at first until 2026-11-01: input 2.5, cache_read 1.25, output 10" in lines
    assert "from 2027-01-01: input 1, cache_read 1.25, output 10" in lines
    _, out, _ = prices("claude-sonnet-5", "--provider", "anthropic", own=OWN)
    assert "(list 2)" in out
    assert "factor:0.9" in out


def test_a_model_of_ones_own_has_its_shadow_price(prices: Run) -> None:
    model = only(prices("llama-3-70b", "--json", own=OWN))["models"][0]
    assert (model["provider"], model["matched"]) == ("local", "llama*")
    assert model["prices"]["input"]["usd"] == "0.6"
    assert model["prices"]["input"]["source"].startswith("pricing.toml:")


def test_a_price_at_another_time_and_in_another_way(prices: Run) -> None:
    (then,) = only(prices("o3", "--provider", "openai", "--at", "2025-05-01", "--json"))["models"]
    assert then["prices"]["input"]["usd"] == "10"
    assert [(each["start"], each["prices"]["input"]["usd"]) for each in then["changes"]] == [
        ("2025-06-10T00:00:00Z", "2")
    ]
    _, out, _ = prices("gpt-5-mini", "--provider", "openai", "--tier", "flex")
    assert "USD per 1M tokens (flex)" in out
    _, out, _ = prices("gpt-5", "--provider", "azure", "--batch")
    assert "listed_by:openai, standard_rate:batch" in out


def test_a_price_by_the_hour_says_when_it_changes(prices: Run) -> None:
    (model,) = only(prices("deepseek-chat", "--provider", "deepseek", "--json"))["models"]
    assert [each["start"] for each in model["next_hours"][:2]] == ["2026-11-22T16:30:00Z", "2026-11-23T00:30:00Z"]
    assert model["next_hours"][0]["prices"]["input"]["usd"] == "0.135"
    _, out, _ = prices("deepseek-chat", "--provider", "deepseek")
    assert "from Sun 2026-11-22 16:30 UTC: input 0.135, cache_read 0.035, output 0.55" in out


def test_a_correction_gives_its_reason(prices: Run) -> None:
    _, out, _ = prices("mistral-large-latest", "--provider", "mistral")
    assert "corrected: The list still has this alias at Mistral Large 2's prices" in " ".join(out.split())


def test_an_unknown_model_is_told_with_what_to_paste(prices: Run) -> None:
    status, out, _ = prices("gpt-4o-minni", "--provider", "acme")
    assert status == 1
    assert '[model."gpt-4o-minni"]' in out
    assert 'provider = "acme"' in out
    assert "is it one of these? gpt-4o-mini" in out
    assert prices("gpt-4o", "no-such-model-at-all")[0] == 1


@pytest.mark.parametrize("name", ['x"]\ny', "\x1b[2Jx", "‮evil", "x" * 5000])
def test_a_hostile_name_reaches_no_terminal(prices: Run, name: str) -> None:
    status, out, _ = prices(name)
    assert status == 1
    assert all(each.isprintable() for each in out.splitlines())


def test_what_is_counted_beside_tokens_has_its_other_prices_source_and_least(prices: Run) -> None:
    own = "[model.gpt-4o]\nweb_searches = 0.02\n"
    _, out, _ = prices("gpt-4o", own=own)
    assert "web_searches 0.02 USD per 1, pricing.toml:2 (list 10 per 1,000)" in " ".join(out.split())
    _, out, _ = prices("whisper-large-v3")
    assert "CLASS" not in out
    said = " ".join(out.split())
    assert "audio_seconds 0.111 USD per 3,600, batch 0.0555, at least 10 each time" in said


def test_tiers_of_every_way_of_processing_are_told(prices: Run) -> None:
    _, out, _ = prices("gemini-2.5-pro")
    said = " ".join(out.split())
    assert "above 200,000 prompt tokens, for all of a request: input 2.5, cache_read 0.25, output 15" in said
    assert "batch above 200,000 prompt tokens, for all of a request: input 1.25, cache_read 0.25, output 7.5" in said


def test_a_factor_on_no_list_is_told_to_change_nothing(prices: Run) -> None:
    own = "[provider.opennai]\nfactor = 0.9\n[provider.vertex]\nfactor = 0.8\n"
    said = " ".join(prices(own=own)[1].split())
    assert "provider opennai: list prices x 0.9, but no list is of that name: it changes nothing" in said
    assert said.endswith("provider vertex: list prices x 0.8")


def test_no_line_is_wider_than_a_terminal(prices: Run) -> None:
    """Some lists have prices with seventeen digits."""
    _, out, _ = prices("Qwen/Qwen3-30B-A3B-Thinking-2507", "meta-llama/Llama-3.3-70B-Instruct")
    assert " 1.04 " in out
    assert max(map(len, out.splitlines())) <= 80

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from infertop.money.load import parse
from infertop.money.quote import Way
from infertop.money.rates import PriceBook
from infertop.money.settings import UTC

NOW = datetime(2026, 11, 22, tzinfo=UTC).timestamp()


def prices(
    text: str, model: str, provider: str = "local", ts: float = NOW, *, batch: bool = False
) -> dict[str, Decimal]:
    quote = PriceBook(parse(text.encode())).quote(provider, model, ts, Way(batch))
    return {name: each.usd for name, each in quote.prices.items()} if quote else {}


def test_a_model_without_an_entry_has_no_price() -> None:
    assert prices('[model."llama-3-70b"]\ninput = 1\n', "llama-3-8b") == {}


def test_a_shadow_price_has_its_line_and_is_not_a_default() -> None:
    found = PriceBook(parse(b'[model."llama"]\nprovider = "local"\ninput = 0.6\noutput = 0.9\n')).shadow_price(
        "llama", NOW
    )
    assert found["output"].source == "pricing.toml:4"
    assert found["output"].per == "1M tokens"
    assert not found["output"].default


def test_a_class_that_is_left_out_costs_what_its_kind_costs() -> None:
    found = prices('[model."m"]\ninput = 2\noutput = 8\ncache_write_5m = 3\n', "m")
    prompt = dict.fromkeys(("input", "cache_read", "input_audio", "input_image"), 2)
    generated = dict.fromkeys(("output", "reasoning", "output_audio", "output_image"), 8)
    assert found == prompt | generated | {"cache_write_5m": 3, "cache_write_1h": 3}
    assert prices('[model."m"]\noutput = 8\n', "m") == generated


def test_what_is_counted_beside_tokens_costs_what_its_kind_costs_without_a_list_too() -> None:
    found = prices('[model."m"]\naudio_seconds = 0.001\ninput_audio_seconds = 0.002\n', "m")
    assert {name: str(usd) for name, usd in found.items()} == {
        "audio_seconds": "0.001",
        "input_audio_seconds": "0.002",
        "output_audio_seconds": "0.001",
    }


def test_the_exact_name_goes_before_globs_and_the_provider_before_none() -> None:
    text = '[model."*"]\ninput = 1\n[model."gpt-*"]\nprovider = "local"\ninput = 2\n[model."gpt-4o"]\ninput = 3\n'
    assert prices(text, "gpt-4o")["input"] == 3
    assert prices(text, "gpt-5")["input"] == 2
    assert prices(text, "gpt-5", "azure")["input"] == 1
    assert prices(text, "llama")["input"] == 1


def test_a_name_means_a_model_in_any_case() -> None:
    assert prices('[model."GPT-4o"]\ninput = 3\n', "gpt-4O", "x")["input"] == 3
    assert prices('[model."Qwen/*"]\ninput = 3\n', "qwen/Qwen3-8B")["input"] == 3
    assert prices('[model."QWEN*"]\ninput = 1\n[model."Qwen3"]\ninput = 2\n', "qwen3")["input"] == 2


def test_a_provider_goes_before_a_glob_of_providers_whichever_stands_first() -> None:
    glob, name = (f'[[model."m"]]\nprovider = "{of}"\ninput = {usd}\n' for of, usd in (("az*", 1), ("azure", 2)))
    assert prices(glob + name, "m", "azure")["input"] == 2
    assert prices(name + glob, "m", "azure")["input"] == 2
    assert prices(glob + name, "m", "azkaban")["input"] == 1


def test_a_name_with_brackets_means_itself() -> None:
    assert prices('[model."org/m[4bit]"]\ninput = 1\n', "org/m[4bit]")["input"] == 1


def test_a_price_counts_from_its_date_on_in_the_time_zone() -> None:
    text = 'timezone = "Asia/Tokyo"\n[model."m"]\ninput = 1\nfrom = 2026-11-22\n'
    start = datetime(2026, 11, 22, tzinfo=ZoneInfo("Asia/Tokyo")).timestamp()
    assert prices(text, "m", ts=start - 1) == {}
    assert prices(text, "m", ts=start)["input"] == 1


def test_a_batch_costs_a_factor_or_prices_of_its_own() -> None:
    assert prices('[model."m"]\ninput = 3\noutput = 8\nbatch = 0.5\n', "m", batch=True)["output"] == 4
    table = prices('[model."m"]\ninput = 3\noutput = 8\nbatch = { output = 5 }\n', "m", batch=True)
    assert (table["input"], table["output"]) == (3, 5)
    assert prices('[model."m"]\ninput = 3\n', "m", batch=True)["input"] == 3

"""The list itself: its age, a refresh, one that cannot be read, and wrong use."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError

import pytest

from infertop.commands.book import data_folder
from infertop.money.book.load import shipped
from tests.commands.prices.asking import OWN, Run


def test_refreshed_prices_that_cannot_be_read_are_told_wherever_prices_are_used(prices: Run) -> None:
    file = data_folder() / "prices.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    status, out, said = prices("gpt-4o")
    assert (status, "snapshot 2026-11-10" in out) == (0, True)
    assert f"infertop: {file}: these refreshed prices are ignored, because it is no JSON" in said


def test_without_a_name_it_says_what_the_book_is(prices: Run) -> None:
    status, out, _ = prices(own=OWN)
    assert status == 0
    assert out.startswith(f"list prices    {shipped().name} of genai-prices {shipped().version}, 12 days old")
    told = " ".join(out.split())
    assert "mistral mistral-large-latest: The list still has this alias" in told
    for own in (
        "pricing.toml:2 model gpt-4o: input 2, above 100,000 other prices, from 2026-11-01",
        "provider anthropic: list prices x 0.9",
        "H100: (25000 - 2000) USD",
        "energy 0.2 USD/kWh",
    ):
        assert own in told
    about = json.loads(prices("--json")[1])
    assert (about["name"], about["age_days"]) == (shipped().name, 12)


def test_wrong_use_is_told(prices: Run) -> None:
    assert prices("gpt-4o", "--at", "noon")[0] == 2
    assert prices(*["x"] * 30)[0] == 2
    assert prices("gpt-4o", " ")[0] == 2


def test_a_refresh_without_a_newer_package_says_what_to_do(prices: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infertop.money.book.refresh.version", lambda _: shipped().version)
    status, out, _ = prices("--refresh")
    assert status == 0
    assert "nothing to do" in " ".join(out.split())

    def missing(_: str) -> str:
        raise PackageNotFoundError("genai-prices")

    monkeypatch.setattr("infertop.money.book.refresh.version", missing)
    status, out, said = prices("--refresh")
    assert (status, out) == (1, "")
    assert said.startswith("infertop: genai-prices is not installed beside infertop: install it with")

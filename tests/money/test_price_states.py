"""What a file said about prices, as text and back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from infertop.money.load import parse
from infertop.money.price_history import prices_of
from infertop.money.price_states import dump_prices, load_prices

SAID = """
timezone = "Europe/Berlin"
[gpu.H100]
purchase_usd = 25000
lifetime_years = 4
[energy]
usd_per_kwh = 0.2
[[energy.tariff]]
from = "22:00"
to = "06:00"
usd_per_kwh = 0.09
[model.m]
input = 1.5
tiers = [{ above = 1000, input = 3 }]
batch = 0.5
[provider.openai]
factor = 0.9
from = 2026-07-01
[[deployment]]
name = "ptu"
kind = "provisioned"
provider = "azure"
model = "gpt-4*"
project = "search"
from = 2026-07-01
until = 2026-08-01
usd_per_unit_month = 260
units = 15
tokens_per_minute = 100000
output_weight = 4
requests_per_hour = 10
input_tokens = 1000
[[deployment]]
name = "flex"
kind = "serverless"
provider = "runpod"
model = "llama"
usd_per_second = 0.00116
"""


def test_what_was_said_is_the_same_when_it_is_read_again() -> None:
    said = prices_of(parse(SAID.encode()))
    assert load_prices(dump_prices(said)) == said
    (reserved,) = said.deployments
    assert (reserved.name, reserved.until, reserved.kind) == ("ptu", date(2026, 8, 1), "provisioned")


def test_a_state_from_before_there_were_deployments_in_it_is_read() -> None:
    said = load_prices('{"is": "Settings", "zone": {"is": "zone", "text": "UTC"}}')
    assert (said.deployments, said.zone.key) == ((), "UTC")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"is": "Nothing"}', '{"is": "Settings", "new": 1}', '{"is": "usd"}'])
def test_what_this_version_cannot_read_is_said_to_be(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own is one too
        load_prices(text)


def test_amounts_keep_every_digit() -> None:
    said = prices_of(parse(b"[model.m]\ninput = 0.1234567891234567891234567891\n"))
    assert load_prices(dump_prices(said)).models[0].prices[0].usd == Decimal("0.1234567891234567891234567891")

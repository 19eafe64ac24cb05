"""A row for each deployment: by what is measured of it, else by what is declared."""

from __future__ import annotations

import tomllib

import pytest

from infertop.money.load import parse
from infertop.money.rates import PriceBook
from infertop.readings.model import Series
from infertop.views.deployments import deployment_rows
from infertop.views.model_rows import model_rows
from infertop.views.shapes import DeploymentRow
from tests.money.tape import START, batch, engine
from tests.views.world import World

GATEWAY = "gateway"
# Prices of pricing.toml, so that they hold at the time of the tape: half of 2 + half of 8 is 5 USD per million.
LIST = """
[model."gpt-4.1"]
provider = "azure"
input = 2
cache_read = 0.5
output = 8
batch = 0.5
[model."big"]
provider = "azure"
input = 20
output = 80
[gpu."H100"]
usd_per_hour = 2.95
"""
PTU = """
[[deployment]]
name = "ptu"
kind = "provisioned"
provider = "azure"
model = "gpt-4.1"
usd_per_hour = 15
tokens_per_minute = 100000
"""
MIX = "input_tokens = 1000\noutput_tokens = 1000\n"
FLEX = """
[[deployment]]
name = "flex"
kind = "serverless"
provider = "runpod"
model = "llama"
usd_per_second = 0.00116
"""
JOB = """
[[deployment]]
name = "nightly"
kind = "batch"
provider = "azure"
model = "gpt-4.1"
requests = 1000
every = "day"
input_tokens = 1000
output_tokens = 500
"""


def world(text: str) -> World:
    return World(PriceBook(parse((LIST + text).encode(), "pricing.toml")))


def serve(made: World, seconds: int = 60, model: str = "gpt-4.1", **rates: float) -> World:
    """A gateway whose counters rise by the same each second."""
    for second in range(seconds + 1):
        counters = {name: rate * second for name, rate in rates.items()}
        made.poll(engine(START + second, source=GATEWAY, model=model, started=1.0, **counters))
    return made


def rows(made: World) -> tuple[DeploymentRow, ...]:
    facts = made.facts()
    return deployment_rows(facts, model_rows(facts))


def only(made: World) -> DeploymentRow:
    (row,) = rows(made)
    return row


def test_measured_traffic_uses_what_is_reserved() -> None:
    made = serve(world(f'{PTU}source = "gate*"\n'), input_tokens=400.0, output_tokens=400.0, requests=1.0)
    row = only(made)
    # 800 tokens/s are 48,000 of 100,000 a minute; at 5 USD per million they would cost 14.40 an hour.
    assert (row.traffic, row.counts, row.basis, row.price_source) == ("measured", True, "computed", "pricing.toml:20")
    assert row.usd_per_hour == 15
    assert row.utilization == pytest.approx(0.48)
    assert row.usd_per_million_tokens == pytest.approx(15 / 2.88)
    assert row.break_even == pytest.approx(0.5)
    assert row.verdict == (
        "cheaper than pay-as-you-go above 50 % use; now 48 %: pay-as-you-go would cost $14.40/h, this costs $15.00/h"
    )
    text = "\n".join(row.lines)
    assert "$/h = 15 USD/h = $15.00/h (pricing.toml:20), spent whether it is used or not" in text
    assert "measured over 60 s: gpt-4.1 on gateway" in text
    assert "input $2.00, output $8.00 per 1M tokens (pricing.toml:" in text
    assert "break-even = $15.00/h / what full use at this mix costs by the token ($30.00/h) = 50 %" in text


def test_a_meter_of_ones_own_that_is_not_named_serves_something_else() -> None:
    made = serve(world(PTU), input_tokens=400.0, output_tokens=400.0)
    row = only(made)
    assert (row.traffic, row.utilization, row.break_even, row.usd_per_million_tokens) == ("unknown", None, None, None)
    assert row.verdict == (
        "what it serves is unknown: declare input_tokens and output_tokens, or name the source that meters it"
    )
    assert row.usd_per_hour == 15


def test_what_is_measured_goes_before_what_is_declared() -> None:
    text = f'{PTU}source = "gateway"\n{MIX}requests_per_hour = 1200\n'
    row = only(world(text))
    assert (row.traffic, row.utilization) == ("declared", pytest.approx(0.4))
    made = serve(world(text), input_tokens=400.0, output_tokens=400.0)
    assert (only(made).traffic, only(made).utilization) == ("measured", pytest.approx(0.48))


def test_with_the_mix_alone_it_is_known_when_it_pays_but_not_how_much_is_used() -> None:
    row = only(world(PTU + MIX))
    assert (row.traffic, row.utilization, row.usd_per_million_tokens) == ("unknown", None, None)
    assert row.break_even == pytest.approx(0.5)
    assert row.verdict == "cheaper than pay-as-you-go above 50 % use; how much is used is unknown"


def test_more_than_is_reserved_and_never_cheaper() -> None:
    text = f"{PTU.replace('usd_per_hour = 15', 'usd_per_hour = 60')}{MIX}requests_per_hour = 4500\n"
    row = only(world(text))
    assert (row.utilization, row.break_even) == (pytest.approx(1.5), pytest.approx(2.0))
    assert row.verdict == (
        "never cheaper than pay-as-you-go: the tokens it can serve cost $30.00/h, this $60.00/h; now 150 %; "
        "more than is reserved waits, is refused or is billed by the token"
    )
    # 100,000 tokens a minute are 6 million an hour: what comes beyond them makes no token cheaper.
    assert row.usd_per_million_tokens == pytest.approx(10)


def test_more_than_is_reserved_is_compared_by_what_is_reserved() -> None:
    row = only(world(f"{PTU}{MIX}requests_per_hour = 4500\n"))
    assert (row.utilization, row.usd_per_million_tokens) == (pytest.approx(1.5), pytest.approx(2.5))
    assert "now 150 %: pay-as-you-go would cost $30.00/h for what is reserved, this costs $15.00/h; more" in row.verdict
    assert any("6,000,000 tokens an hour (of them what is reserved) = $2.50" in line for line in row.lines)


def test_a_glob_is_priced_by_the_models_that_it_serves() -> None:
    text = f'{PTU.replace("gpt-4.1", "*")}source = "gateway"\n'
    made = world(text)
    for second in range(61):
        said = [(Series.of("input_tokens", model=model), 100.0 * second) for model in ("gpt-4.1", "big")]
        made.poll(batch(GATEWAY, START + second, said, 1.0))
    row = only(made)
    # 100 tokens a second of each: 0.36 M an hour at 2 and at 20 USD; full use is 6 M at 11.
    assert row.verdict == (
        "cheaper than pay-as-you-go above 22.7 % use; now 12 %: pay-as-you-go would cost $7.92/h, this costs $15.00/h"
    )


def test_without_a_list_price_the_use_is_told_and_what_to_do() -> None:
    text = f"{PTU.replace('gpt-4.1', 'homemade')}{MIX}requests_per_hour = 1200\n"
    row = only(world(text))
    assert (row.utilization, row.break_even) == (pytest.approx(0.4), None)
    assert row.verdict == ('homemade has no list price at azure: set one under [model."homemade"] to see when it pays')


def test_what_is_to_be_pasted_is_toml_whatever_the_model_is_called() -> None:
    escaped = 'x\\"\\ninput = \\"y'
    for text in (f"{PTU}{MIX}", JOB):
        verdict = only(world(text.replace("gpt-4.1", escaped))).verdict
        pasted = "[model." + verdict.partition(" under [model.")[2].partition(" to see")[0]
        assert tomllib.loads(pasted) == {"model": {'x"\ninput = "y': {}}}


def test_nothing_served_is_no_use_and_no_price_for_a_million() -> None:
    made = serve(world(f'{PTU}source = "gateway"\n'), input_tokens=0.0, output_tokens=0.0, requests=0.0)
    row = only(made)
    assert (row.utilization, row.usd_per_million_tokens, row.break_even) == (0.0, None, None)
    assert row.verdict == "none of it is used"

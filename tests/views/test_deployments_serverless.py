"""Rows of serverless workers and of batches, and what may be declared of any."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.schema import Mistakes
from infertop.readings.model import Buckets, Series
from infertop.views.once import reading
from infertop.views.overview import overview
from infertop.views.plain import plain
from tests.money.tape import START, batch
from tests.views.explaining import explain
from tests.views.test_deployments import FLEX, GATEWAY, JOB, PTU, only, serve, world
from tests.views.test_once import VALIDATOR, read


def test_serverless_seconds_beside_a_dedicated_gpu() -> None:
    text = f'{FLEX}gpu = "H100"\nseconds_per_request = 2\nrequests_per_hour = 100\noutput_tokens = 1000\n'
    row = only(world(text))
    # S2-20, and 2.95 / 4.176.
    assert (row.usd_per_hour, row.utilization) == (pytest.approx(0.232), pytest.approx(200 / 3600))
    assert row.break_even == pytest.approx(0.706418, rel=1e-5)
    assert row.usd_per_million_tokens == pytest.approx(2.32)
    assert (row.against, row.traffic, row.counts, row.basis) == ("a dedicated H100", "declared", False, "computed")
    assert row.verdict == (
        "cheaper than a dedicated H100 below 70.6 % use; now 5.56 %: it costs $0.23/h, a dedicated H100 $2.95/h"
    )
    assert "compared with a dedicated H100: $2.95/h (pricing.toml:13)" in row.lines


def test_serverless_requests_and_their_latency_are_measured_where_nothing_is_declared() -> None:
    made = world(f'{FLEX}source = "gateway"\ndedicated_usd_per_hour = 2.95\nidle_seconds = 60\n')
    for second in range(61):
        seen = Buckets((2.0, float("inf")), (float(second), float(second)), second * 2.0)
        said: list[tuple[Series, Any]] = [
            (Series.of("requests", model="llama"), float(second)),
            (Series.of("request_seconds", model="llama"), seen),
        ]
        made.poll(batch(GATEWAY, START + second, said, 1.0))
    row = only(made)
    assert (row.traffic, row.basis) == ("measured", "estimated")
    # 3,600 requests an hour of 2 s each are more than one worker does.
    assert row.verdict == "a worker cannot serve that much: set workers to 2 or more"
    assert "taken from the latency that was measured" in "\n".join(row.lines)


def test_the_workers_that_a_load_needs_are_whole_ones() -> None:
    row = only(world(f"{FLEX}requests_per_hour = 1000\nseconds_per_request = 5\n"))
    assert row.verdict == "a worker cannot serve that much: set workers to 2 or more"


def test_serverless_without_traffic_tells_what_would_break_even() -> None:
    row = only(world(f"{FLEX}dedicated_usd_per_hour = 2.95\n"))
    assert (row.usd_per_hour, row.utilization, row.traffic) == (None, None, "unknown")
    assert row.break_even == pytest.approx(0.706418, rel=1e-5)
    assert row.verdict == (
        "cheaper than a dedicated GPU below 70.6 % use; "
        "its traffic is unknown: declare requests_per_hour and seconds_per_request"
    )


def test_a_batch_beside_what_it_would_cost_at_once() -> None:
    row = only(world(JOB))
    # 1,000 x (1,000 x 1 + 500 x 4) / 1e6 = 3 USD a day, 6 at once.
    assert row.usd_per_hour == pytest.approx(3 / 24)
    assert row.usd_per_million_tokens == pytest.approx(2.0)
    assert (row.traffic, row.against, row.counts) == ("declared", "at once", False)
    assert row.verdict == "costs $3.00 every day, $6.00 at once at azure: saves 50 %"


def test_a_batch_whose_list_has_no_batch_price_is_told_to_be_at_the_standard_rate() -> None:
    row = only(world(JOB.replace("gpt-4.1", "big")))
    assert row.verdict.endswith("no batch price is listed, so it is priced at the standard rate")


def test_a_batch_on_own_gpus_beside_a_provider_and_alone() -> None:
    text = f'{JOB}gpu = "H100"\nhours = 2\n'
    assert only(world(text)).verdict == "costs $5.90 every day, $6.00 at once at azure: saves 1.67 %"
    own = text.replace('provider = "azure"\n', "").replace('every = "day"\n', "")
    row = only(world(own))
    assert (row.verdict, row.provider, row.against, row.usd_per_hour) == ("costs $5.90", "local", "", None)
    unknown = only(world(text.replace("H100", "Abacus")))
    assert (unknown.usd_per_hour, unknown.verdict) == (
        None, 'Abacus has no price: set usd_per_hour under [gpu."Abacus"]',
    )  # fmt: skip
    assert "no price for Abacus, which is no GPU that infertop knows" in unknown.lines[1]
    compared = only(world(f'{FLEX}gpu = "Abacus"\n'))
    assert any("no price for Abacus, which is no GPU that infertop knows" in line for line in compared.lines)


def test_what_is_not_there_yet_or_any_more_has_no_row() -> None:
    text = f"{PTU}from = 1990-01-01\n{FLEX}until = 1975-01-01\n{JOB}from = 1975-01-01\nuntil = 1990-01-01\n"
    row = only(world(text))
    assert row.name == "nightly"
    assert row.lines[-1] == "it exists since 1975-01-01 until 1990-01-01 (UTC)"


def test_only_what_counts_is_part_of_what_is_spent_an_hour() -> None:
    made = world(f"{PTU}{FLEX}requests_per_hour = 1\nseconds_per_request = 9\n{JOB}")
    view = overview(made.facts())
    head = view.headline
    assert (head.api_usd_per_hour, head.usd_per_hour, head.gpu_usd_per_hour) == (15, 15, None)
    beside = overview(world(f"{PTU}counts = false\n").facts())
    assert (beside.headline.api_usd_per_hour, beside.headline.usd_per_hour) == (None, None)
    assert "shown beside what is spent, not added" in beside.deployments[0].lines[0]


def test_all_three_as_json_as_text_and_explained() -> None:
    made = world(PTU + FLEX + JOB)
    facts = made.facts()
    view = overview(facts)
    said = read(view)
    VALIDATOR.validate(said)
    assert [each["kind"] for each in said["deployments"]] == ["provisioned", "serverless", "batch"]
    assert said["usd_per_hour"]["api"] == 15.0
    assert said["deployments"][2]["usd_per_hour"] == 0.125
    assert said["deployments"][1]["against"] is None
    text = plain(view)
    assert "DEPLOYMENT" in text
    assert "saves 50 %" in text
    told = explain(facts, "deployments", "nightly", "usd_per_hour")
    assert told.title == "nightly $/h"
    assert told.lines == (view.deployments[2].verdict, *view.deployments[2].lines)
    assert explain(facts, "deployments", "gone", "usd_per_hour").lines == ()


figure = st.sampled_from(["0.000000001", "1", "1000000000000", "0.37"])
kinds = {
    "provisioned": ("usd_per_hour", "tokens_per_minute", "requests_per_hour", "output_weight"),
    "serverless": (
        "usd_per_second", "seconds_per_request", "requests_per_hour", "cold_start_seconds", "cold_starts_per_hour",
        "idle_seconds", "idle_usd_per_second", "round_up_to_seconds", "dedicated_usd_per_hour",
    ),
    "batch": ("requests",),
}  # fmt: skip


@st.composite
def stated(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(sorted(kinds)))
    keys = [*kinds[kind], "input_tokens", "cache_read_tokens", "output_tokens"]
    values = draw(st.dictionaries(st.sampled_from(keys), figure))
    model = draw(st.sampled_from(["gpt-4.1", "big", "none", "gpt*"]))
    lines = [f'name = "x"\nkind = "{kind}"\nprovider = "azure"\nmodel = "{model}"\nsource = "gateway"']
    return "\n".join(["[[deployment]]", *lines, *(f"{name} = {value}" for name, value in values.items())])


@settings(deadline=None, max_examples=100)
@given(stated(), st.floats(0, 1e15))
def test_whatever_may_be_declared_gives_json_that_the_schema_describes(text: str, rate: float) -> None:
    try:
        made = world(text)
    except Mistakes:
        return
    serve(made, 2, input_tokens=rate, output_tokens=rate / 3, requests=1.0)
    VALIDATOR.validate(read(overview(made.facts())))
    assert reading(overview(made.facts()))["deployments"][0]["name"] == "x"

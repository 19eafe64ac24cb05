"""What a provider says becomes lines that cost what its list says, to the last 1e-9 USD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.deployments.declared import Deployment, Provisioned
from infertop.money.lines import Basis, Line
from infertop.money.price_history import PriceHistory
from infertop.money.quote import Way
from infertop.money.rates import PriceBook
from infertop.money.settings import ClassPrice, ModelPrices, Settings, Tier, Variant
from infertop.money.statement_lines import STATED, Before, prompt_tokens_of, span_of, statement_lines, way_of
from infertop.money.unit_cost import nano_per_unit, rounded
from infertop.readings.model import Statement

START = 1_793_000_040.0  # 2026-10-26, a minute's edge


def price(name: str, usd: str) -> ClassPrice:
    return ClassPrice(name, Decimal(usd), "pricing.toml:5")


def history(*models: ModelPrices) -> PriceHistory:
    return PriceHistory(PriceBook(Settings(models=models)))


OWN = ModelPrices(
    "ours",
    "pricing.toml:4",
    prices=(price("input", "2.5"), price("output", "10")),
    calls=(price("web_searches", "0.01"),),
    tiers=(Tier(200_000, (price("input", "5"),)),),
    variants=(Variant("batch", "pricing.toml:6", Decimal("0.5")),),
)


def said(quantities: Mapping[str, int], **more: object) -> Statement:
    whole = Statement("openai", "k", START, START + 60, "acme", "ours", {}, quantities, None, None, "measured")
    return replace(whole, **more)


def by_resource(lines: list[Line]) -> dict[str, tuple[int, int | None]]:
    return {each.resource: (each.quantity, each.usd_nano) for each in lines}


def test_each_class_and_unit_is_a_line_with_its_price() -> None:
    lines = statement_lines(said({"input": 1000, "output": 7, "web_searches": 3}, requests=2), history(OWN))
    assert by_resource(lines) == {
        "input": (1000, 2_500_000),
        "output": (7, 70_000),
        "requests": (2, None),
        "web_searches": (3, 30_000_000),
    }
    assert {each.basis for each in lines} == {Basis.COMPUTED}
    assert [each.unit for each in lines] == ["tokens", "tokens", "requests", "web_searches"]
    assert [each.price.source for each in lines if each.price] == ["pricing.toml:5"] * 3
    assert {(each.start, each.end) for each in lines} == {(int(START), int(START) + 60)}


def test_what_is_not_counted_has_no_line_and_what_is_0_has_one() -> None:
    assert by_resource(statement_lines(said({"input": 0}), history(OWN))) == {"input": (0, 0)}


def test_a_batch_costs_its_share_and_a_tier_without_a_price_says_so() -> None:
    batch = statement_lines(said({"input": 1000}, dimensions={"batch": "true"}), history(OWN))
    assert by_resource(batch) == {"input": (1000, 1_250_000)}
    flex = statement_lines(said({"input": 1000}, dimensions={"service_tier": "flex"}), history(OWN))
    assert by_resource(flex) == {"input": (1000, 2_500_000)}
    assert flex[0].flags == "standard_rate:flex"


def test_a_long_context_costs_its_tier_where_the_provider_says_it_was_long() -> None:
    long = statement_lines(said({"input": 10}, dimensions={"context_window": "200k-1M"}), history(OWN))
    assert by_resource(long) == {"input": (10, 50_000)}
    assert long[0].flags == "context_tier:200000"
    assert by_resource(statement_lines(said({"input": 900_000}), history(OWN))) == {"input": (900_000, 2_250_000_000)}


def test_an_unknown_model_is_counted_and_has_no_price() -> None:
    (line,) = statement_lines(said({"input": 5}, model="gpt-7"), history(OWN))
    assert (line.price, line.usd_nano, line.quantity) == (None, None, 5)
    (line,) = statement_lines(said({"input": 5}, model=None), history(OWN))
    assert line.price is None


def test_a_model_of_ones_own_has_a_shadow_price_alone() -> None:
    local = replace(OWN, provider="local")
    (line,) = statement_lines(said({"input": 5}, provider="local"), history(local))
    assert (line.price, line.usd_nano) == (None, None)


def test_what_is_billed_is_a_line_of_its_own_and_prices_nothing() -> None:
    lines = statement_lines(said({"input": 1000, "output": 7}, usd_nano=123, basis="billed"), history(OWN))
    assert by_resource(lines) == {"cost": (123, 123), "input": (1000, None), "output": (7, None)}
    assert {each.basis for each in lines} == {Basis.BILLED}
    assert {each.price for each in lines} == {None}


@pytest.mark.parametrize(
    ("said_to_be", "basis"),
    [("billed", Basis.BILLED), ("computed", Basis.COMPUTED), ("estimated", Basis.ESTIMATED), ("odd", Basis.COMPUTED)],
)
def test_a_stated_cost_is_a_bill_only_where_the_statement_says_so(said_to_be: str, basis: Basis) -> None:
    lines = statement_lines(said({"input": 1000}, usd_nano=123, basis=said_to_be), history(OWN))
    assert by_resource(lines) == {"cost": (123, 123), "input": (1000, None)}
    assert {each.basis for each in lines} == {basis}
    assert [each.flags for each in lines] == ["", STATED]


def test_what_is_not_priced_by_its_provider_is_no_bill_whatever_the_statement_says() -> None:
    (line,) = statement_lines(said({"input": 1000}, basis="billed"), history(OWN))
    assert line.basis is Basis.COMPUTED
    assert line.usd_nano is not None


def test_a_hidden_estimate_stays_one() -> None:
    (line,) = statement_lines(said({"input": 1}, basis="estimated"), history(OWN))
    assert line.basis is Basis.ESTIMATED


def test_ids_of_requests_stay_out_of_the_ledger() -> None:
    (line,) = statement_lines(said({"input": 1}, dimensions={"key": "a", "session": "s", "project": ""}), history(OWN))
    assert line.dimensions == (("key", "a"),)


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        (60.0, 120.0, (60, 120)),
        (61.5, 62.0, (60, 120)),
        (110.0, 170.0, (60, 120)),
        (90.5, 90.5, (60, 120)),
        (0.0, 3600.0, (0, 3600)),
        (10.5, 99.5, (10, 100)),
        (100.0, 99.0, None),
        (float("nan"), 99.0, None),
        (0.0, float("inf"), None),
        (-60.0, 0.0, None),
    ],
)
def test_a_narrow_span_is_the_minute_of_its_start_and_a_wide_one_stays(
    start: float, end: float, span: tuple[int, int] | None
) -> None:
    statement = said({"input": 1}, start=start, end=end)
    assert span_of(statement) == span
    assert bool(statement_lines(statement, history(OWN))) is (span is not None)


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ({}, Way()),
        ({"service_tier": "default"}, Way()),
        ({"service_tier": "Standard"}, Way()),
        ({"service_tier": "batch"}, Way(batch=True)),
        ({"batch": "True", "service_tier": "priority"}, Way(True, "priority")),
        ({"batch": "false"}, Way()),
        ({"speed": "fast", "service_tier": "auto"}, Way(False, "fast")),
        ({"speed": "fast", "service_tier": "priority"}, Way(False, "priority")),
    ],
)
def test_how_it_was_processed_is_read_from_what_the_provider_says(said: dict[str, str], way: Way) -> None:
    assert way_of(said) == way


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        ("0-200k", 1),
        ("200k-1M", 200_001),
        (">200k", 200_001),
        ("1M", 0),
        ("", 0),
        ("x-y", 0),
        ("128000-256000", 128_001),
    ],
)
def test_how_long_prompts_were_at_least_is_read_from_a_range(said: str, tokens: int) -> None:
    assert prompt_tokens_of({"context_window": said}) == tokens


def test_a_span_over_a_change_of_price_has_that_of_its_start_and_says_so() -> None:
    from datetime import date

    new = replace(OWN, prices=(price("input", "9"),), since=date(2026, 10, 27), tiers=(), variants=(), calls=())
    midnight = 1_793_059_200
    wide = said({"input": 1000}, start=midnight - 3600.0, end=midnight + 3600.0)
    (line,) = statement_lines(wide, history(OWN, new))
    assert (line.usd_nano, line.flags) == (2_500_000, "astride")
    (line,) = statement_lines(replace(wide, start=float(midnight)), history(OWN, new))
    assert (line.usd_nano, line.flags) == (9_000_000, "")


CLASSES = ("input", "cache_read", "output", "reasoning", "input_audio", "web_searches")
usd = st.decimals("0", "99", places=7)


@given(st.dictionaries(st.sampled_from(CLASSES), st.tuples(st.integers(0, 10**9), usd)))
def test_the_lines_sum_to_the_rounded_cost_and_each_is_rounded_down_or_up(
    used: dict[str, tuple[int, Decimal]],
) -> None:
    model = ModelPrices(
        "ours",
        "x:1",
        prices=tuple(price(name, str(each)) for name, (_, each) in used.items() if name != "web_searches"),
        calls=tuple(price(name, str(each)) for name, (_, each) in used.items() if name == "web_searches"),
    )
    lines = statement_lines(said({name: n for name, (n, _) in used.items()}), history(model))
    exact = {name: Fraction(each) * n * (10**9 if name == "web_searches" else 1000) for name, (n, each) in used.items()}
    assert sum(each.usd_nano or 0 for each in lines) == round(sum(exact.values()))
    for line in lines:
        assert line.usd_nano is not None
        assert abs(line.usd_nano - exact[line.resource]) < 1
        assert line.price is not None
        assert line.quantity * nano_per_unit(line.price) == exact[line.resource]


@given(st.lists(st.fractions(-(10**6), 10**9)))
def test_rounding_keeps_the_sum_and_whole_costs(costs: list[Fraction]) -> None:
    found = rounded(costs)
    assert sum(found) == round(sum(costs))
    assert all(abs(part - cost) < 1 for part, cost in zip(found, costs, strict=True))


def test_tokens_of_reserved_throughput_are_paid_for_and_what_was_told_before_it_was_declared_stays() -> None:
    terms = Provisioned(Decimal(10), "", Decimal(100_000))
    reserved = Deployment("ptu", "azure", "gpt-4.1", "pricing.toml:9", terms, counts=True)
    before, now = (PriceHistory(PriceBook(Settings(deployments=each))) for each in ((), (reserved,)))
    of_azure = said({"input": 1000}, provider="azure", model="gpt-4.1", requests=3)
    first = statement_lines(of_azure, before)
    assert by_resource(first) == {"input": (1000, 2_000_000), "requests": (3, None)}
    assert by_resource(statement_lines(of_azure, now)) == {"input": (1000, 0), "requests": (3, None)}
    told = {each.resource: Before(each.price, each.flags) for each in first}
    assert statement_lines(of_azure, now, lambda line: told[line.resource]) == first
    paid = {each.resource: Before(each.price, each.flags) for each in statement_lines(of_azure, now)}
    assert by_resource(statement_lines(of_azure, before, lambda line: paid[line.resource]))["input"] == (1000, 0)

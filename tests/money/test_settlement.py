"""Settling a provider's day: the parts sum to the bill, quantities stay, and what no bill has is left alone."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from infertop.money.lines import Basis, Line
from infertop.money.settlement import ADJUSTMENT, Cell, settle
from infertop.readings.account import Bill

DAY = 20_770 * 86_400


def line(usd_nano: int | None, quantity: int = 1000, hour: int = 0, resource: str = "input", **more: str) -> Line:
    model = more.pop("model", "gpt-4o")
    start = DAY + hour * 3600
    dimensions = tuple(sorted(more.items()))
    return Line(
        *(start, start + 3600, "openai", "openai", model, resource, dimensions, quantity, "tokens", usd_nano),
        *(None, Basis.COMPUTED),
    )


def bill(usd_nano: int, model: str | None = "gpt-4o", resource: str | None = None, **dimensions: str) -> Bill:
    return Bill(DAY, DAY + 86_400, "openai", model, resource, dimensions, usd_nano, "row")


def test_the_difference_is_spread_over_the_days_lines_in_proportion_to_their_cost() -> None:
    found = settle([line(300, hour=1), line(100, hour=2)], [bill(500)], "openai")
    assert [(each.start - DAY, each.usd_nano) for each in found.lines] == [(3600, 75), (7200, 25)]
    assert {(each.resource, each.basis, each.price) for each in found.lines} == {(ADJUSTMENT, Basis.BILLED, None)}
    assert [(each.billed_nano, each.computed_nano, each.nano) for each in found.drifts] == [(500, 400, 100)]


def test_a_bill_by_class_settles_the_lines_of_that_class_and_the_rest_settles_the_others() -> None:
    lines = [line(300), line(100, resource="output"), line(10, resource="cache_read")]
    found = settle(lines, [bill(330, resource="input"), bill(90, resource="output"), bill(8)], "openai")
    by_resource = {each.cell.resource: (each.nano, each.unmatched) for each in found.drifts}
    assert by_resource == {"input": (30, False), "output": (-10, False), None: (-2, False)}


def test_what_is_billed_beside_every_class_is_spread_over_all_of_the_models_lines() -> None:
    found = settle([line(300, hour=1), line(100, hour=2)], [bill(400, resource="input"), bill(40)], "openai")
    assert [each.usd_nano for each in found.lines] == [30, 10]


def test_what_matches_no_line_stands_alone_without_a_model() -> None:
    found = settle([line(300, project="a")], [bill(300, project="a"), bill(77, None, None, project="a")], "openai")
    (alone,) = found.lines
    assert (alone.model, alone.usd_nano, alone.start, alone.end) == (None, 77, DAY, DAY + 86_400)
    assert alone.dimensions == (("project", "a"),)
    assert [each.cell for each in found.drifts if each.unmatched] == [Cell(None, None, (("project", "a"),))]


def test_a_project_is_not_charged_with_the_bill_of_another() -> None:
    lines = [line(100, project="a", key="k1"), line(100, project="b", key="k2")]
    found = settle(lines, [bill(150, project="a"), bill(100, project="b")], "openai")
    assert [(dict(each.dimensions), each.usd_nano) for each in found.lines] == [({"project": "a", "key": "k1"}, 50)]


def test_a_bill_without_models_settles_by_what_it_knows() -> None:
    lines = [line(100, project="a"), line(300, project="a", model="o3"), line(50, project="b")]
    found = settle(lines, [bill(800, None, project="a"), bill(50, None, project="b")], "openai")
    assert {each.model: each.usd_nano for each in found.lines} == {"gpt-4o": 100, "o3": 300}


def test_a_model_without_a_price_is_settled_by_its_tokens() -> None:
    lines = [line(None, 3000, hour=1, model="new"), line(None, 1000, hour=2, model="new")]
    requests = replace(lines[0], resource="requests", unit="requests", quantity=9)
    found = settle([*lines, requests], [bill(400, "new")], "openai")
    assert [each.usd_nano for each in found.lines] == [300, 100]


def test_what_the_bill_never_has_is_left_as_computed() -> None:
    lines = [line(100), line(900, service_tier="priority")]
    found = settle(lines, [bill(90)], "anthropic", [("service_tier", "priority")])
    assert [each.usd_nano for each in found.lines] == [-10]
    assert found.left_out_nano == 900


def test_no_bill_is_no_data_and_settles_nothing() -> None:
    assert settle([line(100)], [], "openai").lines == []


models = st.sampled_from(["gpt-4o", "o3", "new"])
resources = st.sampled_from(["input", "output", "cache_read"])
projects = st.sampled_from(["", "a", "b"])
some_lines = st.lists(
    st.builds(
        lambda usd, hour, resource, model, project: line(
            usd, hour=hour, resource=resource, model=model, **({"project": project} if project else {})
        ),
        *(st.none() | st.integers(0, 10**12), st.integers(0, 23), resources, models, projects),
    ),
    max_size=12,
)
some_bills = st.lists(
    st.builds(
        lambda usd, model, resource, project: bill(usd, model, resource, **({"project": project} if project else {})),
        *(st.integers(-(10**6), 10**12), st.none() | models, st.none() | resources, projects),
    ),
    min_size=1,
    max_size=8,
)


tool_lines = st.lists(
    st.builds(
        lambda usd, resource, project, tier: line(
            usd,
            resource=resource,
            **({"project": project} if project else {}),
            **({"service_tier": tier} if tier else {}),
        ),
        *(st.integers(0, 10**9), st.sampled_from(["input", "web_searches"]), projects, st.sampled_from(["", "batch"])),
    ),
    max_size=8,
)
tool_bills = st.lists(
    st.builds(
        lambda usd, model, resource, project, tier: bill(
            usd,
            model,
            resource,
            **({"project": project} if project else {}),
            **({"service_tier": tier} if tier else {}),
        ),
        *(st.integers(-(10**6), 10**9), st.sampled_from([None, "gpt-4o"]), st.sampled_from(["input", "web_searches"])),
        *(projects, st.sampled_from(["", "batch"])),
    ),
    min_size=1,
    max_size=6,
)


@given(tool_lines, tool_bills)
def test_bills_of_tools_that_overlap_sum_to_what_was_billed(lines: list[Line], bills: list[Bill]) -> None:
    test_lines_and_adjustments_of_a_day_sum_to_its_bills.hypothesis.inner_test(lines, bills)  # type: ignore[attr-defined]


@given(some_lines, some_bills)
def test_lines_and_adjustments_of_a_day_sum_to_its_bills(lines: list[Line], bills: list[Bill]) -> None:
    found = settle(lines, bills, "openai")
    computed = sum(each.usd_nano or 0 for each in lines)
    assert computed + sum(each.usd_nano or 0 for each in found.lines) == sum(each.usd_nano for each in bills)
    assert sum(each.nano for each in found.drifts) == sum(each.usd_nano or 0 for each in found.lines)
    assert settle([*lines, *found.lines], bills, "openai") == found


def test_a_bill_under_another_spelling_of_a_model_is_its_bill() -> None:
    found = settle([line(300, model="gpt-4o-2024-08-06")], [bill(330, "gpt-4o")], "openai")
    assert [(each.model, each.usd_nano) for each in found.lines] == [("gpt-4o-2024-08-06", 30)]
    found = settle([line(300)], [bill(330, "gpt-4o-2024-08-06"), bill(20, "gpt-4o-2024-11-20")], "openai")
    assert [(each.model, each.usd_nano) for each in found.lines] == [("gpt-4o", 50)]


def test_a_bill_of_an_alias_is_that_of_the_versions_without_one_of_their_own() -> None:
    lines = [line(100, model=f"gpt-4o-2024-{day}") for day in ("05-13", "08-06", "11-20")]
    found = settle(lines, [bill(110, "gpt-4o-2024-05-13"), bill(240, "gpt-4o")], "openai")
    assert {each.model: each.usd_nano for each in found.lines} == {
        "gpt-4o-2024-05-13": 10,
        "gpt-4o-2024-08-06": 20,
        "gpt-4o-2024-11-20": 20,
    }


def test_another_model_is_never_taken_for_one_that_is_billed() -> None:
    found = settle([line(300, model="gpt-4o-mini")], [bill(500, "gpt-4o")], "openai")
    assert {(each.model, each.usd_nano) for each in found.lines} == {("gpt-4o-mini", -300), (None, 500)}


def test_a_tool_that_is_billed_without_a_model_settles_the_calls_of_every_model() -> None:
    lines = [line(300), line(10, resource="web_searches"), line(30, resource="web_searches", model="o3")]
    found = settle(lines, [bill(300, resource="input"), bill(48, None, "web_searches")], "openai")
    assert {each.model: each.usd_nano for each in found.lines} == {"gpt-4o": 2, "o3": 6}
    assert [each.unmatched for each in found.drifts if each.cell.resource == "web_searches"] == [False]


def test_a_tool_whose_bill_says_less_than_usage_settles_the_calls_of_every_tier() -> None:
    tiers = ("standard", "batch", "priority")
    tokens = [line(100, project="a", service_tier=tier) for tier in tiers]
    calls = [replace(line(10, resource="web_searches", project="a", service_tier=tier), unit="calls") for tier in tiers]
    bills = [bill(100, resource="input", project="a", service_tier=tier) for tier in tiers[:2]]
    leaves_out = [("service_tier", "priority")]
    found = settle([*tokens, *calls], [*bills, bill(33, None, "web_searches", project="a")], "anthropic", leaves_out)
    assert {dict(each.dimensions)["service_tier"]: each.usd_nano for each in found.lines} == dict.fromkeys(tiers, 1)
    assert {each.model for each in found.lines} == {"gpt-4o"}
    assert found.left_out_nano == 100


def test_of_two_bills_of_a_tool_the_closer_one_has_the_calls() -> None:
    calls = [line(10, resource="web_searches", project=name) for name in ("a", "b")]
    other = [line(5, resource="input", project="a")]
    bills = [bill(12, None, "web_searches", project="a"), bill(15, None, "web_searches"), bill(5, resource="input")]
    found = settle([*calls, *other], bills, "openai")
    by_project = {dict(each.dimensions)["project"]: each.usd_nano for each in found.lines if each.model}
    assert by_project == {"a": 2 - 5, "b": 5}


def test_the_standard_tier_is_the_standard_tier_by_any_name() -> None:
    lines = [line(300, service_tier="default"), line(100, service_tier="priority")]
    found = settle(lines, [bill(310), bill(90, service_tier="priority")], "openai")
    assert {each.dimensions: each.usd_nano for each in found.lines} == {
        (("service_tier", "default"),): 10,
        (("service_tier", "priority"),): -10,
    }


def test_a_credit_lowers_what_was_spent() -> None:
    found = settle([line(300)], [bill(300), bill(-120)], "openai")
    assert sum(each.usd_nano or 0 for each in found.lines) == -120
    alone = settle([line(300)], [bill(300), bill(-120, None)], "openai")
    assert [(each.model, each.usd_nano) for each in alone.lines] == [(None, -120)]


_SPELT = ("gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "o3", None)
_RESOURCES = ("input", "output", "web_searches", None)


@given(
    st.lists(st.tuples(st.sampled_from(_SPELT), st.sampled_from(_RESOURCES[:3]), st.integers(0, 10**9)), max_size=8),
    st.lists(st.tuples(st.sampled_from(_SPELT), st.sampled_from(_RESOURCES), st.integers(-(10**8), 10**9)), max_size=8),
)
@example([("gpt-4o", "input", 1), (None, "input", 0)], [("gpt-4o", "output", 0), (None, "input", 0)])
def test_under_any_spelling_lines_and_adjustments_sum_to_the_bills(
    used: list[tuple[str | None, str, int]], billed: list[tuple[str | None, str | None, int]]
) -> None:
    lines = [replace(line(nano, hour=at, resource=what), model=name) for at, (name, what, nano) in enumerate(used)]
    bills = [bill(nano, name, what) for name, what, nano in billed]
    found = settle(lines, bills, "openai")
    total = sum(each.usd_nano or 0 for each in [*lines, *found.lines])
    assert total == (sum(each.usd_nano for each in bills) if bills else sum(each.usd_nano or 0 for each in lines))
    assert sum(each.nano for each in found.drifts) == sum(each.usd_nano or 0 for each in found.lines)

"""Of every explanation the parts sum to the whole, and the way back is the way there with its sign changed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.why.divide import Link, divided, shapley, whole
from infertop.money.why.explain import explain
from infertop.money.why.factors import FACTORS
from infertop.money.why.usage import Usage
from tests.money.why.usages import usages

_factors = st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3)), min_size=1, max_size=7)
_near = st.lists(st.tuples(st.floats(1, 2), st.floats(1, 2)), min_size=1, max_size=5)


def chain(values: Sequence[tuple[float, float]]) -> list[Link]:
    return [Link(str(n), *each) for n, each in enumerate(values)]


def costs(links: Sequence[Link]) -> tuple[float, float]:
    return math.prod(each.before for each in links), math.prod(each.after for each in links)


@given(usages, usages)
def test_effects_sum_to_the_change_to_the_last_unit(before: Usage, after: Usage) -> None:
    found = explain(before, after)
    assert sum(each.nano for each in found.effects) == (after.nano_per_hour or 0) - (before.nano_per_hour or 0)
    assert {each.factor for each in found.effects} <= set(FACTORS)
    assert len({each.factor for each in found.effects}) == len(found.effects)
    assert all(math.isfinite(each.nano) for each in found.effects)


@given(usages, usages)
def test_effects_of_the_way_back_are_those_of_the_way_there_with_their_sign_changed(
    before: Usage, after: Usage
) -> None:
    there = {each.factor: each.nano for each in explain(before, after).effects}
    back = {each.factor: each.nano for each in explain(after, before).effects}
    size = max((abs(each) for each in (*there.values(), *back.values())), default=0)
    for factor in there.keys() | back.keys():
        assert abs(there.get(factor, 0) + back.get(factor, 0)) <= 2 + size * 1e-9


@given(usages)
def test_what_did_not_change_has_no_effects(usage: Usage) -> None:
    found = explain(usage, usage)
    assert (found.effects, found.cause) == ((), None)


@given(usages, usages)
def test_who_changed_sums_to_the_change_as_well(before: Usage, after: Usage) -> None:
    found = explain(before, after)
    if found.by:
        assert sum(each.change for each in found.changes) == sum(each.nano for each in found.effects)


@given(_factors)
def test_parts_of_a_product_sum_to_its_change(values: Sequence[tuple[float, float]]) -> None:
    links = chain(values)
    before, after = costs(links)
    for parts in (divided(before, after, links), shapley(links)):
        assert math.fsum(parts.values()) == pytest.approx(after - before, rel=1e-9, abs=1e-9 * max(before, after))


@given(_near)
def test_the_logarithmic_mean_and_shapley_agree_on_small_changes(values: Sequence[tuple[float, float]]) -> None:
    links = chain(values)
    before, after = costs(links)
    check = shapley(links)
    found = divided(before, after, links)
    for factor, part in check.items():
        assert found.get(factor, 0.0) == pytest.approx(part, rel=0.25, abs=1e-9 * after)
        assert found.get(factor, 0.0) * part >= 0


@pytest.mark.parametrize(
    ("before", "after", "gate"),
    [
        ((0.0, 2.0, 3.0), (4.0, 2.0, 3.0), "0"),
        ((4.0, 0.0, 0.0), (4.0, 2.0, 3.0), "1"),
        ((4.0, 2.0, 3.0), (5.0, 2.0, 0.0), "2"),
    ],
)
def test_where_a_product_was_nothing_the_first_factor_that_was_nothing_has_all_of_it(
    before: tuple[float, ...], after: tuple[float, ...], gate: str
) -> None:
    links = chain(list(zip(before, after, strict=True)))
    assert divided(*costs(links), links) == {gate: costs(links)[1] - costs(links)[0]}


def test_the_parts_are_the_limit_of_the_formula_where_a_factor_goes_to_nothing() -> None:
    links = chain([(1e-200, 2.0), (2.0, 3.0)])
    parts = divided(*costs(links), links)
    assert parts["0"] == pytest.approx(6.0, rel=0.01)


def test_costs_of_different_signs_are_divided_by_shapley() -> None:
    links = [Link("count", 2.0, 3.0), Link("price", -1.0, 2.0)]
    parts = divided(*costs(links), links)
    assert parts == shapley(links) == {"count": 0.5, "price": 7.5}


def test_shapley_refuses_more_orders_than_it_can_go_through() -> None:
    with pytest.raises(ValueError, match="13 factors"):
        shapley(chain([(1.0, 2.0)] * 13))


@given(st.dictionaries(st.text(max_size=3), st.floats(-1e15, 1e15), min_size=1, max_size=8), st.integers(-3, 3))
def test_whole_parts_sum_to_the_total_and_are_next_to_the_exact_ones(parts: dict[str, float], off: int) -> None:
    total = math.floor(math.fsum(parts.values())) + off
    found = whole(parts, total)
    assert sum(found.values()) == total
    assert all(abs(found[name] - value) <= abs(off) + len(parts) for name, value in parts.items())

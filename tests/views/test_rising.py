"""Counters that never fall, over sums that do, and a bounded number of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infertop.views.rising import Bounded, Rising

_sums = st.lists(st.dictionaries(st.sampled_from([("a",), ("b",), ("c",)]), st.integers(-50, 100)), max_size=12)


@given(_sums)
def test_a_counter_rises_by_what_its_sum_rises_and_never_falls(sums: list[dict[tuple[str, ...], int]]) -> None:
    rising, before, shown = Rising(), {}, {}
    for now in sums:
        after = dict(rising.take(now))
        for key in after:
            rise = now.get(key, 0) - before.get(key, 0)
            assert after[key] == shown.get(key, 0) + max(rise, 0)
        assert shown.keys() <= after.keys()
        before, shown = now, after


def test_sums_that_only_rise_are_shown_as_they_are() -> None:
    rising = Rising()
    for amount in (0, 5, 5, 900):
        assert rising.take({("a",): amount}) == {("a",): amount}


def test_after_a_repricing_that_lowers_a_sum_its_counter_goes_on_from_where_it_was() -> None:
    rising = Rising()
    shown = [rising.take({("a",): amount})["a",] for amount in (7000, 7200, 1440, 1450, 1500)]
    assert shown == [7000, 7200, 7200, 7210, 7260]


def test_those_beyond_the_bound_are_one_and_whoever_is_in_stays() -> None:
    bounded = Bounded(2, "other")
    bounded.let_in(["a"])
    assert [bounded.of(key) for key in "ab"] == ["a", "other"]
    bounded.let_in(["b", "c"])
    bounded.let_in(["c", "a"])
    assert ([bounded.of(key) for key in "abc"], len(bounded)) == (["a", "b", "other"], 2)

"""Whatever AMD's library answers, a reading is a number in range or absent."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors._amd_library import number
from collectors._amd_session import Session
from infertop.readings.registry import METRICS
from tests.amd.standin import AmdSmiLibraryException, Standin, mi300x, process
from tests.collectors.amd_reading import NOW

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("N/A"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=3,
)
hostile = st.fixed_dictionaries(
    {
        call: anything
        | st.just(AmdSmiLibraryException(2))
        | (st.fixed_dictionaries(dict.fromkeys(value, anything)) if isinstance(value, dict) else anything)
        | st.lists(st.fixed_dictionaries(dict.fromkeys(process(1, 1), anything)), max_size=2)
        for call, value in mi300x().items()
    }
)


@settings(max_examples=15, deadline=None)
@given(hostile, hostile)
def test_whatever_the_library_answers_readings_are_finite_and_not_negative(one, other):
    amdsmi = Standin(one, other)
    session = Session(load=lambda: amdsmi)
    for ts in (NOW, NOW + 1):
        rows = session.read(ts).rows
        for series, value in rows:
            assert isinstance(value, float)
            assert math.isfinite(value)
            assert value >= 0
            assert METRICS[series.metric].unit != "ratio" or value <= 1
        assert len({series for series, _ in rows}) == len(rows)
        amdsmi.gpus.reverse()


@pytest.mark.parametrize("told", [True, "N/A", "12", None, -1, math.nan, math.inf, 10**400, 101, [], {}])
def test_only_a_number_in_range_is_a_number(told):
    assert number({"key": told}, "key", most=100.0) is None

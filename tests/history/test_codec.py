"""Histograms as rows."""

from hypothesis import given
from hypothesis import strategies as st

from infertop.history.codec import bounds_id, pack, pack_floats, pack_ids, unpack, unpack_floats, unpack_ids
from infertop.readings.model import Buckets

any_float = st.floats(allow_nan=False)


@st.composite
def histograms(draw: st.DrawFn, counts: st.SearchStrategy[float]) -> Buckets:
    bounds = tuple(draw(st.lists(any_float, max_size=30)))
    return Buckets(bounds, tuple(draw(counts) for _ in bounds), draw(any_float))


@given(histograms(any_float), st.integers(0, 2**32 - 1))
def test_any_histogram_comes_back_as_it_was(value: Buckets, number: int) -> None:
    content = pack(value, number)
    assert bounds_id(content) == number
    assert unpack(content, value.bounds) == value


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=30))
def test_whole_growing_counts_come_back_as_they_were(steps: list[int]) -> None:
    counts = tuple(float(sum(steps[: i + 1])) for i in range(len(steps)))
    value = Buckets(tuple(map(float, range(len(steps)))), counts, 1.5)
    assert unpack(pack(value, 1), value.bounds) == value


def test_a_bucket_that_holds_little_takes_one_byte() -> None:
    counts = tuple(float(i * 200) for i in range(20))
    assert len(pack(Buckets(tuple(map(float, range(20))), counts, 3.0), 7)) == 13 + 20


@given(st.lists(any_float).map(tuple), st.lists(st.integers(0, 2**32 - 1)).map(tuple))
def test_bounds_and_ids_come_back_as_they_were(bounds: tuple[float, ...], ids: tuple[int, ...]) -> None:
    assert unpack_floats(pack_floats(bounds)) == bounds
    assert unpack_ids(pack_ids(ids)) == ids

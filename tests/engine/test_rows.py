"""The memory of a histogram: what it held at a poll is what it holds as of it, however it is kept."""

from hypothesis import given
from hypothesis import strategies as st

from infertop.engine.rows import Rows

BUCKETS = 5
steps = st.lists(st.sampled_from([0, 0, 0, 1, 2, 300, 0.5, 2.0**31, 2.0**40]), min_size=BUCKETS, max_size=BUCKETS)


def cumulative(held, step):
    added = [sum(step[: place + 1]) for place in range(BUCKETS)]
    return [float(a + b) for a, b in zip(held, added, strict=True)]


@given(st.lists(st.tuples(st.integers(1, 3), steps, st.integers(0, 9)), max_size=30), st.integers(0, 60))
def test_what_was_held_at_any_poll_is_given_back(changes, first):
    rows, said, held, total, poll = Rows(), {}, [0.0] * BUCKETS, 0.0, 0
    for later, step, amount in changes:
        poll += later
        held, total = cumulative(held, step), total + amount
        rows.append(poll, held, total)
        said[poll] = [*held, total]
    rows.drop_before(first)
    for asked in range(poll + 3):
        known = [at for at in said if at <= asked]
        expected = said[max(known)] if known else None
        if asked >= first:
            assert rows.at(asked) == expected
        else:
            assert rows.at(asked) in (expected, None)


def test_histogram_that_stands_still_takes_no_room():
    rows = Rows()
    for poll in range(1000):
        rows.append(poll, (0.0, 2.0, 2.0, 7.0), 1.5)
    assert len(rows) == 1
    assert rows.at(999) == [0.0, 2.0, 2.0, 7.0, 1.5]


def test_only_buckets_that_saw_something_take_room():
    rows = Rows()
    for poll in range(1, 1001):
        rows.append(poll, (0.0,) * 10 + (float(poll),) * 10 + (2.0 * poll,) * 10, 1.0 * poll)
    assert len(rows._counts) == 2000
    assert rows._counts.itemsize == 4
    assert rows.at(500) == [0.0] * 10 + [500.0] * 10 + [1000.0] * 10 + [500.0]


def test_bucket_that_sees_its_first_is_known_to_have_been_empty():
    rows = Rows()
    rows.append(1, (0.0, 3.0, 3.0), 1.0)
    rows.append(2, (1.0, 4.0, 6.0), 2.0)
    assert rows.at(1) == [0.0, 3.0, 3.0, 1.0]
    assert rows.at(2) == [1.0, 4.0, 6.0, 2.0]


def test_nothing_observed_with_a_sum_is_kept_too():
    rows = Rows()
    rows.append(1, (0.0, 0.0), 0.0)
    rows.append(2, (0.0, 0.0), 4.0)
    assert (rows.at(0), rows.at(1), rows.at(2)) == (None, [0.0, 0.0, 0.0], [0.0, 0.0, 4.0])

"""When sources are polled: each at its own phase, and those of one moment together."""

from hypothesis import given
from hypothesis import strategies as st

from infertop.engine import pace

NAMES = [f"vllm@10.0.0.{n}:8000" for n in range(200)]


def test_two_hundred_sources_are_polled_at_forty_moments_of_a_second():
    due = [pace.next_poll(1000.0, 1000.1, 1.0, name) for name in NAMES]
    moments = {round(ts % 1.0, 6) % 1.0 for ts in due}
    assert all(abs(moment / 0.025 - round(moment / 0.025)) < 1e-3 for moment in moments)
    assert 30 < len(moments) <= 40
    busiest = max(sum(round(ts % 1.0, 6) % 1.0 == moment for ts in due) for moment in moments)
    assert busiest < 20


@given(
    st.floats(1e9, 2e9),
    st.floats(0.0, 30.0),
    st.sampled_from([0.1, 0.5, 1.0, 5.0, 60.0]),
    st.sampled_from(NAMES),
)
def test_next_poll_is_later_than_now_and_half_an_interval_after_the_last(began, took, interval, name):
    now = began + took
    due = pace.next_poll(began, now, interval, name)
    assert due > now
    assert due >= began + interval / 2 - 1e-6
    assert due <= max(began + interval / 2, now) + interval * 1.001 + 1e-6


@given(st.sampled_from([0.5, 1.0, 5.0]), st.sampled_from(NAMES))
def test_source_that_is_polled_in_time_keeps_its_interval(interval, name):
    due = pace.next_poll(1_795_000_000.0, 1_795_000_000.1, interval, name)
    for _ in range(5):
        after = pace.next_poll(due, due + 0.01, interval, name)
        assert abs(after - due - interval) < 1e-5
        due = after

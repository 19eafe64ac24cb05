import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.allocate import GpuUse, Holder, Method, ModelUse, allocate

MAYBE = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1e9))
MODELS = st.lists(st.builds(ModelUse, st.sampled_from(["a", "b", None]), MAYBE, MAYBE, MAYBE), max_size=3)
HOLDERS = st.lists(st.builds(Holder, st.sampled_from(["x", "y", "z"]), MODELS.map(tuple), MAYBE, MAYBE), max_size=4)


def use(*holders, seconds=60.0, busy=30.0):
    return GpuUse("GPU-0", seconds, busy, holders)


def only(model, **measures):
    return (ModelUse(model, **measures),)


@given(HOLDERS, st.floats(0, 1e6), MAYBE)
def test_the_shares_of_a_gpu_sum_to_one_whatever_was_measured(holders, seconds, busy):
    shares = allocate(GpuUse("GPU-0", seconds, busy, tuple(holders))).shares
    assert math.isclose(sum(share.all_in for share in shares), 1.0, abs_tol=1e-9)
    assert all(share.busy >= 0 and (share.idle is None or share.idle >= 0) for share in shares)


@given(HOLDERS, st.floats(1, 1e6), st.floats(0, 1))
def test_busy_parts_sum_to_the_busy_time_and_idle_parts_to_the_rest(holders, seconds, utilization):
    shares = allocate(GpuUse("GPU-0", seconds, seconds * utilization, tuple(holders))).shares
    assert math.isclose(sum(share.busy for share in shares), utilization, abs_tol=1e-9)
    assert math.isclose(sum(share.idle for share in shares), 1 - utilization, abs_tol=1e-9)


def test_a_gpu_that_nobody_holds_is_put_down_to_its_meter_without_a_model():
    allocation = allocate(use(busy=15.0))
    assert not allocation.held
    (share,) = allocation.shares
    assert (share.source, share.model, share.busy, share.idle) == ("nvml", None, 0.25, 0.75)


def test_a_single_model_has_the_whole_gpu_and_nothing_was_divided():
    allocation = allocate(use(Holder("x", only("a"))))
    (share,) = allocation.shares
    assert (share.model, share.busy, share.idle) == ("a", 0.5, 0.5)
    assert allocation.method == ""


def test_a_holder_whose_model_is_not_known_yet_still_carries_its_part():
    (share,) = allocate(use(Holder("x"))).shares
    assert (share.source, share.model, share.all_in) == ("x", None, 1.0)


def test_busy_time_goes_by_measured_sm_time_and_idle_time_by_memory():
    allocation = allocate(
        use(
            Holder("x", only("a", token_weight=0.0), memory_byte_seconds=1e9, busy_seconds=18.0),
            Holder("y", only("b", token_weight=9e9), memory_byte_seconds=3e9, busy_seconds=6.0),
        )
    )
    a, b = allocation.shares
    assert (a.busy, a.idle) == (0.375, 0.125)
    assert (b.busy, b.idle) == (0.125, 0.375)
    assert allocation.method == "busy by measured SM time, idle by memory held"


@pytest.mark.parametrize(
    ("known", "missing", "share", "method"),
    [
        ({"busy_seconds": None}, {"busy_seconds": 9.0}, 0.25, Method.TOKENS),
        ({"busy_seconds": 0.0}, {"busy_seconds": 0.0}, 0.25, Method.TOKENS),
        ({"token_weight": None}, {}, 0.1, Method.REQUESTS),
        ({"token_weight": 0.0}, {"token_weight": 0.0}, 0.1, Method.REQUESTS),
        ({"token_weight": None, "requests": None}, {}, 0.5, Method.EQUAL),
        ({"token_weight": math.nan, "requests": math.inf}, {}, 0.5, Method.EQUAL),
    ],
)
def test_a_measure_that_one_lacks_or_that_is_zero_for_all_gives_way_to_the_next(known, missing, share, method):
    def holder(source, weight, requests, changes):
        measures = {"token_weight": weight, "requests": requests, **changes}
        busy = measures.pop("busy_seconds", None)
        return Holder(source, only(source, **measures), None, busy)

    shares = allocate(use(holder("x", 1.0, 1, known), holder("y", 3.0, 9, missing), busy=60.0)).shares
    assert shares[0].busy == pytest.approx(share)
    assert shares[0].busy_by == (method,)


def test_models_of_one_server_share_its_busy_time_by_measured_gpu_time_and_its_idle_time_equally():
    server = Holder("triton", (ModelUse("a", 6.0, 1.0), ModelUse("b", 2.0, 99.0)), 1e9, 30.0)
    a, b = allocate(use(server)).shares
    assert (a.busy, b.busy) == (0.375, 0.125)
    assert (a.idle, b.idle) == (0.25, 0.25)
    assert a.busy_by == (Method.GPU_TIME,)


def test_a_model_whose_server_measures_others_on_this_gpu_is_not_on_it():
    server = Holder("triton", (ModelUse("here", 0.0), ModelUse("elsewhere", None, 5.0)))
    (share,) = allocate(use(server)).shares
    assert share.model == "here"


def test_memory_that_is_unknown_for_one_holder_makes_idle_time_equal():
    known, unknown = Holder("x", only("a"), 1e12, 1.0), Holder("y", only("b"), None, 1.0)
    shares = allocate(use(known, unknown)).shares
    assert [share.idle for share in shares] == [0.25, 0.25]
    assert shares[0].idle_by == (Method.EQUAL,)


def test_without_utilisation_the_whole_goes_by_work_and_idle_is_unknown():
    light = Holder("x", only("a", token_weight=1.0), 1e12)
    heavy = Holder("y", only("b", token_weight=3.0), 1e9)
    shares = allocate(use(light, heavy, busy=None)).shares
    assert [share.busy for share in shares] == [0.25, 0.75]
    assert [share.idle for share in shares] == [None, None]


def test_steps_are_named_in_their_order():
    pair = (ModelUse("a", token_weight=1.0), ModelUse("b", token_weight=1.0))
    allocation = allocate(use(Holder("x", pair, 1.0, 2.0), Holder("y", only("c"), 1.0, 2.0)))
    assert allocation.method == ("busy by measured SM time, then weighted tokens, idle by memory held, then equal")


def test_utilisation_beyond_the_span_counts_as_all_of_it():
    (share,) = allocate(use(busy=61.0)).shares
    assert (share.busy, share.idle) == (1.0, 0.0)

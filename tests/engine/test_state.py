"""The live state: what is old, what is unknown, and bounds on what a source may fill."""

import pytest

from infertop.engine import memory
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.readings.model import Batch, Buckets, Series
from tests.engine.polled import INF, RUNNING, TOKENS, TTFT, Rig, buckets

# What is old.


def test_a_series_that_left_the_page_is_stale_after_five_intervals():
    rig = Rig()
    rig.polls(range(100, 103), {TOKENS: float, RUNNING: float})
    rig.polls(range(103, 108), {TOKENS: float})
    assert not rig.track(RUNNING).stale
    assert rig.track(RUNNING).seen == 102
    rig.poll(108, {TOKENS: 0.0})
    assert rig.track(RUNNING).stale
    assert not rig.track(TOKENS).stale
    assert rig.track(RUNNING).last == 102


def test_a_source_that_does_not_answer_is_stale_by_the_polls_that_failed_or_the_tick():
    rig = Rig()
    rig.poll(100, {RUNNING: 1.0})
    rig.health(ts=100)
    rig.state.tick(105)
    assert (rig.track(RUNNING).stale, rig.state.healths()[0].state) == (False, SourceState.UP)
    rig.state.tick(106)
    rig.state.tick(50)
    assert (rig.track(RUNNING).stale, rig.state.healths()[0].state) == (True, SourceState.STALE)
    assert rig.state.healths()[0].detail == "no reading for 6 s"
    rig.poll(107, {RUNNING: 1.0})
    assert not rig.track(RUNNING).stale


def test_a_source_that_is_down_is_shown_as_down():
    rig = Rig()
    rig.poll(100, {RUNNING: 1.0})
    rig.health(SourceState.DOWN, ts=200)
    assert rig.state.now == 200
    assert rig.state.healths()[0].state is SourceState.DOWN
    assert rig.track(RUNNING).stale


def test_the_interval_decides_what_is_stale():
    rig = Rig(interval=60)
    rig.poll(100, {RUNNING: 1.0})
    rig.state.tick(399)
    assert not rig.track(RUNNING).stale
    rig.health(interval=10)
    assert rig.track(RUNNING).stale


def test_series_are_found_by_all_the_labels_asked_for():
    def of(*tracks):
        return {track.series for track in tracks}

    state = State()
    held = [
        Series.of("placement_memory_bytes", gpu=gpu, holder=holder) for gpu in ("g0", "g1") for holder in ("a", "b")
    ]
    ran = [Series.of("compute_seconds_total", model=model, gpu="g0") for model in ("m", "n")]
    state.apply(Batch("s", 100, (*held, *ran), (1.0,) * 6))
    memory, compute = "placement_memory_bytes", "compute_seconds_total"
    assert of(*state.tracks("s", memory)) == set(held)
    assert of(*state.tracks("s", memory, gpu="g1")) == set(held[2:])
    assert of(*state.tracks("s", memory, holder="b")) == {held[1], held[3]}
    assert of(*state.tracks("s", memory, gpu="g1", holder="a")) == {held[2]}
    assert of(*state.tracks("s", compute, model="n", gpu="g0")) == {ran[1]}
    assert of(*state.tracks("s", compute, model="n", gpu="g1")) == set()
    assert of(*state.tracks("s", memory, rank="0")) == set()


def test_what_is_unknown_is_answered_with_nothing():
    state = State()
    assert state.tracks("nobody", "running") == ()
    assert state.healths() == ()
    rig = Rig()
    rig.poll(100, {RUNNING: 1.0})
    assert rig.state.tracks("s", "waiting") == ()
    track = rig.track(RUNNING)
    assert (track.increase(9), track.rate(9), track.buckets(9)) == (None, None, None)


def test_a_batch_that_is_not_newer_is_passed_over():
    rig = Rig()
    rig.polls([100, 101], {TOKENS: lambda ts: 10.0 * ts})
    rig.poll(101, {TOKENS: 9999.0})
    rig.poll(90, {TOKENS: 9999.0})
    assert rig.track(TOKENS).increase(60) == (10, 1)


def test_a_forgotten_source_is_gone():
    rig = Rig()
    rig.poll(100, {RUNNING: 1.0})
    rig.state.forget("s")
    rig.state.forget("s")
    assert dict(rig.state.sources()) == {}


def test_a_batch_that_breaks_halfway_leaves_the_series_in_step():
    rig = Rig()
    values = {RUNNING: lambda ts: float(ts), Series.of("waiting", model="m"): lambda ts: 2.0 * ts}
    rig.polls(range(100, 103), values)
    with pytest.raises(TypeError):
        rig.poll(103, {RUNNING: 103.0, Series.of("waiting", model="m"): buckets(1, 2, 3)})
    rig.polls(range(104, 106), values)
    for series, factor in ((RUNNING, 1), (Series.of("waiting", model="m"), 2)):
        assert rig.track(series).bins(103, 105, 2)[1] == 105 * factor
        assert len(rig.track(series).column.values) == 6


# Bounds.


def test_a_quarter_of_an_hour_is_kept_and_the_rest_forgotten():
    rig = Rig()
    rig.polls(range(1000, 6000), {TOKENS: lambda ts: 10.0 * ts, RUNNING: float, TTFT: lambda ts: buckets(ts, ts, ts)})
    assert rig.track(TOKENS).increase(900) == (9000, 900)
    assert 9000 <= rig.track(TOKENS).increase(1e9).amount <= 10_200
    assert rig.track(RUNNING).mean(900) == pytest.approx((5100 + 5999) / 2)
    assert len(rig.track(RUNNING).column.values) <= 1013
    assert len(rig.track(TTFT).fine) <= 110
    assert len(rig.track(TTFT).coarse) <= 230


def test_fast_polls_are_bounded_by_their_number():
    rig = Rig(interval=0.1)
    rig.polls([100 + n / 10 for n in range(9000)], {RUNNING: lambda ts: 1.0})
    assert len(rig.track(RUNNING).column.values) <= memory._KEEP_POLLS * 9 // 8 + 1


def test_a_series_that_left_is_forgotten_after_a_quarter_of_an_hour():
    rig = Rig(interval=10)
    rig.polls(range(0, 100, 10), {TOKENS: float, RUNNING: float})
    rig.polls(range(100, 3000, 10), {TOKENS: float})
    assert rig.state.tracks("s", "running") == ()
    assert rig.track(TOKENS).rate(60) == 1.0


def test_series_beyond_the_bound_are_dropped_and_said():
    rig = Rig()
    many = {Series.of("running", model=f"m{n}"): 1.0 for n in range(memory.MAX_SERIES + 25)}
    for ts in (100, 101):
        rig.poll(ts, many)
    assert len(rig.state.tracks("s", "running")) == memory.MAX_SERIES
    assert rig.state.healths()[0].detail == f"25 series beyond {memory.MAX_SERIES} are not kept"


def test_new_series_at_every_poll_push_out_those_that_left():
    rig = Rig()
    for ts in range(100, 160):
        rig.poll(ts, {Series.of("running", model=f"{ts} {n}"): 1.0 for n in range(500)})
    tracks = rig.state.tracks("s", "running")
    assert len(tracks) == memory.MAX_SERIES
    assert {each.series.label("model").split()[0] for each in tracks} == {"156", "157", "158", "159"}


def test_histograms_are_bounded_by_their_buckets():
    rig = Rig()
    wide = Buckets((*map(float, range(999)), INF), (0.0,) * 1000, 0.0)
    rig.poll(100, {Series.of("ttft_seconds", model=f"m{n}"): wide for n in range(50)})
    assert len(rig.state.tracks("s", "ttft_seconds")) == 10
    assert rig.state.sources()["s"].dropped == 40


def test_a_metric_that_is_not_in_the_vocabulary_is_a_bug_of_its_collector():
    with pytest.raises(KeyError):
        Rig().poll(100, {Series.of("made_up"): 1.0})

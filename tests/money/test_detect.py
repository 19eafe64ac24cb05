"""The detector: what it tells, what it keeps quiet about, and that neither restarts nor hostile values change that."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.detect.detector import PARTS, Detector, Verdict

START = 1_767_225_600.0  # a Thursday's midnight
STEP = 300.0
DAY = 288
TOLD = 1.8


def daily(days: float, noise: float = 3.0, seed: int = 1) -> list[float]:
    """Traffic with a day's shape and quieter weekends, every five minutes."""
    rng = random.Random(seed)
    values = []
    for at in range(int(days * DAY)):
        weekend = (at // DAY + 3) % 7 >= 5
        shape = 100 + 60 * math.sin(2 * math.pi * at / DAY) * (0.5 if weekend else 1)
        values.append(shape + rng.gauss(0, noise))
    return values


def judge(values: Iterable[float], detector: Detector | None = None) -> list[Verdict]:
    detector = detector or Detector()
    verdicts = [detector.add(START + at * STEP, value) for at, value in enumerate(values)]
    assert all(verdicts)
    return [each for each in verdicts if each]


def told(verdicts: list[Verdict], since: int = 0) -> list[int]:
    return [at for at, each in enumerate(verdicts) if each.score >= TOLD and at >= since]


@cache
def _learnt() -> str:
    detector = Detector()
    judge(daily(10), detector)
    return json.dumps(detector.dump())


def told_of(fault: Callable[[int, float], float]) -> list[int]:
    """Return which values of the day after ten usual ones are told, with `fault(number, value)` in place of each."""
    detector = Detector.load(json.loads(_learnt()))
    begin = START + 10 * DAY * STEP
    values = [fault(at, each) for at, each in enumerate(daily(11)[10 * DAY :])]
    verdicts = [detector.add(begin + at * STEP, each) for at, each in enumerate(values)]
    return told([each for each in verdicts if each])


def test_a_season_of_days_and_weekends_is_quiet() -> None:
    assert len(told(judge(daily(21)), since=3 * DAY)) <= 5


@pytest.mark.parametrize("factor", [0.3, 1.5, 3.0])
def test_a_level_that_shifts_is_told_within_half_an_hour(factor: float) -> None:
    assert told_of(lambda _, value: value * factor)[0] <= 6


def test_a_lonely_spike_is_told_at_once() -> None:
    assert told_of(lambda at, value: value * 4 if at == 30 else value)[0] == 30


def test_a_drift_is_told_within_the_day() -> None:
    assert told_of(lambda at, value: value + at)


def test_a_line_that_goes_flat_is_told() -> None:
    assert told_of(lambda _, value: 130.0)


def test_noise_that_grows_is_told_as_a_change_of_the_spread() -> None:
    rng = random.Random(5)
    values = [rng.gauss(50, 1) for _ in range(2000)] + [rng.gauss(50, 4) for _ in range(100)]
    verdicts = judge(values)
    first = told(verdicts, since=2000)[0]
    assert first < 2030
    assert max(verdicts[2000:2030], key=lambda each: each.parts[PARTS.index("spread")]).parts[-1] > 2


def test_a_series_that_wakes_after_silence_is_learnt() -> None:
    rng = random.Random(4)
    detector = Detector()
    judge([0.0] * DAY + [rng.gauss(50, 2) for _ in range(3 * DAY)], detector)
    begin = START + 4 * DAY * STEP
    verdicts = [detector.add(begin + at * STEP, rng.gauss(50, 2) if at < 40 else 80.0) for at in range(44)]
    season = [each.parts[PARTS.index("season")] for each in verdicts if each]
    assert max(season[:40]) < 1.8 < season[40]


def test_a_surge_within_the_first_hour_is_told_without_any_season() -> None:
    rng = random.Random(2)
    values = [rng.gauss(10, 0.5) for _ in range(50)] + [40.0] * 5
    detector = Detector()
    verdicts = [detector.add(START + at * 60, each) for at, each in enumerate(values)]
    first = next(each for each in verdicts[50:] if each and each.score >= TOLD)
    assert first.points <= 52
    assert first.seconds <= 3600


def test_one_thing_is_told_once_until_something_stronger_comes() -> None:
    assert 1 <= len(told_of(lambda _, value: value * 2)) <= 4


def test_it_says_how_much_history_it_stands_on() -> None:
    last = judge(daily(1))[-1]
    assert last.points == DAY - 1
    assert last.seconds == (DAY - 2) * STEP


@pytest.mark.parametrize("at", [0, 1, 19, 500, 1100])
def test_a_restart_changes_nothing(at: int) -> None:
    values = daily(4)
    values[1000] *= 5
    detector = Detector()
    before = judge(values[:at], detector)
    again = Detector.load(json.loads(json.dumps(detector.dump())))
    after = [again.add(START + i * STEP, each) for i, each in enumerate(values) if i >= at]
    assert before + after == judge(values)
    assert json.dumps(again.dump()) == json.dumps(_after(values).dump())


def _after(values: list[float]) -> Detector:
    detector = Detector()
    judge(values, detector)
    return detector


def test_a_state_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 99"):
        Detector.load({"format": 99})


def test_the_state_stops_growing() -> None:
    detector = Detector()
    values = daily(14)
    judge(values[: 7 * DAY], detector)
    first = len(json.dumps(detector.dump()))
    for at, each in enumerate(values):
        detector.add(START + (7 * DAY + at) * STEP, each)
    assert len(json.dumps(detector.dump())) < 1.2 * first < 50_000


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_left_out(value: float) -> None:
    detector = Detector()
    judge(daily(1), detector)
    before = detector.dump()
    assert detector.add(START + DAY * STEP, value) is None
    assert detector.add(value, 1.0) is None
    assert detector.dump() == before


def test_a_clock_that_goes_back_or_stands_still_is_no_anomaly() -> None:
    rng = random.Random(3)
    values = [rng.gauss(50, 2) for _ in range(1500)]
    detector = Detector()
    times = [START + (at - 400 if 700 <= at < 800 else min(at, 1200)) * STEP for at in range(1500)]
    verdicts = [detector.add(ts, each) for ts, each in zip(times, values, strict=True)]
    assert len(told([each for each in verdicts if each])) <= len(told(judge(values))) + 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e12, 1e12), st.floats(allow_nan=True, allow_infinity=True)),
        max_size=60,
    )
)
def test_whatever_comes_the_figures_are_finite_and_the_state_is_json(points: list[tuple[float, float]]) -> None:
    detector = Detector()
    for ts, value in points:
        verdict = detector.add(ts, value)
        assert (verdict is None) == (not math.isfinite(value))
        if verdict:
            assert verdict.score >= 0
            assert all(0 <= part < 10 for part in verdict.parts)
            assert all(map(math.isfinite, (verdict.score, verdict.expected, verdict.extreme)))
    json.dumps(detector.dump(), allow_nan=False)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 1000))
def test_the_unit_of_a_series_does_not_matter(scale: float, seed: int) -> None:
    values = daily(1, seed=seed)
    plain, scaled = judge(values), judge([each * scale for each in values])
    assert [round(each.score, 3) for each in plain] == pytest.approx([round(e.score, 3) for e in scaled], abs=0.3)

"""Minutes and hours."""

from __future__ import annotations

import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from infertop.history.cells import Cell
from infertop.history.growth import HistogramGrowth, counter_growth
from infertop.history.hours import histograms
from infertop.history.rollup import Rollups
from infertop.readings.model import Buckets, Series, Value
from tests.history.world import BOUNDS, START, polls, rows, writer

GAUGE, COUNTER, HISTOGRAM = Series.of("running"), Series.of("output_tokens"), Series.of("ttft_seconds")
SERIES = (GAUGE, COUNTER, HISTOGRAM)
IDS = (1, 2, 3)


def buckets(n: float) -> Buckets:
    return Buckets((1.0, math.inf), (n, n), n / 2)


def fold(readings: list[tuple[float, tuple[Value, ...]]], **more: float) -> dict[tuple[int, int], Cell]:
    rollups = Rollups()
    for ts, values in readings:
        rollups.add(1, SERIES, IDS, ts, values, more.get("started"))
    return {(series, minute): cell for series, minute, cell in rollups.close(10**6)}


def test_a_minute_counts_every_poll_also_where_the_value_did_not_change() -> None:
    cells = fold([(float(ts), (3.0, 10.0 + ts, buckets(ts))) for ts in range(120)])
    assert cells[1, 0] == Cell(60, 3.0, 3.0, 180.0, 3.0, None, 0)
    assert cells[1, 60] == Cell(60, 3.0, 3.0, 180.0, 3.0, None, 0)
    assert cells[2, 0] == Cell(60, 10.0, 69.0, 60 * 39.5, 69.0, 59.0, 0)
    assert cells[2, 60] == Cell(60, 70.0, 129.0, 60 * 99.5, 129.0, 60.0, 0)
    assert cells[3, 0].growth == buckets(59)
    assert cells[3, 60].growth == buckets(60)


def test_more_polls_than_wait_at_once_make_one_row() -> None:
    cells = fold([(ts / 10, (float(ts % 7), float(ts), buckets(ts))) for ts in range(600)])
    assert (cells[1, 0].n, cells[1, 0].low, cells[1, 0].high) == (600, 0.0, 6.0)
    assert cells[2, 0].growth == 599.0
    assert cells[3, 0].growth == buckets(599)


def test_a_counter_that_falls_counts_the_new_value_in_full() -> None:
    values = [100.0, 110.0, 5.0, 8.0]
    cells = fold([(float(ts), (0.0, value, buckets(value))) for ts, value in enumerate(values)])
    assert (cells[2, 0].growth, cells[2, 0].resets) == (18.0, 1)
    assert (cells[3, 0].growth, cells[3, 0].resets) == (buckets(18), 1)


def test_a_new_process_counts_in_full_though_its_counter_is_higher() -> None:
    rollups = Rollups()
    rollups.add(1, SERIES, IDS, 1.0, (0.0, 100.0, buckets(100)), 1000.0)
    rollups.add(1, SERIES, IDS, 2.0, (0.0, 130.0, buckets(130)), 2000.0)
    cells = {series: cell for series, _, cell in rollups.close(60)}
    assert cells[2].growth == 130.0
    assert cells[3].growth == buckets(130)


def test_what_happened_while_nobody_polled_is_not_growth() -> None:
    cells = fold([(0.0, (0.0, 100.0, buckets(1))), (1000.0, (0.0, 900.0, buckets(9)))])
    assert cells[2, 960].growth == 0.0
    assert cells[3, 960].growth == buckets(0)


def test_a_series_that_appears_on_a_watched_source_counts_from_nothing() -> None:
    rollups = Rollups()
    rollups.add(1, SERIES[:1], IDS[:1], 1.0, (0.0,), None)
    rollups.add(1, SERIES, IDS, 2.0, (0.0, 5.0, buckets(5)), None)
    cells = {series: cell for series, _, cell in rollups.close(60)}
    assert (cells[2].growth, cells[3].growth) == (5.0, buckets(5))


def test_readings_that_are_no_number_are_left_out() -> None:
    cells = fold([(float(ts), (math.nan if ts % 2 else 4.0, math.nan, buckets(0))) for ts in range(10)])
    assert cells[1, 0] == Cell(10, 4.0, 4.0, 20.0, 4.0, None, 0)
    assert cells[2, 0] == Cell(10, None, None, None, None, None, 0)


@given(st.lists(st.floats(), min_size=1, max_size=20))
def test_growth_is_never_negative(path: list[float]) -> None:
    grown, resets = counter_growth(path)
    assert grown >= 0
    assert 0 <= resets < len(path)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=20))
def test_growth_of_a_histogram_is_that_of_its_count(path: list[int]) -> None:
    growth = HistogramGrowth(None)
    for n in path:
        growth.add(buckets(n))
    grown, resets, readings = growth.take()
    assert grown is not None
    assert (grown.observations, resets) == counter_growth([float(n) for n in path])
    assert readings == len(path)


def test_hours_are_the_sums_of_their_minutes(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    to = writer(path, START)
    for second in range(0, 7300, 10):
        to.tick(polls(second), START + second + 0.9)
    to.finish(START + 7300)
    series = dict(rows(path, "SELECT metric, id FROM series"))
    hours = rows(path, "SELECT ts, n, resets FROM hour WHERE series = ?", series["output_tokens"])
    assert hours == [(START, 360, 0), (START + 3600, 360, 0)]
    for name in ("running", "output_tokens"):
        of_minutes = rows(
            path,
            """SELECT sum(n), min(low), max(high), sum(total), sum(inc), max(last) FROM minute
                WHERE series = ? AND ts < ?""",
            series[name],
            START + 3600,
        )
        of_hour = rows(
            path,
            "SELECT n, low, high, total, inc, last FROM hour WHERE series = ? AND ts = ?",
            series[name],
            START,
        )
        if name == "output_tokens":
            assert of_minutes == of_hour
        assert of_minutes[0][:5] == of_hour[0][:5]


def test_hours_add_up_histograms(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    to = writer(path, START)
    for second in range(0, 3700, 10):
        to.tick(polls(second), START + second + 0.9)
    connection = to._keeper.store.connection
    assert connection is not None
    (content,) = connection.execute("SELECT inc FROM hour WHERE typeof(inc) = 'blob'").fetchone()
    (growth,) = histograms(connection, [content])
    last = 3590
    assert growth == Buckets(BOUNDS, (last // 8, last // 4, last // 2, last // 2), last // 2 * 0.25)
    to.finish(START + 3700)

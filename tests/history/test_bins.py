"""Rates over time."""

from __future__ import annotations

from pathlib import Path

import pytest

from infertop.history.bins import cost_bins, quantity_bins
from infertop.history.reader import Reader
from infertop.history.series_history import histogram_bins, series_bins
from infertop.readings.model import Buckets, Series
from tests.history.world import BOUNDS, LLAMA, START, VLLM, polls, writer

TOKENS = Series.of("output_tokens", model=LLAMA)
RUNNING = Series.of("running", model=LLAMA)
TTFT = Series.of("ttft_seconds", model=LLAMA)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Two hours, a break of one, and ten minutes: a poll every 5 s."""
    path = tmp_path_factory.mktemp("bins") / "x.db"
    to = writer(path, START)
    for second in (*range(0, 7200, 5), *range(10800, 11400, 5)):
        to.tick(polls(second), START + second + 0.9)
    to.finish(START + 11400)
    return Reader(path)


def test_cost_by_model_is_the_rate_while_it_was_recorded_and_unknown_in_between(reader: Reader) -> None:
    bins = reader.ask(cost_bins, START, START + 11400, 19, lambda account: account.model)
    assert (bins.width, len(bins.times), bins.times[0]) == (600, 19, START)
    (layer,) = bins.layers.values()
    assert [each is None for each in layer] == [False] * 12 + [True] * 6 + [False]
    assert [each for each in layer if each is not None] == pytest.approx([2.49] * 13, rel=0.02)


def test_tokens_a_second_leave_gaps_out(reader: Reader) -> None:
    key = lambda account: account.resource if account.is_tokens else None  # noqa: E731
    bins = reader.ask(quantity_bins, START, START + 11400, 19, key)
    assert set(bins.layers) == {"input", "output"}
    assert bins.layers["output"][0] == pytest.approx(40, rel=0.01)
    assert bins.layers["output"][-1] == pytest.approx(40, rel=0.02)


def test_bins_are_never_narrower_than_a_minute(reader: Reader) -> None:
    bins = reader.ask(cost_bins, START, START + 600, 180, lambda account: account.model)
    assert (bins.width, len(bins.times)) == (60, 10)


def test_a_line_wider_than_a_bin_is_spread_over_the_bins(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    to = writer(path, START)
    connection = to._keeper.store.connection
    assert connection is not None
    connection.execute("INSERT INTO accounts VALUES (1,'openai','openai','m','input','[]','tokens',NULL,'billed','')")
    connection.execute("INSERT INTO lines VALUES (?,?,1,3600,3600000000000,0)", (START, START + 3600))
    connection.execute("INSERT INTO lines VALUES (?,?,1,60,60000000000,0)", (START + 3600, START + 3660))
    reader = Reader(path)
    bins = reader.ask(cost_bins, START + 1800, START + 5400, 6, lambda account: account.model)
    assert bins.layers["m"] == pytest.approx([3600, 3600, 3600, 60 * 6, None, None])
    reader.close()
    to._keeper.store.close()


def test_a_short_span_of_a_series_is_read_poll_by_poll(reader: Reader) -> None:
    found = reader.ask(series_bins, VLLM, TOKENS, START + 600.0, START + 700.0, 10)
    assert [(each.ts, each.width, each.n) for each in found] == [(START + 600.0 + 10 * i, 10, 2) for i in range(10)]
    assert [each.growth for each in found] == [400.0] * 10
    constant = reader.ask(series_bins, "nvml", Series.of("gpu_energy_joules", gpu="GPU-0"), START + 600, START + 700, 1)
    assert (constant[0].n, constant[0].growth) == (20, 20 * 5 * 300.0)


def test_a_value_that_does_not_change_is_there_in_every_bin(reader: Reader) -> None:
    found = reader.ask(series_bins, "host", Series.of("host_cpu_utilization"), START + 611, START + 701, 9)
    assert len(found) == 9
    assert {(each.low, each.mean, each.high) for each in found} == {(0.1, 0.1, 0.1)}


def test_a_long_span_is_read_by_minutes_and_a_very_long_one_by_hours(reader: Reader) -> None:
    by_minute = reader.ask(series_bins, VLLM, TOKENS, START, START + 11400, 1000)
    assert {each.width for each in by_minute} == {60}
    assert [each.growth for each in by_minute[1:5]] == [2400.0] * 4
    by_hour = reader.ask(series_bins, VLLM, TOKENS, START - 40 * 86400, START + 11400, 10**6)
    assert [(each.ts, each.width, each.n) for each in by_hour] == [(START, 3600, 720), (START + 3600, 3600, 720)]
    binned = reader.ask(series_bins, VLLM, RUNNING, START, START + 11400, 4)
    assert [each.n for each in binned] == [
        576,
        576,
        288,
        108,
    ]  # 48 minutes, 48, 24 before the break, 9 of 10 after it: the last is open


def test_a_series_that_was_never_read_has_no_history(reader: Reader) -> None:
    assert reader.ask(series_bins, VLLM, Series.of("running", model="other"), START, START + 600, 10) == []
    assert reader.ask(series_bins, "who", RUNNING, START, START + 600, 10) == []
    assert reader.ask(series_bins, VLLM, RUNNING, START + 600, START, 10) == []


def test_histograms_of_a_span_are_what_came_in(reader: Reader) -> None:
    found = reader.ask(histogram_bins, VLLM, TTFT, START + 600, START + 1200, 2)
    assert [ts for ts, _ in found] == [START + 600, START + 900]
    before, after = 595, 895
    expected = tuple(float(after // part - before // part) for part in (8, 4, 2, 2))
    assert found[0][1] == Buckets(BOUNDS, expected, (after // 2 - before // 2) * 0.25)

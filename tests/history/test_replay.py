"""A history played again: what it gives of a time is what was known then."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infertop.engine.collector import Health
from infertop.engine.state import State
from infertop.history.reader import Unreadable
from infertop.history.replay import Grain, Player, Step
from infertop.history.replay_sums import PastSums
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.readings.model import Batch
from tests.history.stating import say
from tests.history.test_summary import SETTINGS
from tests.history.world import START, polls, writer
from tests.money.tape import LLAMA, VLLM

SCOPES = Scopes(SETTINGS)
SECONDS = 1620
HOUR = 3600


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, Summary]]:
    """A database with an hour's statement astride its middle, and the recorder's sums as each minute closed."""
    path = tmp_path_factory.mktemp("replay") / "infertop.db"
    to = writer(path, START, scopes=SCOPES)
    closed: dict[int, Summary] = {}
    for second in range(SECONDS):
        batches = list(polls(second))
        if second == 30:
            wide = say(START - 1800, HOUR, {"input": 10**6 + 7}, source="openai")
            batches.append(Batch("openai", START + second + 0.5, (), (), statements=(wide,)))
        summary = to.tick(batches, START + second + 0.9)
        if summary.closed not in closed:
            closed[summary.closed] = summary
    to.finish(START + SECONDS)
    return path, closed


@pytest.fixture
def player(recorded: tuple[Path, dict[int, Summary]]) -> Iterator[Player]:
    made = Player(recorded[0])
    yield made
    made.close()


def measured(summary: Summary) -> dict[object, object]:
    """What meters told: statements are told whole before their time is over, and replayed as it passes."""
    return {key: row for key, row in summary.today.items() if key[0] != "openai"}


def test_sums_of_a_minute_are_those_that_the_recorder_had(
    recorded: tuple[Path, dict[int, Summary]], player: Player
) -> None:
    for minute in (300, 900, 1500):
        shown = player.begin(START + minute + 20, SCOPES).summary
        summary = recorded[1][START + minute]
        assert shown is not None
        before = [each for each in summary.minutes if START <= each.start < START + minute]
        assert shown.closed == START + minute
        assert {each.start: each.totals.get((VLLM, LLAMA)) for each in shown.minutes if each.start >= START} == {
            each.start: each.totals.get((VLLM, LLAMA)) for each in before
        }
        later = player.begin(START + minute + 60, SCOPES).summary
        assert later is not None
        assert measured(later) == measured(_closed_in(recorded[1], START + minute + 60))


def _closed_in(closed: dict[int, Summary], minute: int) -> Summary:
    """The sums without what was open when the minute closed."""
    summary = closed[minute]
    open_too = [each for each in summary.minutes if each.start >= minute]
    today = dict(summary.today)
    for each in open_too:
        for key, row in each.totals.items():
            quantities = {name: today[key].quantities[name] - n for name, n in row.quantities.items()}
            today[key] = replace(
                today[key],
                quantities=quantities,
                usd_nano=None if row.usd_nano is None else (today[key].usd_nano or 0) - row.usd_nano,
            )
    return replace(summary, today=today)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(1, 26), min_size=1, max_size=6, unique=True))
def test_going_on_comes_to_the_same_as_beginning_there(
    recorded: tuple[Path, dict[int, Summary]], stops: list[int]
) -> None:
    connection = sqlite3.connect(recorded[0])
    along, anew = PastSums(SCOPES), PastSums(SCOPES)
    along.begin(connection, START)
    for stop in sorted(stops):
        along.go_on(connection, START + 60 * stop)
        anew.begin(connection, START + 60 * stop)
        one, other = along.as_of(0.0), anew.as_of(0.0)
        assert one == replace(other, providers=one.providers)
    connection.close()


def test_a_line_astride_the_replayed_time_counts_with_its_share(player: Player) -> None:
    summary = player.begin(START + 600, SCOPES).summary
    assert summary is not None
    assert summary.today["openai", "gpt-4o"].quantities["input"] == (10**6 + 7) * 2400 // 3600


def test_readings_are_those_of_the_last_quarter_of_an_hour_and_of_no_later_time(player: Player) -> None:
    first = player.begin(START + 1200, SCOPES)
    assert first.grain is Grain.READINGS
    assert [min(times := [each.ts for each in first.batches]), max(times)] == pytest.approx(
        [START + 300, START + 1200], abs=1
    )
    assert max(times) < START + 1200
    more = [player.go_on(START + 1200 + 10 * part) for part in range(1, 7)]
    ts = [each.ts for step in more for each in step.batches]
    assert all(START + 1200 <= each < START + 1260 for each in ts)
    assert len(ts) == 60 * 2 + 30
    assert [step.summary is not None for step in more] == [False] * 5 + [True]


def rates(step: Step) -> tuple[float | None, ...]:
    """What a screen would show of a model over five minutes."""
    state = State()
    interval = 60.0 if step.grain is not Grain.READINGS else 1.0
    for batch in step.batches:
        state.apply_health(Health(batch.source, "", good_ts=batch.ts, interval_seconds=interval))
        state.apply(batch)
    (output,) = state.tracks(VLLM, "output_tokens", model=LLAMA)
    (running,) = state.tracks(VLLM, "running", model=LLAMA)
    (ttft,) = state.tracks(VLLM, "ttft_seconds", model=LLAMA)
    buckets = ttft.buckets(300)
    assert buckets is not None
    return output.rate(300), running.mean(300), buckets.observations / 300


def test_roll_ups_show_what_the_readings_show(player: Player) -> None:
    fine = player.begin(START + 1500, SCOPES)
    coarse = player.begin(START + 1500, SCOPES, coarse=True)
    assert (fine.grain, coarse.grain) == (Grain.READINGS, Grain.MINUTES)
    assert len(coarse.batches) < len(fine.batches) / 20
    assert rates(coarse) == pytest.approx(rates(fine), rel=0.02)


def test_of_times_that_are_kept_by_the_hour_there_is_the_hours_mean(
    recorded: tuple[Path, dict[int, Summary]], tmp_path: Path
) -> None:
    path = tmp_path / "old.db"
    source = sqlite3.connect(recorded[0])
    old = sqlite3.connect(path)
    source.backup(old)
    old.execute(
        """INSERT INTO hour SELECT series, 359996400, sum(n), min(low), max(high), sum(total), 0, NULL, 0 FROM minute
        GROUP BY series"""
    )
    old.execute("UPDATE hour SET inc = 7200.0 WHERE series IN (SELECT id FROM series WHERE metric = 'output_tokens')")
    for table in ("raw", "polls", "minute"):
        old.execute(f"DELETE FROM {table}")
    old.commit()
    old.close()
    source.close()
    player = Player(path)
    step = player.begin(359996400 + 1800.0, SCOPES)
    player.close()
    state = State()
    for batch in step.batches:
        state.apply_health(Health(batch.source, "", good_ts=batch.ts, interval_seconds=60.0))
        state.apply(batch)
    assert step.grain is Grain.HOURS
    assert state.tracks(VLLM, "output_tokens", model=LLAMA)[0].rate(300) == pytest.approx(2.0)


def test_what_is_reached_over_and_what_is_no_history_is_said(player: Player, tmp_path: Path) -> None:
    span = player.recorded()
    assert span is not None
    assert (span.start, span.last_day) == (START - 1800, START - 1800)
    assert span.end == pytest.approx(START + SECONDS, abs=60)
    empty = tmp_path / "empty.db"
    writer(empty, START).finish(START)
    assert Player(empty).recorded() is None
    (tmp_path / "other.db").write_text("no database at all, by any means")
    with pytest.raises(Unreadable, match=r"other\.db|cannot be read"):
        Player(tmp_path / "other.db")
    with pytest.raises(Unreadable, match="there is no history"):
        Player(tmp_path / "none.db")

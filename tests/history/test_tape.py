"""The tape gives back what it was given."""

from __future__ import annotations

import math
import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from infertop.history.drops import transaction
from infertop.history.migrations import migrate
from infertop.history.tape import Tape
from infertop.history.tape_writer import KEYFRAME_MS, TapeWriter
from infertop.readings.model import Batch, Buckets, Series, Statement, Value

ONE = (Series.of("running", model="a"),)
TWO = (Series.of("running", model="a"), Series.of("waiting", model="a"))


def store(tape: TapeWriter, connection: sqlite3.Connection, *batches: Batch) -> None:
    for batch in batches:
        tape.add(batch)
    with transaction(connection):
        tape.write(connection)
    tape.written()


def back(connection: sqlite3.Connection) -> list[Batch]:
    return list(Tape(connection).batches(0))


def raw_rows(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM raw").fetchone()[0])


def test_a_value_that_does_not_change_has_one_row_and_every_poll_its_heartbeat(connection: sqlite3.Connection) -> None:
    given_ = [Batch("s", float(ts), TWO, (1.0, float(ts))) for ts in range(1, 11)]
    store(TapeWriter(connection), connection, *given_)
    assert raw_rows(connection) == 2 + 9
    assert back(connection) == given_


def test_a_series_that_vanishes_and_returns_is_there_when_it_was_there(connection: sqlite3.Connection) -> None:
    given_ = [
        Batch("s", 1.0, TWO, (1.0, 5.0)),
        Batch("s", 2.0, ONE, (1.0,)),
        Batch("s", 3.0, ONE, (2.0,)),
        Batch("s", 4.0, TWO, (2.0, 5.0)),
    ]
    store(TapeWriter(connection), connection, *given_)
    assert back(connection) == given_
    ends = connection.execute("SELECT poll FROM raw WHERE value IS NULL").fetchall()
    assert ends == [(2,)]


def test_histograms_not_a_number_and_infinities_come_back(connection: sqlite3.Connection) -> None:
    series = (Series.of("ttft_seconds", model="a"), *TWO)
    buckets = Buckets((0.1, math.inf), (3.0, 5.0), 0.75)
    given_ = [Batch("s", float(ts), series, (buckets, math.nan, math.inf), 0.5) for ts in (1, 2)]
    store(TapeWriter(connection), connection, *given_)
    found = back(connection)
    assert [batch.values[0] for batch in found] == [buckets, buckets]
    assert all(math.isnan(float(batch.values[1])) for batch in found if not isinstance(batch.values[1], Buckets))
    assert [batch.values[2] for batch in found] == [math.inf, math.inf]
    assert [batch.started for batch in found] == [0.5, 0.5]


def test_a_reader_that_begins_anywhere_knows_the_values_from_before(connection: sqlite3.Connection) -> None:
    given_ = [Batch("s", float(ts), TWO, (7.0, float(ts))) for ts in range(1000)]
    store(TapeWriter(connection), connection, *given_)
    assert list(Tape(connection).batches(500.0, 503.0)) == given_[500:503]
    keyframes = connection.execute("SELECT count(*) FROM polls WHERE keyframe").fetchone()[0]
    assert keyframes == math.ceil(1000 * 1000 / KEYFRAME_MS)


def test_a_reader_asked_again_has_only_what_came_since(connection: sqlite3.Connection) -> None:
    writer = TapeWriter(connection)
    store(writer, connection, Batch("s", 1.0, TWO, (1.0, 2.0)))
    tape = Tape(connection)
    first = [read.seq for read in tape.polls(0)]
    store(writer, connection, Batch("s", 2.0, TWO, (1.0, 3.0)), Batch("other", 2.5, ONE, (4.0,)))
    later = list(tape.polls(first[-1]))
    assert [read.batch for read in later] == [Batch("s", 2.0, TWO, (1.0, 3.0)), Batch("other", 2.5, ONE, (4.0,))]


def test_polls_whose_earlier_values_are_gone_are_left_out(connection: sqlite3.Connection) -> None:
    given_ = [Batch("s", float(ts), TWO, (7.0, float(ts))) for ts in range(400)]
    store(TapeWriter(connection), connection, *given_)
    connection.execute("DELETE FROM raw WHERE poll < 100")
    connection.execute("DELETE FROM polls WHERE seq < 100")
    assert back(connection) == given_[300:]


def test_a_restart_writes_everything_in_full_and_keeps_the_numbers(connection: sqlite3.Connection) -> None:
    given_ = [Batch("s", 1.0, TWO, (1.0, 2.0)), Batch("s", 2.0, TWO, (1.0, 2.0))]
    store(TapeWriter(connection), connection, given_[0])
    store(TapeWriter(connection), connection, given_[1])
    assert back(connection) == given_
    assert connection.execute("SELECT count(*) FROM series").fetchone()[0] == 2


def test_labels_of_any_text_come_back_as_sent(connection: sqlite3.Connection) -> None:
    labels = {"model": 'x"\x1b]52;c;x\x07\u202e', "path": "\ud800 ü 模型"}
    series = (Series.of("running", **labels),)
    store(TapeWriter(connection), connection, Batch("s\x00ource", 1.0, series, (1.0,)))
    assert back(connection) == [Batch("s\x00ource", 1.0, series, (1.0,))]


values = st.one_of(
    st.floats(allow_nan=False),
    st.lists(st.integers(0, 9), min_size=2, max_size=2).map(
        lambda steps: Buckets((0.5, math.inf), (float(steps[0]), float(sum(steps))), float(sum(steps)))
    ),
)
shapes = st.sampled_from([ONE, TWO, TWO[::-1], (*TWO, Series.of("ttft_seconds", model="b"))])


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b"]), shapes, st.lists(st.sampled_from([0.0, 1.0, 2.5]) | values, min_size=3)),
        max_size=40,
    ),
    st.integers(1, 7),
    st.integers(6, 60),
)
def test_whatever_was_recorded_is_read_back_also_where_some_had_to_be_dropped(
    polls: list[tuple[str, tuple[Series, ...], list[Value]]], per_tick: int, memory_rows: int
) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    writer = TapeWriter(connection, memory_rows)
    batches = [Batch(s, float(i), shape, tuple(v[: len(shape)])) for i, (s, shape, v) in enumerate(polls)]
    for at in range(0, len(batches), per_tick):
        page = batches[at : at + per_tick]
        store(writer, connection, *page)
    kept = [int(batch.ts) for batch in back(connection)]
    assert back(connection) == [batches[i] for i in kept]
    if not writer.lost:
        assert len(kept) == len(batches)
    connection.close()


def test_dropping_what_waits_keeps_the_newest_and_counts_what_is_lost(connection: sqlite3.Connection) -> None:
    writer = TapeWriter(connection, memory_rows=10)
    given_ = [Batch("s", float(ts), TWO, (7.0, float(ts))) for ts in range(100)]
    store(writer, connection, *given_)
    found = back(connection)
    assert found == given_[-len(found) :]
    assert 5 <= len(found) < 12
    assert writer.lost == 100 - len(found)


def statement(key: str, start: float, end: float, tokens: int) -> Statement:
    return Statement(
        "openai", key, start, end, "openai", "gpt", {"project": "p"}, {"input": tokens}, 3, None, "computed"
    )


def test_a_page_of_statements_replaces_all_that_was_said_about_its_span(connection: sqlite3.Connection) -> None:
    hourly = tuple(statement(f"h{i}", i * 3600.0, (i + 1) * 3600.0, 10) for i in range(4))
    minutes = (statement("m1", 3600.0, 5400.0, 4), statement("m2", 5400.0, 7200.0, 5))
    writer = TapeWriter(connection)
    store(writer, connection, Batch("openai", 1.0, (), (), statements=hourly))
    store(writer, connection, Batch("openai", 2.0, (), (), statements=minutes))
    store(writer, connection, Batch("openai", 3.0, (), (), statements=(statement("h3", 10800.0, 14400.0, 12),)))
    said = {each.key: each.quantities["input"] for batch in back(connection) for each in batch.statements}
    assert said == {"h0": 10, "h2": 10, "m1": 4, "m2": 5, "h3": 12}

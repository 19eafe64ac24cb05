"""`infertop backtest` on CSV files as people and exports have them: the right columns, or one sentence and a status."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infertop.cli import main

KINDS = ("anomalies", "forecast")
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
EPOCH = int(BEGIN.timestamp())


def scored(path: Path, content: str | bytes, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[float], str]:
    """Return the status, the values that were read, and what was said."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    status = main(["backtest", "anomalies", str(path)])
    said = capsys.readouterr()
    return status, [float(row["value"]) for row in csv.DictReader(io.StringIO(said.out))], said.err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", "has no values in it"),
        (b"\n\n \n", "has no values in it"),
        (b"timestamp,value\n", "has no values in it"),
        (b"\xef\xbb\xbftimestamp;value\r\n", "has no values in it"),
        (b"value\n1\n2\n", "has one column"),
        (b"5\n", "has one column"),
        (b"a b c\n" * 1000, "has one column"),
        ("timestamp\tvalue\n2026-11-01\t1\n".encode("utf-16"), "is UTF-16"),
        (b"\x7fELF\x02\x01\x00\x00,\x00\n\x00,1\n", "is no text"),
        (b"9" * 30_000, "is longer than 10000 bytes"),
    ],
)
def test_a_file_without_a_series_is_one_sentence_and_status_1(
    kind: str, content: bytes, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert main(["backtest", kind, str(path)]) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) <= 1
    (sentence,) = said.err.splitlines()
    assert sentence.startswith(f"infertop: {path}")
    assert wanted in sentence


@pytest.mark.parametrize(
    "lines",
    [
        ("timestamp,value", "2026-11-01T00:00:00Z,1.5", "2026-11-01T01:00:00Z,2.5"),
        ("id,value,timestamp", f"1,1.5,{EPOCH}", f"2,2.5,{EPOCH + 3600}"),
        (f"1,{EPOCH},1.5", f"2,{EPOCH + 3600},2.5"),
        (f"1,1.5,{EPOCH}", f"2,2.5,{EPOCH + 3600}"),
        (",hour,usd", "0,2026-11-01 00:00,1.5", "1,2026-11-01 01:00,2.5"),
        ("value,time", "1.5,2026-11-01 00:00", "2.5,2026-11-01 01:00"),
        ("Usage Start Time;Cost (USD)", "2026/11/01 00:00;1,5", "2026/11/01 01:00;2,5"),
        ("date\trequests\tusd", "2026-11-01\t7\t1.5", "2026-11-02\t9\t2.5"),
        ('"day","model","cost_usd"', '"2026-11-01","a, b","1.5"', '"2026-11-02","c","2.5"'),
        ("start,end,amount", f"{EPOCH},{EPOCH + 60},$1.50", f"{EPOCH + 60},{EPOCH + 120},$2.50"),
        ("Costs of November,", "ds,y", "2026-11-01 00:00:00 UTC,1.5", "2026-11-01 02:00:00+02,2.5"),
        (f"ts,value\r\n{EPOCH}000,1.5\r", f"{EPOCH + 60}000,2.5\r"),
        ("\ufefftime|value", f"{EPOCH}000000|1.5", f"{EPOCH + 60}000000000|2.5"),
        ("2026-11-01T00:00:00.5Z,1.5", "2026-11-01T00:00:00.123456789+0530,2.5"),
    ],
)
def test_columns_are_found_by_name_and_then_by_what_can_be_read(
    lines: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, values, said = scored(tmp_path / "a.csv", "\n".join(lines) + "\n", capsys)
    assert (status, values) == (0, [1.5, 2.5])
    assert "no values" not in said


def test_where_two_columns_could_be_the_value_it_is_said_which_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "when,input,output\n2026-11-01,3,5\n2026-11-02,4,9\n"
    status, values, said = scored(tmp_path / "a.csv", lines, capsys)
    assert (status, values) == (0, [3.0, 4.0])
    assert 'the columns "when" and "input" are taken' in said


@pytest.mark.parametrize("wrong", ["nan", "inf", "-Infinity", "", "1e999", "=1+1", "0x10", "1,5", "\u0661"])
def test_what_is_no_number_is_a_sentence_and_the_rest_is_read(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = f'timestamp,value\n2026-11-01,1\n2026-11-02,"{wrong}"\n2026-11-03,3\n'
    status, values, said = scored(tmp_path / "a.csv", lines, capsys)
    assert (status, values) == (1, [1.0, 3.0])
    assert len(said.splitlines()) == 1
    assert "a.csv:3 has the value" in said


def test_times_that_go_back_or_stand_still_are_said_and_are_no_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clock that is set back writes an hour twice; who writes a line for each model has each hour several times."""
    hours = [0, 1, 2, 2, 1, 2, 3]
    lines = "time,usd\n" + "".join(f"2026-10-25 {hour:02}:30,{hour}\n" for hour in hours)
    status, values, said = scored(tmp_path / "a.csv", lines, capsys)
    assert (status, values) == (0, [float(hour) for hour in hours])
    assert "has 1 earlier than and 1 of the same time as the one before: they are scored in the file's order" in said


def test_lines_out_of_order_and_of_one_time_are_forecast_as_their_sums_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same series, once in order, once from the newest line on with each hour's amount in two lines."""
    hours = [(BEGIN + timedelta(hours=at), 4.0 + at % 24) for at in range(96)]
    (tmp_path / "a.csv").write_text("".join(f"{when.isoformat()},{usd}\n" for when, usd in hours))
    halves = [f"{when.isoformat()},{usd / 2}\n" * 2 for when, usd in reversed(hours)]
    (tmp_path / "b.csv").write_text("".join(halves))
    told = []
    for name in ("a.csv", "b.csv"):
        assert main(["backtest", "forecast", str(tmp_path / name)]) == 0
        told.append(capsys.readouterr())
    assert told[0].out == told[1].out
    assert len(told[0].out.splitlines()) == 1 + 3 * 23
    assert told[0].err == ""
    assert "95 earlier than and 96 of the same time as the one before: they are put in order" in told[1].err


def test_a_series_below_zero_has_no_forecast_and_the_reason_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    hours = [(BEGIN + timedelta(hours=at), -5.0 - at % 24) for at in range(96)]
    path.write_text("".join(f"{when.isoformat()},{usd}\n" for when, usd in hours))
    assert main(["backtest", "forecast", str(path)]) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert "has hours below 0 (100% of what those above it come to)" in said.err


def test_a_credit_now_and_then_is_no_reason_to_forecast_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    hours = [(BEGIN + timedelta(hours=at), -1.0 if at == 30 else 5.0 + at % 24) for at in range(96)]
    path.write_text("".join(f"{when.isoformat()},{usd}\n" for when, usd in hours))
    assert main(["backtest", "forecast", str(path)]) == 0
    for row in csv.DictReader(io.StringIO(capsys.readouterr().out)):
        assert float(row["low"]) <= float(row["mid"]) <= float(row["high"])


def test_values_further_apart_than_a_day_have_no_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("".join(f"2026-{month:02}-01,5\n" for month in range(1, 12)))
    assert main(["backtest", "forecast", str(path), "--period", "month"]) == 1
    assert "has values further apart than a day" in capsys.readouterr().err


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=30), st.sampled_from(KINDS))
def test_no_text_at_all_is_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], kind: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join(lines).encode())
    assert main(["backtest", kind, str(path)]) in (0, 1)
    capsys.readouterr()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.binary(max_size=400), st.sampled_from(KINDS))
def test_no_bytes_at_all_are_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, kind: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert main(["backtest", kind, str(path)]) in (0, 1)
    assert "Traceback" not in capsys.readouterr().err

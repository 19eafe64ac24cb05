"""`infertop backtest anomalies`: its lines, its sentences, its status."""

from __future__ import annotations

from pathlib import Path

import pytest

from infertop.cli import main

USUAL = "".join(f"2026-11-{1 + at // 24:02} {at % 24:02}:00:00,{100 + at % 7}\n" for at in range(480))


@pytest.fixture
def series(tmp_path: Path) -> Path:
    path = tmp_path / "series.csv"
    surge = "".join(f"2026-11-21 {hour:02}:00:00,400\n" for hour in range(5))
    path.write_text("timestamp,value\n" + USUAL + surge + "2026-11-21 05:00:00,101\n" * 4)
    return path


def test_every_point_has_a_line_with_its_score(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "anomalies", str(series)]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == "timestamp,value,score"
    rows = [line.split(",") for line in lines]
    assert len(rows) == 489
    assert rows[480][:2] == ["2026-11-21 00:00:00", "400.0"]
    assert float(rows[480][2]) == max(float(row[2]) for row in rows) > 1.8


def test_events_are_the_incidents(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "anomalies", "--events", str(series)]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == "since,until,score,part,value,expected,peak,excess_hours,history_hours"
    assert [line.split(",")[:2] for line in lines] == [["2026-11-21T00:00:00Z", ""]]


def test_lines_that_are_no_points_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(
        b"timestamp,value\n2026-11-01,1\nyesterday,2\n\n1793491200,nan\n1793491260\n"
        b"2026-11-31 00:00:00,3\n\x1b[31m,4\n1793491320,=1+1\n" + b"9" * 20_000 + b"\n2026-11-02T00:00:00Z,5"
    )
    assert main(["backtest", "anomalies", str(path)]) == 1
    told = capsys.readouterr()
    assert [line.rsplit(",", 1)[0] for line in told.out.splitlines()[1:]] == [
        "2026-11-01,1.0",
        "2026-11-02T00:00:00Z,5.0",
    ]
    assert f'{path}:3 has the time "yesterday"' in told.err
    assert f'{path}:5 has the value "nan": a finite number is needed' in told.err
    assert f"{path}:6 needs a timestamp and a value" in told.err
    assert f'{path}:7 has the time "2026-11-31 00:00:00"' in told.err
    assert f"{path}:10 is longer than 10000 bytes" in told.err
    assert "\x1b" not in told.err


@pytest.mark.parametrize(
    "header", ["Time,USD", "ts;x,cost", '"date","usd per hour"', "timestamp,value,note", "\ufefftimestamp,value"]
)
def test_a_first_line_of_names_is_a_header_whatever_they_are(
    header: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "series.csv"
    path.write_text(f"{header}\n2026-11-01,1\n2026-11-02,2\n", encoding="utf-8")
    assert main(["backtest", "anomalies", str(path)]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert len(told.out.splitlines()) == 3


@pytest.mark.parametrize("line", ["yesterday,3", "2026-11-32,cost", "timestamp,nan"])
def test_a_first_line_that_is_no_point_and_no_header_is_a_sentence(line: str, tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_text(f"{line}\n2026-11-01,1\n")
    assert main(["backtest", "anomalies", str(path)]) == 1


def test_many_bad_lines_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("no,1\n" * 500)
    assert main(["backtest", "anomalies", str(path)]) == 1
    assert len(lines := capsys.readouterr().err.splitlines()) == 11
    assert lines[-1].startswith("infertop: 500 lines of ")


def test_a_file_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "anomalies", "/nowhere.csv"]) == 1
    assert "/nowhere.csv could not be read: no such file or directory" in capsys.readouterr().err

"""`infertop backtest forecast`: its lines, its sentences, its status."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.cli import main

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def write(path: Path, hours: int, minutes: int = 60, begin: datetime = BEGIN, without: range = range(0)) -> str:
    """Write a series of 12 an hour by day and 4 by night, in values of so many minutes."""
    lines = ["timestamp,value"]
    for each in range(hours * 60 // minutes):
        when = begin + timedelta(minutes=minutes * each)
        if each * minutes // 60 not in without:
            lines.append(f"{when:%Y-%m-%d %H:%M:%S},{(12 if 6 <= when.hour < 22 else 4) * minutes / 60}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


@pytest.mark.parametrize("minutes", [5, 10, 30, 60])
def test_each_hour_within_a_day_has_a_line_whatever_the_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], minutes: int
) -> None:
    assert main(["backtest", "forecast", write(tmp_path / "a.csv", 4 * 24, minutes), "--period", "day"]) == 0
    found = rows(capsys)
    assert list(found[0]) == ["origin", "end", "spent", "low", "mid", "high", "truth"]
    assert [found[0]["origin"], found[0]["end"]] == ["2026-01-02T01:00:00Z", "2026-01-03T00:00:00Z"]
    assert len(found) == 3 * 23
    for row in found:
        spent, low, mid, high, truth = (float(row[name]) for name in ("spent", "low", "mid", "high", "truth"))
        assert spent <= low <= mid <= high
        assert truth == pytest.approx(16 * 12 + 8 * 4)
    assert float(found[-1]["mid"]) == pytest.approx(224, rel=0.05)


def test_weeks_and_months_are_forecast_at_midnight_in_the_zone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.csv", 62 * 24)
    assert main(["backtest", "forecast", path, "--period", "month", "--timezone", "America/New_York"]) == 0
    found = rows(capsys)
    origins = [datetime.fromisoformat(row["origin"]).astimezone(ZoneInfo("America/New_York")) for row in found]
    days = [(1, day, 0) for day in range(2, 32)] + [(2, day, 0) for day in range(2, 29)]
    assert [(each.month, each.day, each.hour) for each in origins] == days
    assert {row["end"] for row in found} == {"2026-02-01T05:00:00Z", "2026-03-01T05:00:00Z"}
    assert main(["backtest", "forecast", path, "--period", "week"]) == 0
    assert {datetime.fromisoformat(row["origin"]).weekday() for row in rows(capsys)} == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu"])
def test_months_are_forecast_where_midnight_is_within_an_hour_of_utc(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], zone: str
) -> None:
    path = write(tmp_path / "a.csv", 62 * 24)
    assert main(["backtest", "forecast", path, "--period", "month", "--timezone", zone]) == 0
    origins = [datetime.fromisoformat(row["origin"]).astimezone(ZoneInfo(zone)) for row in rows(capsys)]
    assert [(each.month, each.day, each.hour) for each in origins] == [(2, day, 0) for day in range(1, 29)]


def test_what_is_missing_is_no_zero_and_has_no_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    night = range(10 * 24 + 2, 10 * 24 + 9)
    path = write(tmp_path / "a.csv", 14 * 24, 10, without=night)
    assert main(["backtest", "forecast", path]) == 0
    found = {row["origin"]: row for row in rows(capsys)}
    assert "2026-01-11T02:00:00Z" not in found
    assert float(found["2026-01-12T01:00:00Z"]["mid"]) == pytest.approx(224, rel=0.05)


def test_nothing_to_forecast_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "forecast", write(tmp_path / "a.csv", 30), "--period", "month"]) == 1
    said = capsys.readouterr()
    assert said.out == "origin,end,spent,low,mid,high,truth\n"
    assert "has no whole month" in said.err


def test_lines_that_are_no_points_are_told_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(write(tmp_path / "a.csv", 3 * 24))
    path.write_text(path.read_text() + "tomorrow,1\n999999999999,5\n")
    assert main(["backtest", "forecast", str(path)]) == 1
    said = capsys.readouterr()
    assert "a.csv:74" in said.err
    assert len(said.out.splitlines()) == 1 + 2 * 23


def test_wrong_use_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["backtest", "forecast", "a.csv", "--timezone", "Mars/Olympus"])
    assert "a time zone such as Europe/Berlin" in capsys.readouterr().err
    assert main(["backtest", "forecast", str(tmp_path / "none.csv")]) == 1
    assert "could not be read" in capsys.readouterr().err

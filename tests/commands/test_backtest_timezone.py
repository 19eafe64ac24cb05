"""`infertop backtest anomalies`: whose hours a rhythm is of, and on how much history an incident stands."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.cli import main

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 3, 16, tzinfo=UTC)


def series(path: Path, *, offsets: bool = False) -> str:
    """Sixteen days of traffic that begins at 8 in Berlin, over the change of clocks of 29 March."""
    rng = random.Random(3)
    lines = ["timestamp,value"]
    for at in range(16 * 144):
        utc = BEGIN + timedelta(minutes=10 * at)
        local = utc.astimezone(BERLIN)
        time = local.isoformat() if offsets else utc.strftime("%Y-%m-%d %H:%M:%S")
        lines.append(f"{time},{(10 if 8 <= local.hour < 20 else 4) * rng.uniform(0.9, 1.1):.4f}")
    path.write_text("\n".join(lines))
    return str(path)


def told(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    """The days after the first week on which incidents begin, and what was said beside."""
    out, err = capsys.readouterr()
    return [line[:10] for line in out.splitlines()[1:] if line > "2026-03-23"], err


def test_hours_are_those_of_the_time_zone_that_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = series(tmp_path / "a.csv")
    assert main(["backtest", "anomalies", "--events", "--timezone", "Europe/Berlin", file]) == 0
    assert told(capsys) == ([], "")
    assert main(["backtest", "anomalies", "--events", "--timezone", "UTC", file]) == 0
    assert told(capsys) == (["2026-03-29", "2026-03-30"], "")


def test_without_one_they_are_those_of_pricing_toml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, prices = series(tmp_path / "a.csv"), tmp_path / "pricing.toml"
    prices.write_text('timezone = "Europe/Berlin"\n')
    assert main(["--pricing", str(prices), "backtest", "anomalies", "--events", file]) == 0
    assert told(capsys)[0] == []
    prices.write_text('timezone = "UTC"\n')
    assert main(["--pricing", str(prices), "backtest", "anomalies", "--events", file]) == 0
    assert told(capsys)[0] == ["2026-03-29", "2026-03-30"]


def test_times_whose_offset_changes_ask_for_the_name_of_their_zone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, prices = series(tmp_path / "a.csv", offsets=True), tmp_path / "pricing.toml"
    prices.write_text('timezone = "UTC"\n')
    assert main(["--pricing", str(prices), "backtest", "anomalies", "--events", file]) == 0
    _, said = told(capsys)
    assert "times of several offsets (+01:00, +02:00): hours of its rhythm are counted in UTC; --timezone" in said
    assert main(["backtest", "anomalies", "--events", "--timezone", "Europe/Berlin", file]) == 0
    assert told(capsys)[1] == ""


def test_points_are_scored_by_those_hours_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = series(tmp_path / "a.csv")
    scores = []
    for zone in ("UTC", "Europe/Berlin"):
        assert main(["backtest", "anomalies", "--timezone", zone, file]) == 0
        scores.append(capsys.readouterr().out)
    assert scores[0] != scores[1]


def test_an_incident_says_on_how_much_history_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{(BEGIN + timedelta(minutes=10 * at)).isoformat()},{50 if at >= 400 else 10}" for at in range(420)]
    path.write_text("timestamp,value\n" + "\n".join(rows))
    assert main(["backtest", "anomalies", "--events", str(path)]) == 0
    header, line = capsys.readouterr().out.splitlines()
    found = dict(zip(header.split(","), line.split(","), strict=True))
    assert float(found["history_hours"]) == pytest.approx(400 / 6, abs=1)

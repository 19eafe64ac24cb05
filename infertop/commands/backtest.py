"""`infertop backtest`: what infertop would have said of a series, point by point, without looking ahead."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from infertop.commands import backtest_forecast
from infertop.commands.input_lines import Unreadable, line_batches, opened, shown
from infertop.commands.point_lines import PointLines
from infertop.commands.series_lines import LONGEST, Point
from infertop.commands.setup import setup_or_status
from infertop.money.detect.detector import Detector, Verdict
from infertop.money.detect.incidents import HOUR, Incident, Rule
from infertop.money.detect.watched import Watched

_EVENTS = "since,until,score,part,value,expected,peak,excess_hours,history_hours"
_SHOWN = 3
_OFFSET, _PLAIN = len("+01:00"), len("2026-11-22 14:05")


def run(options: Namespace) -> int:
    """Write what was asked of the series; status 1 where a line was no point, there is none, or nothing can be read."""
    named = options.timezone is not None
    if not named:
        setup = setup_or_status(options)
        if isinstance(setup, int):
            return setup
        options.timezone = setup.watcher.current.settings.zone
    if options.backtested == "forecast":
        return backtest_forecast.run(options)
    lines = PointLines(options.file)
    answers = _Events(options.threshold, options.timezone) if options.events else _Scores(options.timezone)
    offsets: set[str] = set()
    sys.stdout.write(answers.header + "\n")
    try:
        with opened(options.file) as file:
            for points in lines.of(line_batches(file, options.file, LONGEST)):
                sys.stdout.write("".join(answers.of(each) for each in points))
                offsets |= {each.timestamp[-_OFFSET:] for each in points if len(each.timestamp) > _PLAIN}
                sys.stdout.flush()  # before the next read, which may wait for whoever writes
    except Unreadable as error:
        print(f"infertop: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(answers.end())
    if not named:
        _tell_of_offsets(options, sorted(each for each in offsets if each[0] in "+-"))
    return 0 if lines.sum_up(answers.not_after) else 1


def _tell_of_offsets(options: Namespace, offsets: Sequence[str]) -> None:
    """Say what to do where clocks were changed in the middle of a series: which zone that is, offsets do not say."""
    if len(offsets) > 1:
        said = ", ".join(offsets[:_SHOWN]) + (", ..." if len(offsets) > _SHOWN else "")
        hours = f"hours of its rhythm are counted in {options.timezone.key}"
        print(
            f"infertop: {shown(options.file)} has times of several offsets ({said}): {hours};"
            " --timezone names another place, as in --timezone Europe/Berlin",
            file=sys.stderr,
        )


class _Scores:
    """A line of `timestamp,value,score` for each point."""

    header = "timestamp,value,score"
    not_after = "they are scored in the file's order, as of the time before them"

    def __init__(self, zone: ZoneInfo) -> None:
        self._detector = Detector(zone)

    def of(self, point: Point) -> str:
        verdict = _judged(self._detector, point)
        timestamp = f'"{point.timestamp}"' if "," in point.timestamp else point.timestamp
        return f"{timestamp},{point.value!r},{verdict.score:.4f}\n"

    def end(self) -> str:
        return ""


class _Events:
    """A line for each incident, once it is over or the series is."""

    header = _EVENTS
    not_after = "they are left out"

    def __init__(self, threshold: float, zone: ZoneInfo) -> None:
        self._watched = Watched(Rule(score=threshold), zone)

    def of(self, point: Point) -> str:
        incident = self._watched.add(point.ts, point.value)
        return _told(incident) if incident and incident.until is not None else ""

    def end(self) -> str:
        return _told(self._watched.current) if self._watched.current else ""


def _judged(detector: Detector, point: Point) -> Verdict:
    verdict = detector.add(point.ts, point.value)
    assert verdict is not None, "a point is finite"
    return verdict


def _told(incident: Incident) -> str:
    until = "" if incident.until is None else _time(incident.until)
    figures = (incident.value, incident.expected, incident.peak, incident.excess)
    history = incident.history_seconds / HOUR
    numbers = ",".join(f"{figure:.6g}" for figure in figures)
    return f"{_time(incident.since)},{until},{incident.score:.2f},{incident.part},{numbers},{history:.3g}\n"


def _time(ts: float) -> str:
    return datetime.fromtimestamp(ts, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

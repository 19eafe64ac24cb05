"""`infertop backtest forecast`: what infertop would have said of each period's end, without looking ahead."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from infertop.commands.amounts import MOST_INTERVAL, Amounts
from infertop.commands.input_lines import Unreadable, line_batches, opened, shown
from infertop.commands.point_lines import PointLines
from infertop.commands.series_lines import LONGEST
from infertop.money.forecast.forecaster import Forecaster
from infertop.money.forecast.hours import HOUR, Hours, longest_hours
from infertop.money.periods import PeriodKind, period

_HEADER = "origin,end,spent,low,mid,high,truth"
_LEAST_KNOWN = 0.9  # of what is forecast: with less there is no truth to compare with
_MOST_BELOW_ZERO = 0.01  # of what is above: more is no spend with a few credits in it


def run(options: Namespace) -> int:
    """Write a line for each origin; status 1 where a line was no point, nothing can be read, or none be forecast."""
    lines = PointLines(options.file)
    try:
        with opened(options.file) as file:
            amounts = Amounts(each for some in lines.of(line_batches(file, options.file, LONGEST)) for each in some)
    except Unreadable as error:
        print(f"infertop: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(_HEADER + "\n")
    whole = lines.sum_up("they are put in order, and those of one time are added up")
    if not lines.taken:
        return 1
    why = _no_forecast(amounts, options.period)
    if not why:
        told = sum(map(sys.stdout.write, forecasts(amounts, PeriodKind(options.period), options.timezone)))
        why = "" if told else f"has no whole {options.period} with a day of history before an origin in it"
    if why:
        print(f"infertop: {shown(options.file)} {why}", file=sys.stderr)
    return 0 if whole and not why else 1


def _no_forecast(amounts: Amounts, kind: str) -> str:
    """Return what makes a series none that can be forecast, as the rest of a sentence; empty where nothing does."""
    if amounts.interval > MOST_INTERVAL:
        return f"has values further apart than a day: the end of a {kind} is forecast from hours or days"
    if amounts.below_zero > _MOST_BELOW_ZERO:
        share = f"{min(amounts.below_zero, 1):.0%}"
        return (
            f"has hours below 0 ({share} of what those above it come to): amounts that are spent can be forecast alone"
        )
    return ""


def forecasts(amounts: Amounts, kind: PeriodKind, zone: ZoneInfo) -> Iterator[str]:
    """Iterate over the lines of all origins in whole periods: each hour of a day, each day's first of longer ones."""
    forecaster = Forecaster(zone, longest_hours(kind))
    for hour in amounts.hours:
        origin = float((hour + 1) * HOUR)
        start, end = period(kind, origin, zone)
        if start < amounts.begin or end > amounts.end or origin <= start:
            continue
        if kind is not PeriodKind.DAY and origin - period(PeriodKind.DAY, origin, zone)[0] >= HOUR:
            continue
        if amounts.known(origin, end) < _LEAST_KNOWN:
            continue
        forecaster.take(Hours.of(amounts.before(hour + 1), hour + 1))
        found = forecaster.forecast(origin, end)
        if found is not None:
            spent = amounts.between(start, origin)
            figures = (spent, spent + found.low, spent + found.mid, spent + found.high, amounts.between(start, end))
            yield f"{_time(origin)},{_time(end)},{','.join(f'{each:.10g}' for each in figures)}\n"


def _time(ts: float) -> str:
    return datetime.fromtimestamp(ts, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

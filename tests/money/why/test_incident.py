"""Incidents are compared with windows of the past, and the factor that is unusual among them is named."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from infertop.money.why.incident import explain_incident
from infertop.money.why.unusual import LEAST_WINDOWS, unusual_factor
from infertop.money.why.usage import Usage
from infertop.money.why.windows import Span, windows_of
from tests.money.why.usages import Traffic, usage

HOUR, DAY = 3600.0, 86_400.0
SINCE = 30 * DAY + 9 * HOUR
BOTS = Traffic(key="bots")
At = Callable[[float], Usage]


def busy(ts: float) -> float:
    """Requests double at nine each day, and differ by half from hour to hour."""
    hour = ts % DAY / HOUR
    return (2000 if 9 <= hour < 18 else 1000) * (1 + 0.5 * math.sin(ts / HOUR * 2.3))


def reading(at: At) -> tuple[Callable[[Sequence[Span]], list[Usage]], list[Span]]:
    asked: list[Span] = []

    def read(spans: Sequence[Span]) -> list[Usage]:
        asked.extend(spans)
        return [at(span[0]) for span in spans]

    return read, asked


def with_fault(**changed: float) -> At:
    def at(ts: float) -> Usage:
        now = replace(BOTS, requests=busy(ts))
        return usage(replace(now, **changed) if ts >= SINCE else now)

    return at


@pytest.mark.parametrize(
    ("changed", "factor"),
    [
        ({"prompt": 3000.0}, "prompt_tokens"),
        ({"output": 450.0}, "output_tokens"),
        ({"hits": 0.0}, "cache_hit_rate"),
        ({"output_usd": 12.0}, "price"),
        ({"requests": 12_000.0}, "volume"),
    ],
)
def test_what_is_unusual_is_named_while_requests_double_as_they_do_each_day(
    changed: dict[str, float], factor: str
) -> None:
    read, _ = reading(with_fault(**changed))
    found = explain_incident(SINCE, SINCE + HOUR, read)
    assert found.why.cause is not None
    assert found.why.cause.factor == factor
    assert found.why.effects[0].factor == factor


def test_it_is_compared_with_the_time_right_before_where_little_else_changed() -> None:
    read, _ = reading(lambda ts: usage(replace(BOTS, prompt=4000 if ts >= SINCE else 2000)))
    assert explain_incident(SINCE, SINCE + HOUR, read).before == (SINCE - HOUR, SINCE)


@pytest.mark.parametrize(("beyond_usd", "before"), [(None, HOUR), (22.8, HOUR), (18.4, DAY), (1.0, HOUR)])
def test_it_is_compared_with_a_time_that_cost_what_was_expected(beyond_usd: float | None, before: float) -> None:
    def at(ts: float) -> Usage:
        # On other days twice as much is asked at this time as in the hour before, and today is no other.
        requests = 1400 if ts % DAY >= 9 * HOUR else 800
        return usage(replace(BOTS, requests=requests, prompt=8000 if ts >= SINCE else 2000))

    read, _ = reading(at)
    beyond_nano = None if beyond_usd is None else beyond_usd * 1e9
    found = explain_incident(SINCE, SINCE + HOUR, read, beyond_nano=beyond_nano)
    assert found.before == (SINCE - before, SINCE + HOUR - before)


def test_it_is_compared_with_a_day_that_was_like_it_where_the_time_right_before_was_not() -> None:
    def at(ts: float) -> Usage:
        requests = 5000 if ts % DAY >= 9 * HOUR else 100
        return usage(replace(BOTS, requests=requests, prompt=3000 if ts >= SINCE else 2000))

    read, _ = reading(at)
    found = explain_incident(SINCE, SINCE + HOUR, read)
    assert found.before == (SINCE - DAY, SINCE + HOUR - DAY)
    assert [each.factor for each in found.why.effects] == ["prompt_tokens"]


def test_of_a_scope_without_a_past_everything_is_new() -> None:
    read, _ = reading(lambda ts: usage(BOTS) if ts >= SINCE else Usage(()))
    found = explain_incident(SINCE, SINCE + HOUR, read)
    assert found.before == (SINCE - HOUR, SINCE)
    assert [each.factor for each in found.why.effects] == ["volume"]


def test_windows_that_were_hardly_recorded_are_not_compared_with() -> None:
    def at(ts: float) -> Usage:
        if ts >= SINCE:
            return usage(replace(BOTS, prompt=4000, requests=1100))
        whole = usage(BOTS) if ts % DAY == SINCE % DAY else usage(replace(BOTS, requests=9000))
        return whole if ts % DAY == SINCE % DAY else replace(whole, recorded=0.1)

    read, _ = reading(at)
    found = explain_incident(SINCE, SINCE + HOUR, read)
    assert found.before[0] % DAY == SINCE % DAY
    assert found.why.before_nano == usage(BOTS).nano_per_hour


@pytest.mark.parametrize(("lasts", "length"), [(60, 1800), (HOUR, HOUR), (2 * DAY, 6 * HOUR), (1801, 1860)])
def test_windows_of_the_past_are_as_long_as_the_incident_and_none_reaches_into_it(lasts: float, length: float) -> None:
    found = windows_of(SINCE, SINCE + lasts)
    assert found.after == (SINCE, SINCE + lasts)
    assert found.lately[0] == (SINCE - length, SINCE)
    for start, end in (*found.lately, *found.days):
        assert end - start == length
        assert end <= SINCE
    assert all((SINCE + lasts - end) % DAY == 0 for _, end in found.days)
    assert len(found.days) == (6 if lasts == 2 * DAY else 7)


def test_too_few_windows_name_nothing() -> None:
    moves = [{"price": 1.0}] * LEAST_WINDOWS
    assert unusual_factor(moves[:1], moves[:1]) == ""
    assert unusual_factor(moves, ()) == unusual_factor((), moves) == "price"


def test_a_fall_is_explained_by_what_fell() -> None:
    moves = [{"volume": 0.1, "price": -1.0}] * 4
    assert unusual_factor(moves, moves, rises=False) == "price"
    assert unusual_factor(moves, moves) == "volume"

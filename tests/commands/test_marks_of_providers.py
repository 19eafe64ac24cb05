"""Marks of what providers tell late: nothing is learned of a minute before it was told whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from infertop.commands.marks import USD, Marks
from infertop.history.summary import Minute, Summary, Totals
from infertop.readings.account import Account
from tests.commands.minutes_of_two import BEGIN, SCOPE_A, A, minute, steady, summary

GPT = ("openai", "gpt-4o")


def late(minutes: Sequence[Minute], whole: int, told_until: int | None = None, usd: float = 6.0) -> Summary:
    """Minutes of which a provider has told the first `whole` ones, and of the later ones a tenth so far."""
    nano = round(usd * 1e9 / 60)
    said = []
    for n, each in enumerate(minutes):
        part = nano if n < whole else nano // 10
        row = Totals({"input": 600, "requests": 3}, part, 0, {"input": part})
        said.append(replace(each, totals={**each.totals, GPT: row}, usd_nano=(each.usd_nano or 0) + part))
    until = BEGIN + 60.0 * (whole if told_until is None else told_until)
    told = {"openai": Account(complete_until=until)}
    return summary(said, accounts=told, ts=minutes[-1].start + 60.0)


def test_minutes_that_a_provider_has_not_told_whole_are_no_fall_and_are_looked_at_later() -> None:
    marks, minutes = Marks(2.0), steady(200)
    found = []
    for n in range(1, 200):
        first = max(0, n - 60)
        said = late(minutes[first:n], max(0, n - 10 - first), max(0, n - 10))
        found += marks.take(said)
    assert found == []
    of_gpt = marks.baselines.usual((("model", "gpt-4o"), ("source", "openai")), USD)
    in_all = marks.baselines.usual((), USD)
    assert of_gpt is not None
    assert (of_gpt.mean, of_gpt.minutes) == (pytest.approx(6.0), 189)
    assert in_all is not None
    assert (in_all.mean, in_all.minutes) == (pytest.approx(9.0), 189)


def test_a_provider_that_falls_silent_is_no_fall_and_others_are_still_marked() -> None:
    marks = Marks(2.0)
    minutes = [*steady(100), *(minute(n, usd=3.0) for n in range(100, 110))]
    found = []
    for n in range(1, 111):
        first, told = max(0, n - 60), max(0, min(n - 10, 80))
        found += marks.take(late(minutes[first:n], max(0, told - first), told))
    assert {change.mark.scope for change in found} == {SCOPE_A, (("model", "qwen"), ("source", "vllm@b:1"))}


def test_who_never_tells_in_time_is_left_out_of_what_is_usual_in_all() -> None:
    marks, minutes = Marks(2.0), steady(120)
    for n in range(1, 121):
        marks.take(late(minutes[max(0, n - 60) : n], 60, n - 120))
    usual = marks.baselines.usual((), USD)
    assert usual is not None
    assert (usual.mean, usual.minutes) == (pytest.approx(3.0), 120)


def test_the_end_of_an_earlier_run_is_not_learned_of_providers_before_they_told_it() -> None:
    marks, minutes = Marks(2.0), steady(120)
    marks.load(late(minutes, 110).minutes, told_until=BEGIN + 60.0 * 80)
    usual = marks.baselines.usual((), USD)
    assert usual is not None
    assert (usual.mean, usual.minutes) == (pytest.approx(9.0), 80)
    assert marks.take(late(minutes[60:], 50, 110)) == []
    later = marks.baselines.usual((), USD)
    assert later is not None
    assert (later.mean, later.minutes) == (pytest.approx(9.0), 110)


def test_what_providers_tell_of_times_that_nobody_recorded_is_usual_too_and_the_total_is_not() -> None:
    marks = Marks(2.0)
    nano = 10**8
    told = Totals({"input": 600, "requests": 3}, nano, 0, {"input": nano})
    marks.load(Minute(BEGIN + 60 * n, 0, {GPT: told, A: Totals({"gpu_busy": 1}, nano)}, 2 * nano) for n in range(100))
    of_gpt = marks.baselines.usual((("model", "gpt-4o"), ("source", "openai")), USD)
    assert of_gpt is not None
    assert (of_gpt.mean, of_gpt.minutes) == (pytest.approx(6.0), 100)
    assert marks.baselines.usual(SCOPE_A, USD) is None
    assert marks.baselines.usual((), USD) is None


def test_the_mean_of_an_hour_is_learned_from_by_no_mark() -> None:
    marks = Marks(2.0)
    row = Totals({"input": 600, "requests": 3}, 10**8, 0, {"input": 10**8})
    minutes = [replace(minute(n), totals={**minute(n).totals, GPT: row}, spread=frozenset({GPT})) for n in range(100)]
    marks.load(minutes)
    assert marks.baselines.usual((("model", "gpt-4o"), ("source", "openai")), USD) is None
    assert marks.baselines.usual((), USD) is None
    of_a = marks.baselines.usual(SCOPE_A, USD)
    assert of_a is not None
    assert of_a.minutes == 100

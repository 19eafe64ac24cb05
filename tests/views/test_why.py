"""Comparisons as screens and events have them: one sentence, and effects that sum to the change."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from infertop.money.baseline import Scope
from infertop.money.lines import NANO
from infertop.money.why.factors import FACTORS
from infertop.money.why.usage import Usage, UsageLine
from infertop.views.event_shapes import Comparison, Event, content_of, event_of
from infertop.views.why import comparison, unknown
from infertop.views.why_explained import NAMES, formula
from infertop.views.why_incident import incident_comparison
from infertop.views.why_words import figure, percent, signed_usd, times, usd
from tests.money.why.usages import Traffic, gpus, usage

BEFORE, AFTER = (0.0, 3600.0), (3600.0, 7200.0)
BOTS = Traffic(key="bots")
DESK = Traffic(key="desk")
OWN = Traffic(model="llama", provider="local", key="")


def compared(before: Usage, after: Usage, since: str = "", scope: Scope = ()) -> Comparison:
    return comparison(scope, BEFORE, AFTER, before, after, since)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            usage(BOTS, replace(DESK, model="mini", prompt=50)),
            usage(replace(BOTS, prompt=5000, requests=1200), replace(DESK, model="mini", prompt=50)),
            "1.9x: prompt tokens per request on gpt-4o 2,000 -> 5,000 is 78 % of it; since 14:05; +$7.30/h of +$9.35/h",
        ),
        (
            usage(BOTS, DESK),
            usage(replace(BOTS, requests=100), DESK),
            "0.55x: requests by key bots 1,000 -> 100/h with share of clients is 100 % of it; since 14:05; -$6.64/h",
        ),
        (
            usage(DESK),
            usage(BOTS, DESK),
            "2x: key bots, new (0 -> 1,000 requests/h), is 100 % of it; since 14:05; +$7.38/h",
        ),
        (
            usage(DESK),
            usage(replace(DESK, output_usd=20)),
            "1.4x: price of output on gpt-4o $10.00 -> $20.00/1M is 100 % of it; since 14:05; +$3.00/h",
        ),
        (
            usage(OWN, more=gpus(2, 0.8)),
            usage(OWN, more=gpus(4, 0.4)),
            "2x: GPU count on H100 2 -> 4 is 100 % of it; since 14:05; +$6.00/h",
        ),
        (usage(DESK), usage(DESK), "unchanged at $7.38/h; since 14:05"),
        (usage(), usage(DESK), "new: requests 0 -> 1,000/h is 100 % of it; since 14:05; +$7.38/h"),
        (
            usage(BOTS),
            usage(replace(BOTS, prompt=2010, output=299)),
            "about the same at $7.39/h; since 14:05",
        ),
        (
            usage(replace(DESK, requests=1)),
            usage(replace(DESK, requests=2)),
            "about the same at $0.015/h; since 14:05",
        ),
        (
            usage(BOTS),
            usage(replace(BOTS, prompt=4000, requests=632)),
            "about the same: prompt tokens per request on gpt-4o 2,000 -> 4,000 adds $3.42/h, all else saves $3.37/h;"
            " since 14:05; +$0.051/h",
        ),
        (
            usage(BOTS),
            usage(replace(BOTS, prompt=6000, requests=700)),
            "1.5x: prompt tokens per request on gpt-4o 2,000 -> 6,000 adds $7.13/h, all else saves $3.21/h;"
            " since 14:05; +$3.91/h",
        ),
        (Usage((), recorded=0.0), Usage((), recorded=0.0), "nothing was recorded or reported of either window"),
        (
            Usage((), recorded=0.0),
            usage(DESK),
            "nothing was recorded or reported of the first window: there is nothing to compare with",
        ),
        (
            usage(DESK),
            Usage((), recorded=0.0),
            "nothing was recorded or reported of the second window: there is nothing to compare with",
        ),
    ],
)
def test_one_sentence_says_what_changed_and_by_how_many_dollars(before: Usage, after: Usage, sentence: str) -> None:
    assert compared(before, after, "14:05").sentence == sentence


def test_the_effects_in_dollars_sum_to_the_change_to_the_last_unit() -> None:
    found = compared(usage(BOTS, DESK), usage(replace(BOTS, prompt=2222, output=777, requests=1313), DESK))
    assert found.before_usd_per_hour is not None
    assert found.after_usd_per_hour is not None
    change = round((found.after_usd_per_hour - found.before_usd_per_hour) * NANO)
    assert sum(round(each.usd_per_hour * NANO) for each in found.effects) == change


def test_what_a_scope_sets_is_no_dimension_to_look_in() -> None:
    found = compared(usage(BOTS), usage(replace(BOTS, prompt=4000)), scope=(("key", "bots"), ("model", "gpt-4o")))
    assert (found.by, found.scope) == ("source", {"key": "bots", "model": "gpt-4o"})


def test_a_comparison_goes_into_an_event_and_comes_back() -> None:
    found = compared(usage(BOTS, DESK), usage(replace(BOTS, prompt=4000), DESK), "14:05")
    event = Event(1.0, "warn", "incident", "x", why=found)
    assert event_of(json.loads(json.dumps(content_of(event)))) == event


def test_names_from_outside_cannot_steer_a_terminal() -> None:
    evil = replace(BOTS, key="a\x1b[31m", model="b\x1b]0;x\x07")
    found = compared(usage(DESK), usage(evil, DESK))
    assert "\x1b" not in found.sentence
    assert all("\x1b" not in each.of for each in found.effects)


def test_an_unreadable_history_is_a_flag_and_a_sentence() -> None:
    found = unknown((("key", "a"),), BEFORE, AFTER, "the history cannot be read")
    assert (found.sentence, found.flags) == ("the history cannot be read", ("the history cannot be read",))
    assert (found.before_usd_per_hour, found.effects) == (None, ())


def test_an_incident_while_everything_else_falls_says_so() -> None:
    def at(start: float) -> Usage:
        after = start >= 30 * 86_400
        return usage(replace(BOTS, requests=500 if after else 1000, prompt=3000 if after else 2000))

    since = 30 * 86_400.0
    found = incident_comparison((), since, since + 3600, lambda spans: [at(a) for a, _ in spans], ZoneInfo("UTC"))
    assert found.sentence == (
        "prompt tokens per request on gpt-4o 2,000 -> 3,000 adds $1.54/h; since 00:00; all else saves $4.14/h:"
        " 0.65x that of the 60 min before"
    )


@pytest.mark.parametrize(("steady", "than"), [(True, "the 60 min before"), (False, "Jan 31 22:00 to 23:00")])
def test_an_incidents_cause_says_with_which_time_it_is_compared(steady: bool, than: str) -> None:
    since = 31 * 86_400.0

    def at(start: float) -> Usage:
        longer = 5000 if start >= since else 2000
        # Right before it hardly anybody asked: what is like it but for its prompts is the hour before that.
        asked = 1000 if steady or not since - 3600 <= start < since else 30
        return usage(replace(BOTS, requests=asked, prompt=longer))

    found = incident_comparison((), since, since + 3600, lambda spans: [at(a) for a, _ in spans], ZoneInfo("UTC"))
    assert re.match(rf"[0-9.]+x that of {than}: prompt tokens per request on gpt-4o 2,000 -> 5,000 is ", found.sentence)


def test_an_incident_that_nothing_costs_more_in_says_that_it_costs_no_more() -> None:
    def at(start: float) -> Usage:
        return usage(replace(BOTS, requests=500 if start >= 30 * 86_400 else 1000))

    since = 30 * 86_400.0
    found = incident_comparison((), since, since + 3600, lambda spans: [at(a) for a, _ in spans], ZoneInfo("UTC"))
    assert found.sentence == "no more than in the 60 min before; since 00:00; 0.5x, -$3.69/h"


def test_every_factor_has_a_name_and_a_formula() -> None:
    assert set(NAMES) == set(FACTORS)
    assert all(formula(factor) for factor in FACTORS)
    assert formula("no such factor") == ()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (figure(None, "ratio"), "none"),
        (figure(0.034, "ratio"), "3.4 %"),
        (figure(12_345.0, "requests/h"), "12,345"),
        (figure(2.5, "GPUs"), "2.5"),
        (percent(-0.2), "-20 %"),
        (usd(0), "$0.00"),
        (usd(-12_345.6), "-$12,346"),
        (usd(0.0042), "$0.0042"),
        (usd(0.9), "$0.90"),
        (usd(0.0000042), "$4.2e-06"),
        (signed_usd(3.98), "+$3.98"),
        (times(0, 1), "new"),
        (times(0, 0), "unchanged"),
        (times(1, 0), "gone"),
        (times(1, 150), "150x"),
        (times(1, 12.34), "12.3x"),
    ],
)
def test_figures_are_short(said: str, expected: str) -> None:
    assert said == expected


def test_an_adjustment_below_nothing_is_told_with_its_sign() -> None:
    credit = UsageLine({"source": "openai", "provider": "openai"}, "adjustment", 0.0, -10 * NANO)
    assert compared(usage(DESK), usage(DESK, more=[credit])).sentence == (
        "$7.38 -> -$2.62/h: adjustments of bills on openai is 100 % of it; -$10.00/h"
    )

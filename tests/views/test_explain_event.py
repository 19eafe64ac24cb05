"""? on an event: what an incident's figures are made of, the past that they stand on, and what made it one."""

from __future__ import annotations

from dataclasses import replace

from infertop.views.explain_event import event_figures
from infertop.views.facts import Facts
from infertop.views.shapes import Event
from tests.views.explaining import explain
from tests.views.world import World

INCIDENT = Event(
    1000.0, "warn", "incident", "x", {"key": "prod"}, "usd_per_hour", 12.5, 4.0, key="incident a", state="open",
    excess_usd=4.25, excess_usd_per_hour=8.5, history_seconds=7 * 86400.0,
)  # fmt: skip


def facts(*events: Event) -> Facts:
    made = World().facts()
    return replace(made, past=replace(made.past, events=events), now=4600.0)


def test_an_incident_is_explained_by_its_figures_its_past_and_the_rule() -> None:
    lines = explain(facts(INCIDENT), "events", "incident a", "text").lines
    assert lines[:3] == (
        "key prod: $/hour",
        "value / expected = 12.5 / 4 = 3.125 times",
        "expected: from 7 days of its own past: the hours just before, this one on other days",
    )
    assert any(line.startswith("  $1 at stake") for line in lines)
    assert any("for 60 min" in line for line in lines)
    assert explain(facts(INCIDENT), "events", "incident a", "excess_usd").lines == (
        "the sum over its minutes of (value - expected), in $/h, x hours",
        "it adds 8.5 USD/h now",
    )
    assert explain(facts(INCIDENT), "events", "incident a", "lasted").lines[0].startswith("60 min so far")


def test_other_events_say_what_they_are_and_one_that_is_gone_nothing() -> None:
    mark = Event(1.0, "warn", "mark", "a\x1b[31m: dear", key="mark a")
    lines = event_figures(facts(mark), "mark a")["text"].lines
    assert "\x1b" not in lines[0]
    assert lines[1].startswith("further from the mean of its last week than [alert] sigma")
    assert event_figures(facts(), "mark a") == {}

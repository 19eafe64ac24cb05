"""Events are read back as they were stored."""

from __future__ import annotations

import json

import pytest

from infertop.views.event_shapes import OPEN, Change, Comparison, Effect, Event, content_of, event_of

WHY = Comparison(
    scope={"model": "gpt-4o"},
    before=(0.0, 3600.0),
    after=(3600.0, 7200.0),
    before_usd_per_hour=4.8,
    after_usd_per_hour=12.53,
    effects=(Effect("prompt tokens/request", 3.98, "gpt-4o", 2000.0, 4300.0), Effect("volume", 3.75)),
    by="key",
    changes=(Change("prod", 4.0, 12.0), Change("new", None, 0.53)),
    sentence="2.6x: prompt tokens per request",
    flags=("recorded in part",),
)
INCIDENT = Event(
    7200.0, "warn", "incident", "gpt-4o", {"model": "gpt-4o"}, "usd_per_hour", 12.53, 4.8, why=WHY, state=OPEN
)


@pytest.mark.parametrize("event", [Event(1.0, "info", "restart", "was restarted"), INCIDENT])
def test_an_event_comes_back_from_the_history_as_it_was_kept(event: Event) -> None:
    assert event_of(json.loads(json.dumps(content_of(event)))) == event


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"ts": 1.0, "surprise": 2},
        {**content_of(INCIDENT), "why": 7},
        {**content_of(INCIDENT), "why": {"effects": 1}},
    ],
)
def test_what_is_no_event_of_this_version_is_left_out(content: dict[str, object]) -> None:
    assert event_of(content) is None

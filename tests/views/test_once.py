"""One reading for scripts is what `infertop schema` says, whatever the views hold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from infertop.views.once import number, reading, timestamp
from infertop.views.overview import overview
from infertop.views.schema import schema
from infertop.views.shapes import BudgetRow, Event, Headline, Overview
from tests.money.tape import START
from tests.views.random_views import views
from tests.views.test_costs import SHARED, lived, worlds
from tests.views.world import World

VALIDATOR = jsonschema.Draft202012Validator(schema())


def read(view: Overview) -> Any:
    """What a script reads: the text of the command, parsed again."""
    return json.loads(json.dumps(reading(view), allow_nan=False))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@settings(deadline=None, max_examples=150)
@given(views)
def test_any_view_gives_json_that_the_schema_describes(view: Overview) -> None:
    VALIDATOR.validate(read(view))


@settings(deadline=None, max_examples=30)
@given(worlds)
def test_so_does_what_real_polls_give(made: dict[str, Any]) -> None:
    VALIDATOR.validate(read(overview(lived(made, 5).facts())))


def test_nothing_known_is_all_null() -> None:
    said = read(overview(World().facts()))
    VALIDATOR.validate(said)
    assert set(said["usd_per_hour"].values()) == {None}
    assert (said["models"], said["gpus"], said["demo"]) == ([], [], False)


def test_figures_are_those_of_the_view_in_base_units() -> None:
    view = overview(lived({**SHARED, "book": 0}, 30).facts())
    said = read(view)
    assert said["at"] == timestamp(START + 30)
    assert said["window_seconds"] == 30.0
    assert said["usd_per_hour"]["total"] == pytest.approx(view.headline.usd_per_hour)
    assert [each["model"] for each in said["models"]] == [each.model for each in view.models]
    assert [each["usd_per_hour"] for each in said["models"]] == pytest.approx(
        [each.usd_per_hour for each in view.models]
    )
    first = said["models"][0]
    assert first["allocation"] == "all_in"
    assert set(first["seconds"]) == {"ttft", "inter_token", "request", "queue"}
    assert said["gpus"][0]["index"] == 0
    assert said["gpus"][0]["price_source"] == "pricing.toml:2"


def test_an_anomaly_is_a_mark_that_lasts() -> None:
    lasting = Event(60.0, "warn", "mark", "x", {"model": "a"}, "usd_per_hour", 9.1, 3.0, None, "")
    events = (lasting, Event(0.0, "info", "mark", "over", until=1.0), Event(0.0, "warn", "budget", "no mark"))
    view = Overview(0.0, "UTC", "h", "demo", 1.0, 1.0, Headline(*[None] * 6), (), (), (), (), events)
    said = read(view)
    assert said["demo"] is True
    assert said["anomalies"] == [
        {
            "scope": {"model": "a"},
            "metric": "usd_per_hour",
            "value": 9.1,
            "expected": 3.0,
            "since": "1970-01-01T00:01:00Z",
            "cause": None,
            "excess_usd": None,
            "excess_usd_per_hour": None,
            "state": None,
        }
    ]


def test_incidents_that_last_come_first_the_dearest_first_with_what_they_came_to() -> None:
    mark = Event(60.0, "warn", "mark", "x", {"model": "a"}, "usd_per_hour", 9.1, 3.0)
    small = replace(mark, kind="incident", cause="2x: more", state="open", excess_usd=1.5, excess_usd_per_hour=6.1)
    large = replace(small, scope={"key": "k"}, state="acknowledged", excess_usd_per_hour=60.0)
    closed = replace(large, until=90.0, state="closed", excess_usd_per_hour=None)
    view = Overview(0.0, "UTC", "h", "", 1.0, 1.0, Headline(*[None] * 6), (), (), (), (), (mark, closed, small, large))
    said = read(view)["anomalies"]
    assert [(each["scope"], each["state"], each["excess_usd"], each["excess_usd_per_hour"]) for each in said] == [
        ({"key": "k"}, "acknowledged", 1.5, 60.0),
        ({"model": "a"}, "open", 1.5, 6.1),
        ({"model": "a"}, None, None, None),
    ]
    assert said[1]["cause"] == "2x: more"


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, None), (float("nan"), None), (float("inf"), None), (0.1 + 0.2, 0.3), (1e-9, 1e-9), (-2.5, -2.5), (3, 3.0)],
)
def test_numbers_are_plain(value: float | None, said: float | None) -> None:
    assert number(value) == said


@pytest.mark.parametrize(
    ("ts", "said"),
    [(None, None), (float("nan"), None), (1e18, None), (-1e18, None), (0.9, "1970-01-01T00:00:00Z")],
)
def test_a_time_that_is_none_is_null(ts: float | None, said: str | None) -> None:
    assert timestamp(ts) == said


def test_whose_count_a_budgets_spend_is_can_be_read() -> None:
    own = BudgetRow("limit", "day", 4.0, 3.5, 0.875, None, (None, None, None), None, "75%", 60.0, origin="openai")
    ours = replace(own, name="team", origin="", own_count=False)
    view = Overview(0.0, "UTC", "h", "live", 1.0, 1.0, Headline(*[None] * 6), (), (), (), (), ())
    said = read(replace(view, budgets=(replace(own, own_count=True), ours)))
    VALIDATOR.validate(said)
    assert [(each["name"], each["own_count"]) for each in said["budgets"]] == [("limit", True), ("team", False)]

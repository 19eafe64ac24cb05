"""What an alert says: complete, fit for JSON, and as its schema says, whatever an event has in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop import __version__
from infertop.alerts.form import alert_of, summary_id, summary_of, trial
from infertop.alerts.schema import ALERT
from tests.alerts.events import CAUSE, KEY, TS, alert, budget, event

VALIDATOR = jsonschema.Draft202012Validator(ALERT, format_checker=jsonschema.FormatChecker())


def valid(said: Any) -> Any:
    VALIDATOR.validate(json.loads(json.dumps(said, allow_nan=False)))
    return said


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(ALERT)


def test_an_incident_is_told_with_its_figures_its_cause_and_what_changed() -> None:
    said = valid(alert())
    assert (said["status"], said["severity"], said["kind"]) == ("firing", "critical", "incident")
    assert said["summary"] == "gpt-4o: 6.48 $/h, 2.50 expected"
    assert said["scope"] == {"model": "gpt-4o"}
    assert (said["value"], said["expected"], said["excess_usd"]) == (6.48, 2.5, 0.66)
    assert (said["since"], said["until"], said["ends_at"]) == ("2026-09-21T14:13:20.000Z", None, None)
    assert said["cause"] == CAUSE
    assert [each["usd_per_hour"] for each in said["effects"]] == [0.9, 2.03, -0.05, 1.1]
    assert (said["host"], said["version"]) == ("gpubox", __version__)


def test_its_end_is_told_as_the_same_incident_with_an_id_of_its_own() -> None:
    opened, closed = alert(), valid(alert("closed", state="closed", until=TS + 900))
    assert (closed["status"], closed["until"]) == ("resolved", "2026-09-21T14:28:20.000Z")
    assert opened["incident"] == closed["incident"]
    assert opened["id"] != closed["id"]


def test_ids_are_the_same_each_time_and_differ_by_event_and_machine() -> None:
    assert alert()["id"] == alert(text="other words, later")["id"]
    others = [alert_of("another", event(), "opened", "gpubox"), alert_of(KEY, event(), "opened", "other")]
    assert len({alert()["id"], *(each["id"] for each in others)}) == 3
    assert all(each["id"].isascii() and " " not in each["id"] for each in others)


def test_a_budget_says_when_its_period_ends() -> None:
    said = valid(alert_of("budget all 0 80%", budget(), "opened", "h", TS + 3600))
    assert (said["severity"], said["ends_at"], said["effects"]) == ("warning", "2026-09-21T15:13:20.000Z", [])


def test_a_trial_says_that_it_is_one() -> None:
    said = valid(trial(TS, "h"))
    assert (said["kind"], said["severity"]) == ("test", "info")


def test_a_summary_has_all_that_it_sums_up() -> None:
    parts = [alert(), alert("closed", state="closed", until=TS + 9), alert_of("b", budget(), "opened", "h")]
    said = valid(summary_of("summary-1", parts))
    assert said["alerts"] == parts
    assert (said["id"], said["kind"], said["status"], said["severity"]) == (
        "summary-1",
        "summary",
        "firing",
        "critical",
    )
    assert said["summary"] == "3 more alerts, summed up to keep to the limit an hour: 2 began, 1 ended"
    assert valid(summary_of("s", parts[1:2]))["status"] == "resolved"
    assert summary_id(["a", "b"]) == summary_id(["a", "b"]) != summary_id(["a", "c"])


def test_the_example_of_the_readme_is_one() -> None:
    text = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(\{[^`]*\"alerts\": \[\]\})\n```", text)
    assert valid(json.loads(example)).keys() == alert().keys()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*event(), "extra"])


@given(st.dictionaries(FIELDS, ANYTHING, max_size=20), st.sampled_from(["opened", "closed"]))
def test_whatever_an_event_has_in_it_the_alert_is_one(said: dict[str, Any], stage: str) -> None:
    valid(alert_of("k", said, stage, "h"))


@pytest.mark.parametrize("text", ["a\x1b]0;x\x07b", "a\u202eb", "\ud800", "x" * 5000])
def test_what_an_alert_says_prints_and_is_short(text: str) -> None:
    said = valid(alert(text=text, cause=text, scope={text: text}, kind=text))
    for each in (said["summary"], said["cause"], *said["scope"], *said["scope"].values(), said["kind"]):
        assert each.isprintable()
        assert len(each) <= 1000

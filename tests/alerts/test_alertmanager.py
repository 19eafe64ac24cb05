"""The body for Alertmanager: labels that stay the same from beginning to end, and an end that comes by itself."""

from __future__ import annotations

import re

import pytest

from infertop.alerts.alertmanager import again, alerts
from infertop.alerts.form import alert_of, moment, summary_of
from tests.alerts.events import KEY, TS, alert, budget, event


def test_what_fires_lasts_as_long_as_alertmanager_waits_and_is_said_again() -> None:
    (said,) = alerts(alert(), TS + 10)
    assert said["labels"] == {
        "alertname": "InfertopIncident", "instance": "gpubox", "job": "infertop", "severity": "critical",
        "incident": alert()["incident"], "metric": "usd_per_hour", "model": "gpt-4o",
    }  # fmt: skip
    assert (said["startsAt"], said["endsAt"]) == (moment(TS), moment(TS + 310))
    (later,) = again([alert()], TS + 500)
    assert (later["labels"], later["endsAt"]) == (said["labels"], moment(TS + 800))


def test_its_end_has_the_same_labels_and_a_time_that_is_past() -> None:
    (opened,), (closed,) = alerts(alert(), TS), alerts(alert("closed", state="closed", until=TS + 900), TS + 960)
    assert closed["labels"] == opened["labels"]
    assert (closed["startsAt"], closed["endsAt"]) == (moment(TS), moment(TS + 900))


def test_a_budget_lasts_until_its_period_ends_and_is_told_even_when_that_is_over() -> None:
    said = alert_of("b", budget(), "opened", "h", TS + 3600)
    assert alerts(said, TS)[0]["endsAt"] == moment(TS + 3600)
    assert alerts(said, TS + 7200)[0]["endsAt"] == moment(TS + 7500)
    assert alerts(said, TS)[0]["labels"]["alertname"] == "InfertopBudget"


def test_a_summary_is_all_of_its_alerts() -> None:
    parts = [alert(), alert_of("b", budget(), "opened", "h", TS + 3600)]
    assert alerts(summary_of("s", parts), TS) == [*alerts(parts[0], TS), *alerts(parts[1], TS)]


@pytest.mark.parametrize("name", ["", "1st", "a-b c", "ü", "alertname", "__x", "severity"])
def test_any_dimension_is_a_label_that_alertmanager_takes_and_none_takes_anothers_place(name: str) -> None:
    (said,) = alerts(alert_of(KEY, event(scope={name: "x", "empty": ""}), "opened", "h"), TS)
    labels = said["labels"]
    assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", each) and value for each, value in labels.items())
    assert (labels["alertname"], labels["severity"]) == ("InfertopIncident", "critical")

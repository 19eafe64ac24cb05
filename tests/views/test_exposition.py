"""The text of the exporter's page, read back by prometheus_client."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
from prometheus_client.parser import text_string_to_metric_families as older

from infertop.views.exposition import OPENMETRICS, TEXT, Family, clean, page

# What prometheus_client's older parser cannot tell apart in a label's value, though Prometheus itself can.
_names = st.text(max_size=40)


def models(*names: str) -> Family:
    family = Family("infertop_usd_per_hour", "gauge", "A gauge.", "usd_per_hour")
    for number, name in enumerate(names):
        family.add(float(number), model=name)
    return family


def read(families: Iterable[Family], form: str = OPENMETRICS) -> list[Metric]:
    text = page(families, form).decode()
    return list(strict(text) if form is OPENMETRICS else older(text))


@given(st.lists(_names, max_size=5, unique_by=clean))
@example(['a"b', "a\\b", "a\nb", "a\\nb", '\\"', "\\", '"} 1\n# EOF\n', "{", "#", " ", "", "\u2028", "\r\x0b\x1c\x85"])
def test_names_of_models_are_read_back_as_they_were_sent(names: list[str]) -> None:
    (family,) = read([models(*names)])
    assert [(each.labels["model"], each.value) for each in family.samples] == [
        (clean(name), float(number)) for number, name in enumerate(names)
    ]


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a\\nb", '\\"', "\\", "ü", "x} 1", "a,b", "a=b"])
def test_the_older_form_has_the_same_names(name: str) -> None:
    (family,) = read([models(name)], TEXT)
    assert [(each.name, each.labels["model"]) for each in family.samples] == [("infertop_usd_per_hour", name)]


@pytest.mark.parametrize("name", ["a\x00b", "a\x1bb", "a\x9bb", "a\rb", "a\x7fb", "a\ud800b"])
def test_what_no_reader_and_no_terminal_can_take_is_replaced(name: str) -> None:
    assert clean(name) == "a\ufffdb"


@given(_names)
def test_a_page_is_one_line_a_sample_and_utf8(name: str) -> None:
    lines = page([models(name)], OPENMETRICS).decode("utf-8").split("\n")
    assert [line.partition(" ")[0] for line in lines[:3]] == ["#", "#", "#"]
    assert (len(lines), lines[-2:]) == (6, ["# EOF", ""])


def test_each_form_declares_kinds_units_and_its_end_in_its_own_way() -> None:
    cost = Family("infertop_cost_usd", "counter", "Spent.", "usd")
    cost.add(3, model="m")
    build = Family("infertop_build", "info", "The version.")
    build.add(1, version="1.0")
    assert page([cost, build], OPENMETRICS).decode() == (
        "# TYPE infertop_cost_usd counter\n"
        "# UNIT infertop_cost_usd usd\n"
        "# HELP infertop_cost_usd Spent.\n"
        'infertop_cost_usd_total{model="m"} 3\n'
        "# TYPE infertop_build info\n"
        "# HELP infertop_build The version.\n"
        'infertop_build_info{version="1.0"} 1\n'
        "# EOF\n"
    )
    assert page([cost, build], TEXT).decode() == (
        "# TYPE infertop_cost_usd_total counter\n"
        "# HELP infertop_cost_usd_total Spent.\n"
        'infertop_cost_usd_total{model="m"} 3\n'
        "# TYPE infertop_build_info gauge\n"
        "# HELP infertop_build_info The version.\n"
        'infertop_build_info{version="1.0"} 1\n'
    )
    for form in (OPENMETRICS, TEXT):
        assert [sample.value for family in read([cost, build], form) for sample in family.samples] == [3, 1]


def test_what_is_unknown_has_no_sample_and_a_series_is_there_once() -> None:
    family = models("m")
    family.add(None, model="unknown")
    family.add(7.0, model="m")
    assert [(each.labels, each.value) for each in read([family])[0].samples] == [({"model": "m"}, 0.0)]

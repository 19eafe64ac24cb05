"""The alerting rules and the dashboard in contrib/ ask for what the exporter serves, and for nothing else."""

import json
import re
from pathlib import Path

import pytest

from infertop.history.counted import Counted
from infertop.money.overlap import all_count
from infertop.views.exported import Exported
from infertop.views.exposition import TEXT, page
from tests.tui.sample import RICH

CONTRIB = Path(__file__).parent.parent / "contrib"
RULES, BOARD = CONTRIB / "prometheus-alerts.yml", CONTRIB / "grafana-dashboard.json"
METRIC = re.compile(r"\binfertop_[a-z0-9_]+\b")


@pytest.fixture(scope="module")
def served():
    families = Exported("1").families(RICH, Counted(), all_count, recording=True)
    return set(re.findall(r"^# TYPE (\S+)", page(families, TEXT).decode(), re.MULTILINE))


@pytest.mark.parametrize("path", [RULES, BOARD])
def test_every_metric_that_is_asked_for_is_served(path, served):
    asked = set(METRIC.findall(path.read_text("utf-8")))
    assert len(asked) > 5
    assert asked <= served


def test_every_metric_that_is_served_is_used_or_stands_beside_one_that_is(served):
    asked = set(METRIC.findall(RULES.read_text("utf-8") + BOARD.read_text("utf-8")))
    apart = {name for name in served if "_attributed_" in name}
    assert served - asked - apart == {"infertop_ledger_closed_timestamp_seconds", "infertop_series_folded"}


def test_the_dashboard_is_one_that_grafana_can_lay_out():
    panels = json.loads(BOARD.read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not taken & cells
        taken |= cells
        assert all(target["expr"] for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_every_rule_says_what_is_wrong_and_how_bad_it_is():
    text = RULES.read_text("utf-8")
    rules = text.split("- alert: ")[1:]
    assert rules
    for rule in rules:
        assert re.search(r"^        expr: \S", rule, re.MULTILINE)
        assert re.search(r"severity: (info|warning|critical)", rule)
        assert "summary: " in rule

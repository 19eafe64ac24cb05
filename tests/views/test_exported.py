"""What is on the exporter's page, read by prometheus_client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from infertop.history.counted import Counted, Place, Used
from infertop.money.overlap import all_count
from infertop.views.exported import MOST_PLACES, Exported
from infertop.views.exposition import OPENMETRICS, clean, page
from infertop.views.shapes import DeploymentRow, Event, Overview
from tests.tui import sample

A: Place = ("vllm@127.0.0.1:8000", "local", "llama")
PROXY: Place = ("proxy", "litellm", "gpt-4o")
Values = Mapping[frozenset[tuple[str, str]], float]


def served(
    view: Overview = sample.RICH, places: Mapping[Place, Used] | None = None, exported: Exported | None = None
) -> dict[str, Values]:
    """The samples of a page by their name; every series is there once."""
    families = (exported or Exported("1.2.3")).families(
        view, Counted(60, places or {}), lambda source, _provider, _model: source != "proxy", recording=True
    )
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(page(families, OPENMETRICS).decode()):
        assert family.documentation
        for each in family.samples:
            labels = frozenset(each.labels.items())
            assert labels not in found.setdefault(each.name, {})
            found[each.name][labels] = each.value
    return found


def value(samples: Values, **labels: str) -> float:
    (found,) = [value for key, value in samples.items() if key >= labels.items()]
    return found


def test_hourly_figures_are_those_of_the_overview() -> None:
    found, head = served(), sample.RICH.headline
    for kind in ("gpu", "host", "api", "idle", "unheld"):
        told = getattr(head, f"{kind}_usd_per_hour")
        assert list(found.get(f"infertop_{kind}_usd_per_hour", {}).values()) == ([] if told is None else [told])
    assert list(found["infertop_total_usd_per_hour"].values()) == [head.usd_per_hour]
    assert sorted(found["infertop_usd_per_hour"].values()) == sorted(
        each.usd_per_hour for each in sample.MODELS if each.usd_per_hour is not None
    )


def test_tokens_a_second_are_those_of_every_row_that_counts_of_engines_and_of_apis_alike() -> None:
    engine = next(each for each in sample.MODELS if each.provider == "local")
    api = next(each for each in sample.MODELS if each.provider != "local")
    api = replace(api, tokens_per_second={"input": 7.5, "output": 0.0, "cache_read": None, "nonsense": 3.0})
    apart = replace(api, source="log", counts=False)
    found = served(replace(sample.RICH, models=(engine, api, apart)))["infertop_tokens_per_second"]
    of_api = {dict(key)["class"]: rate for key, rate in found.items() if dict(key)["source"] == api.source}
    assert of_api == {"input": 7.5, "output": 0.0}
    of_engine = {dict(key)["class"]: rate for key, rate in found.items() if dict(key)["source"] == engine.source}
    assert of_engine == pytest.approx(engine.tokens_per_second)
    assert len(found) == 5


def test_the_share_that_nobody_is_given_is_told_for_each_dimension_that_is_given() -> None:
    shares = (("team", 0.25), ("environment", 1.0))
    found = served(replace(sample.RICH, unassigned=shares))["infertop_unassigned_ratio"]
    assert {dict(labels)["dimension"]: share for labels, share in found.items()} == dict(shares)


def test_what_is_unknown_is_not_there_and_never_zero() -> None:
    found = served(sample.EMPTY, {A: Used()})
    assert set(found) == {
        "infertop_recording",
        "infertop_ledger_closed_timestamp_seconds",
        "infertop_series_folded",
        "infertop_build_info",
    }


def test_counters_are_the_ledgers_sums_to_the_last_unit() -> None:
    used = Used(12, {"input": 5, "output": 7}, 1_234_567_890_123, None)
    families = Exported("1").families(sample.EMPTY, Counted(60, {A: used}), all_count, recording=True)
    text = page(families, OPENMETRICS).decode()
    labels = 'source="vllm@127.0.0.1:8000",provider="local",model="llama"'
    assert f"infertop_cost_usd_total{{{labels}}} 1234.567890123\n" in text
    assert f'infertop_tokens_total{{{labels},class="output"}} 7\n' in text
    assert f"infertop_requests_total{{{labels}}} 12\n" in text
    assert "infertop_unpriced_tokens_total{" not in text


def test_what_another_source_counts_too_stands_apart() -> None:
    found = served(sample.EMPTY, {A: Used(1, {}, 10**9), PROXY: Used(2, {"input": 3}, 5 * 10**9, 3)})
    assert list(found["infertop_cost_usd_total"].values()) == [1.0]
    assert list(found["infertop_attributed_cost_usd_total"].values()) == [5.0]
    assert value(found["infertop_attributed_tokens_total"], **{"class": "input"}) == 3
    assert list(found["infertop_attributed_requests_total"].values()) == [2]
    assert value(found["infertop_unpriced_tokens_total"], model="gpt-4o", source="proxy", provider="litellm") == 3


def test_a_repricing_that_lowers_the_ledger_lowers_no_counter() -> None:
    exported = Exported("1")
    shown = [
        value(served(sample.EMPTY, {A: Used(1, {}, usd * 10**9)}, exported)["infertop_cost_usd_total"], model="llama")
        for usd in (100, 40, 41)
    ]
    assert shown == [100.0, 100.0, 101.0]
    assert value(served(sample.EMPTY, {}, exported)["infertop_cost_usd_total"], model="llama") == 101.0


def test_places_beyond_the_bound_are_one_series_and_no_dollar_is_lost() -> None:
    exported = Exported("1")
    places = {("s", "p", f"m{n}"): Used(1, {"input": 1}, n * 10**9) for n in range(MOST_PLACES + 50)}
    found = served(sample.EMPTY, places, exported)
    assert len(found["infertop_cost_usd_total"]) == MOST_PLACES + 1
    assert sum(found["infertop_cost_usd_total"].values()) == sum(range(MOST_PLACES + 50))
    assert value(found["infertop_cost_usd_total"], model="(other)") == sum(range(50))
    assert list(found["infertop_series_folded"].values()) == [1]
    more = served(sample.RICH, {**places, ("s", "p", "late"): Used(1, {}, 10**15)}, exported)
    assert len(more["infertop_cost_usd_total"]) == MOST_PLACES + 1
    assert len(more["infertop_usd_per_hour"]) == 1


def test_hostile_names_are_read_back_and_names_that_became_equal_are_one() -> None:
    found = served(sample.HOSTILE)
    models = {dict(key)["model"] for key in found["infertop_usd_per_hour"]}
    assert models == {clean(each.model) for each in sample.HOSTILE.models if each.usd_per_hour is not None}
    twins = {("s", "p", "a\x1b"): Used(None, {}, 10**9), ("s", "p", "a\x9b"): Used(None, {}, 2 * 10**9)}
    assert list(served(sample.EMPTY, twins)["infertop_cost_usd_total"].values()) == [3.0]


def test_sources_that_are_not_on_this_machine_are_neither_up_nor_down() -> None:
    rows = [
        replace(sample.SOURCES[0], name=state, state=state) for state in ("up", "stale", "auth", "absent", "starting")
    ]
    found = served(replace(sample.EMPTY, sources=tuple(rows)))
    assert {dict(key)["source"]: up for key, up in found["infertop_source_up"].items()} == {
        "up": 1,
        "stale": 0,
        "auth": 0,
    }
    assert {dict(key)["source"] for key in found["infertop_source_age_seconds"]} == {"up", "stale", "auth"}


def test_budgets_have_their_limit_what_is_spent_and_what_will_be() -> None:
    found, row = served(), sample.BUDGETS[0]
    labels = {"budget": row.name, "period": row.period}
    told = (row.spent_usd, row.limit_usd, row.fraction, row.forecast_usd[1])
    names = ("spent_usd", "limit_usd", "fraction", "forecast_usd")
    assert tuple(value(found[f"infertop_budget_{name}"], **labels) for name in names) == told


def test_marks_are_there_while_they_last() -> None:
    mark = Event(1.0, "warn", "mark", "x", {"model": "m", "source": "s"}, "usd_per_hour", 9.0, 3.0)
    over, all_of_it = (
        replace(mark, until=2.0, scope={"model": "n"}),
        replace(mark, scope={}, metric="tokens_per_request"),
    )
    found = served(replace(sample.EMPTY, events=(mark, over, all_of_it)))["infertop_anomalies"]
    assert {(dict(key)["metric"], dict(key)["source"], dict(key)["model"]) for key in found} == {
        ("usd_per_hour", "s", "m"),
        ("tokens_per_request", "", ""),
    }
    assert set(found.values()) == {1}


def test_incidents_tell_what_they_cost_while_they_last() -> None:
    lasting = Event(1.0, "warn", "incident", "x", {"key": "k"}, "usd_per_hour", 9.0, 3.0, state="open", excess_usd=2.5)
    lasting = replace(lasting, excess_usd_per_hour=6.0)
    over = replace(lasting, until=2.0, scope={"key": "old"}, state="closed")
    found = served(replace(sample.EMPTY, events=(over, lasting)))
    labels = {"metric": "usd_per_hour", "state": "open", "source": "", "provider": "", "model": "", "key": "k"}
    for name, usd in (("infertop_incident_excess_usd", 2.5), ("infertop_incident_excess_usd_per_hour", 6.0)):
        assert {tuple(sorted(key)): value for key, value in found[name].items()} == {
            tuple(sorted((labels | {"project": ""}).items())): usd
        }


@pytest.mark.parametrize(("model", "shown"), [("gpt-4o", "gpt-4o"), ("gemini-*", "")])
def test_reserved_throughput_is_a_place_as_the_ledger_books_it(model: str, shown: str) -> None:
    row = DeploymentRow(
        "reserved", "provisioned", "azure", model, 12.5, None, None, None, "", "unknown", True, "x", "y"
    )
    found = served(replace(sample.EMPTY, deployments=(row, replace(row, name="beside", counts=False))))
    assert {tuple(sorted(key)): usd for key, usd in found["infertop_usd_per_hour"].items()} == {
        (("model", shown), ("provider", "azure"), ("source", "reserved")): 12.5
    }

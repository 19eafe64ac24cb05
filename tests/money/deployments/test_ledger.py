"""Reserved throughput in the ledger: by the minute, over restarts, dates and gaps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.book.load import shipped
from infertop.money.budgets import matches
from infertop.money.deployments.booked import covers, running, spending, usd_per_hour
from infertop.money.deployments.declared import Deployment, Provisioned, Serverless
from infertop.money.derive import Deriver
from infertop.money.dimensions import assign
from infertop.money.lines import NANO, Basis, Line
from infertop.money.rates import PriceBook
from infertop.money.repricing import Repricing
from infertop.money.settings import UTC, Assignment, Settings
from infertop.readings.model import Series
from tests.money.tape import START, batch, engine, host

DAY = START // 86400 * 86400
TODAY = date(1981, 5, 29)


def ptu(usd_per_hour: str = "60", **more: Any) -> Deployment:
    """Reserved throughput of gpt-4.1 on Azure."""
    given = {"name": "ptu", "provider": "azure", "model": "gpt-4.1", "where": "pricing.toml:5", "counts": True, **more}
    return Deployment(terms=Provisioned(Decimal(usd_per_hour), "", Decimal(100_000)), **given)


def prices(*deployments: Deployment, zone: str = "UTC") -> PriceBook:
    return PriceBook(Settings(zone=ZoneInfo(zone), deployments=deployments))


def deployed(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.resource == "deployment"]


def test_the_day_of_these_tests() -> None:
    assert date.fromisoformat("1981-05-29").toordinal() - date(1970, 1, 1).toordinal() == DAY // 86400


def test_an_hour_is_spent_by_the_minute_while_the_machine_is_metered() -> None:
    deriver = Deriver(prices(ptu()))
    for second in range(0, 3601, 5):
        deriver.advance(host(START + second))
    lines = deployed(deriver.close_before(START + 3600))
    assert len(lines) == 60
    assert {(line.source, line.provider, line.model, line.unit, line.basis) for line in lines} == {
        ("ptu", "azure", "gpt-4.1", "ms", Basis.COMPUTED)
    }
    assert {(line.quantity, line.usd_nano) for line in lines} == {(60_000, NANO)}
    price = lines[0].price
    assert price is not None
    assert (price.usd, price.per, price.source, price.default) == (
        Decimal(60),
        "deployment hour",
        "pricing.toml:5",
        False,
    )


def test_what_serves_many_models_names_none_and_what_does_not_count_is_not_spent() -> None:
    terms = Serverless(Decimal("0.001"), Decimal("0.001"))
    others = Deployment("flex", "runpod", "llama", "pricing.toml:9", terms)
    deriver = Deriver(prices(ptu(model="gpt-*"), ptu(name="beside", counts=False), others))
    for second in (0, 2):
        deriver.advance(host(START + second))
    assert [(line.source, line.model) for line in deployed(deriver.open_lines())] == [("ptu", None)]


def test_nothing_is_spent_in_a_gap_and_only_the_machines_meter_counts_time() -> None:
    deriver = Deriver(prices(ptu()))
    for ts in (START, START + 10, START + 500, START + 510):
        deriver.advance(host(ts))
        deriver.advance(engine(ts, requests=1))
    assert sum(line.quantity for line in deployed(deriver.open_lines())) == 20_000


def test_two_meters_of_machines_spend_each_moment_once() -> None:
    deriver = Deriver(prices(ptu()))
    for second in range(31):
        source = "host" if second % 2 else "other"
        deriver.advance(batch(source, START + second, [(Series.of("host_cpu_utilization"), 0.1)]))
    # The first poll of each is its beginning.
    assert sum(line.quantity for line in deployed(deriver.open_lines())) == 30_000


def test_it_begins_and_ends_at_midnight_of_its_zone() -> None:
    berlin = prices(ptu(since=TODAY, until=date(1981, 5, 30)), zone="Europe/Berlin")
    midnight = DAY - 2 * 3600
    for edge, before, after in ((midnight, 0, 10_000), (midnight + 86400, 10_000, 0)):
        deriver = Deriver(berlin)
        for ts in (edge - 10, edge, edge + 10):
            deriver.advance(host(ts))
        by_minute = {line.start: line.quantity for line in deployed(deriver.open_lines())}
        assert (by_minute.get(edge - 60, 0), by_minute.get(edge, 0)) == (before, after)


def test_of_two_entries_with_one_name_the_one_that_began_last_holds() -> None:
    old, new = ptu("60"), ptu("80", since=TODAY, until=date(1981, 5, 31))
    days = [DAY + days * 86400.0 for days in (-1, 0, 1, 2)]
    assert [[each.terms.usd_per_hour for each in running((old, new), ts, UTC)] for ts in days] == [[60], [80], [80], []]


def test_a_new_price_holds_from_then_on_within_the_minute_too() -> None:
    deriver = Deriver(prices(ptu("60")))
    for ts in (START, START + 10):
        deriver.advance(host(ts))
    deriver.prices = prices(ptu("120"))
    deriver.advance(host(START + 20))
    lines = deployed(deriver.open_lines())
    assert sorted((line.quantity, line.usd_nano) for line in lines) == [(10_000, 166_666_667), (10_000, 333_333_333)]


steps = st.lists(st.sampled_from([0.7, 1.0, 2.0, 14.0, 16.0, 70.0]), min_size=1, max_size=40)


@settings(deadline=None, max_examples=60)
@given(steps, st.integers(0, 40), st.sampled_from(["60", "0.000001", "3.333333333"]))
def test_taken_up_anywhere_it_is_the_same_and_each_minute_costs_its_time(
    seconds: list[float], cut: int, usd: str
) -> None:
    polls, ts = [], float(START)
    for step in seconds:
        ts += step
        polls.append(host(ts))
    book = prices(ptu(usd), ptu(usd, name="second", model="*"))
    once, first = Deriver(book), Deriver(book)
    for each in polls:
        once.advance(each)
    for each in polls[:cut]:
        first.advance(each)
    second = Deriver(book)
    second.load(json.loads(json.dumps(first.dump())))
    for each in polls[max(cut - 2, 0) :]:
        second.advance(each)
    assert second.open_lines() == once.open_lines()
    for line in deployed(once.open_lines()):
        assert line.usd_nano == round(Decimal(usd) * NANO * line.quantity / 3_600_000)


def meter(book: PriceBook, since: int, until: int) -> list[Line]:
    """The closed lines of a machine metered from one time to another."""
    deriver = Deriver(book)
    for ts in range(since, until + 1, 10):
        deriver.advance(host(ts))
    return deriver.close_before(until)


def again(lines: Sequence[Line], book: PriceBook) -> list[Line]:
    """The same lines after pricing.toml was edited, as the history asks for them: span by span."""
    repricing = Repricing(book, {})
    outdated = [
        line for line in lines if repricing.outdated(line.resource, line.dimensions, line.price, float(line.start))
    ]
    starts = {line.start for line in outdated}
    spans = [[line for line in lines if line.start == start] for start in sorted(starts)]
    assert all(repricing.concerns(line.resource) for line in outdated)
    kept = [line for line in lines if line.start not in starts]
    return sorted([*kept, *(line for span in spans for line in repricing.lines(span))], key=repr)


def test_a_price_with_a_date_holds_for_what_was_spent_since() -> None:
    before = meter(prices(ptu("60"), ptu("7", name="other")), DAY + 86400 - 120, DAY + 86400 + 120)
    tomorrow = date(1981, 5, 30)
    edited = prices(ptu("60"), ptu("90", since=tomorrow), ptu("7", name="other"))
    after = again(before, edited)
    costs = [(line.start - DAY - 86400, line.usd_nano) for line in deployed(after) if line.source == "ptu"]
    assert sorted(costs) == [(-120, NANO), (-60, NANO), (0, NANO * 3 // 2), (60, NANO * 3 // 2)]
    assert sum(line.quantity for line in after) == sum(line.quantity for line in before)
    assert [line for line in after if line.source != "ptu"] == sorted(
        (line for line in before if line.source != "ptu"), key=repr
    )
    assert again(after, edited) == after
    # It is what a recording under the edited file gives.
    assert sorted(deployed(meter(edited, DAY + 86400 - 120, DAY + 86400 + 120)), key=repr) == deployed(after)


def test_a_price_without_a_date_changes_nothing_that_was_spent() -> None:
    before = sorted(meter(prices(ptu("60")), START, START + 120), key=repr)
    for edited in (prices(ptu("90")), prices(), prices(ptu("90", counts=False, since=TODAY))):
        assert again(before, edited) == before


def test_hours_put_together_astride_the_date_stay() -> None:
    (line, *_) = deployed(meter(prices(ptu("60")), START, START + 60))
    hour = replace(line, start=DAY + 86400 - 1800, end=DAY + 86400 + 1800, quantity=3_600_000, usd_nano=60 * NANO)
    assert again([hour], prices(ptu("90", since=date(1981, 5, 30)))) == [hour]


def test_the_open_minute_takes_a_price_with_a_date_too() -> None:
    deriver = Deriver(prices(ptu("60")))
    for ts in (START, START + 10):
        deriver.advance(host(ts))
    deriver.reprice(Repricing(prices(ptu("120", since=TODAY)), {}))
    deriver.advance(host(START + 20))
    (line,) = deployed(deriver.open_lines())
    assert (line.quantity, line.usd_nano) == (20_000, 666_666_667)


def test_a_state_from_before_there_were_deployments_is_read() -> None:
    old = Deriver(prices())
    for ts in (START, START + 10):
        old.advance(host(ts))
    state = old.dump()
    del state["deployed_ms"]
    for minute in state["minutes"]:
        del minute["deployed"]
    new = Deriver(prices(ptu()))
    new.load(state)
    new.advance(host(START + 20))
    assert [line.quantity for line in deployed(new.open_lines())] == [10_000]


def test_budgets_and_rules_see_it_by_source_provider_and_model() -> None:
    deriver = Deriver(prices(ptu()))
    for ts in (START, START + 10):
        deriver.advance(host(ts))
    (line,) = deployed(deriver.open_lines())
    said = {"source": line.source, "provider": line.provider, "model": line.model}
    own = assign(said, [Assignment((("source", "ptu"),), (("team", "search"),), "")])
    for condition in (("model", "gpt-4*"), ("provider", "azure"), ("source", "ptu"), ("team", "search")):
        assert matches((condition,), own)
    assert not matches((("model", "gpt-4o"),), own)


def test_what_is_spent_an_hour_is_the_sum_of_what_counts_and_unknown_where_nothing_is_declared() -> None:
    book = prices(ptu("60"), ptu("2.5", name="b"), ptu("7", name="c", counts=False), ptu("9", name="d", until=TODAY))
    assert usd_per_hour(spending(book.settings, START)) == 62.5
    assert usd_per_hour(spending(prices().settings, START)) is None


def test_covered_tokens_are_those_that_the_deployment_serves() -> None:
    every = prices(ptu(model="gpt-4.1*")).settings
    assert covers(every, START, "azure-usage", "Azure", "gpt-4.1-mini")
    assert not covers(every, START, "azure-usage", "azure", "gpt-4o")
    assert not covers(every, START, "openai", "openai", "gpt-4.1")
    assert not covers(every, START, "azure-usage", "azure", None)
    bedrock = prices(ptu(provider="bedrock")).settings
    assert not covers(bedrock, START, "usage", "aws", "gpt-4.1")
    assert covers(bedrock, START, "usage", "aws", "gpt-4.1", canonical=shipped().provider)
    narrow = prices(ptu(conditions=(("project", "prod-*"),))).settings
    assert covers(narrow, START, "azure-usage", "azure", "gpt-4.1", {"project": "prod-1"})
    assert not covers(narrow, START, "azure-usage", "azure", "gpt-4.1", {"project": "dev"})
    assert not covers(narrow, START, "azure-usage", "azure", "gpt-4.1")
    gateway = prices(ptu(conditions=(("source", "litellm*"),))).settings
    assert covers(gateway, START, "litellm-prod", "local", "gpt-4.1")
    assert not covers(prices(ptu()).settings, START, "vllm", "local", "gpt-4.1")
    assert not covers(prices(ptu(counts=False)).settings, START, "azure-usage", "azure", "gpt-4.1")
    assert not covers(prices(ptu(until=TODAY)).settings, START, "azure-usage", "azure", "gpt-4.1")

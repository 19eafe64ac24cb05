"""The ledger's minutes as flows: rates by place, what is left out of them, and prices that were edited."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infertop.history.codec import pack
from infertop.history.figures import Flows
from infertop.money.detect.scopes import LATENCIES, Place
from infertop.readings.model import Buckets
from tests.commands.watched_world import LOCAL, MINUTE, MONDAY, OPENAI, World

PROD = Place(OPENAI, OPENAI, "gpt-4o", "prod", None)
OWN = Place(LOCAL, "local", "llama", None, None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "infertop.db")


def busy(world: World, usd_per_hour: float, covered_ms: int = 60_000) -> None:
    """Close a minute in which a GPU of ours was half busy, and openai was used."""
    half = round(usd_per_hour / 3600 * covered_ms / 1000 * 1e9 / 2)
    lines: dict[int, tuple[int, int | None]] = {
        world.account("llama", name, source=LOCAL): (covered_ms // 2, half) for name in ("gpu_busy", "gpu_idle")
    }
    lines[world.account("llama", "requests", source=LOCAL, price=None)] = (covered_ms // 1000, None)
    for name, count, nano in (("input", 500, 10**7), ("cache_read", 500, 10**6), ("output", 100, 10**7)):
        lines[world.account("gpt-4o", name, key="prod")] = (count, nano)
    world.minute(lines, covered_ms)


def test_meters_count_by_what_was_recorded_and_statements_by_the_minute(world: World) -> None:
    busy(world, 4.0)
    busy(world, 4.0, covered_ms=40_000)
    one, other = Flows().read(world.connection, MONDAY, world.until)
    for minute in (one, other):
        own, api = minute.flows[OWN], minute.flows[PROD]
        assert (own.usd, own.idle_usd, own.gpu_usd) == (pytest.approx(4.0), pytest.approx(2.0), pytest.approx(4.0))
        assert own.requests == pytest.approx(3600)
        assert own.api_usd is None
        assert (api.prompt, api.cached, api.output) == (60_000, 30_000, 6_000)
        assert (api.usd, api.api_usd, api.gpu_usd) == (pytest.approx(1.26), pytest.approx(1.26), None)


def test_of_a_minute_that_was_hardly_recorded_only_statements_are_known(world: World) -> None:
    busy(world, 4.0, covered_ms=20_000)
    (minute,) = Flows().read(world.connection, MONDAY, world.until)
    assert set(minute.flows) == {PROD}
    assert minute.metered == {LOCAL}


def test_wider_spans_are_named_and_adjustments_are_not(world: World) -> None:
    busy(world, 4.0)
    wide = world.account("gpt-4o", "input", key="dev")
    bill = world.account("gpt-4o", "adjustment", key="dev", price=None)
    for number, width in ((wide, 3600), (bill, 3600), (bill, 86_400)):
        world.connection.execute("INSERT INTO lines VALUES (?,?,?,?,?,0)", (MONDAY, MONDAY + width, number, 9, 9))
    (minute,) = Flows().read(world.connection, MONDAY, world.until)
    assert minute.wide == {PROD._replace(key="dev")}
    assert set(minute.flows) == {OWN, PROD}


def priced(world: World, *prices: tuple[str, int]) -> None:
    """Close a minute of a thousand tokens at each of these prices, in 1e-9 USD a token."""
    world.minute({world.account("gpt-4o", "input", price=name, key="prod"): (1000, 1000 * usd) for name, usd in prices})


def test_another_price_is_what_the_same_use_cost_before_in_its_first_whole_minute(world: World) -> None:
    for prices in ([("a", 10)], [("a", 10), ("b", 30)], [("b", 30)], [("b", 30)], [("a", 10)], [("b", 30)]):
        priced(world, *prices)
    flows = Flows()
    for _ in range(2):  # whoever reads behind the others is told the same
        read = [each.flows[PROD] for each in flows.read(world.connection, MONDAY, world.until)]
        assert [each.usd for each in read] == pytest.approx([0.0006, 0.0024, 0.0018, 0.0018, 0.0006, 0.0018])
        assert [each.old_usd for each in read] == pytest.approx([0.0006, 0.0024, 0.0006, 0.0018, 0.0018, 0.0006])
    again = Flows()
    again.load(flows.dump())
    priced(world, ("c", 5))
    (minute,) = again.read(world.connection, world.until - MINUTE, world.until)
    assert minute.flows[PROD].old_usd == pytest.approx(0.0018)


def series(world: World, number: int, metric: str, grown: object, source: int = 1, **labels: str) -> None:
    """A series that grew by so much in the first minute."""
    world.connection.execute("INSERT INTO series VALUES (?,?,?,?,0)", (number, source, metric, json.dumps(labels)))
    world.connection.execute("INSERT INTO minute VALUES (?,?,1,NULL,NULL,NULL,NULL,?,0)", (number, MONDAY, grown))


def times(world: World, place: Place) -> dict[str, float]:
    (minute,) = Flows().read(world.connection, MONDAY, world.until)
    figures = {name: value for name, value, _ in minute.flows[place].figures()}
    return {name: figures[name] for name in LATENCIES & figures.keys()}


TOOK_10 = pack(Buckets((1.0, float("inf")), (3.0, 4.0), 10.0), 1)


def test_how_long_requests_took_is_told_of_engines_that_measure_it(world: World) -> None:
    busy(world, 4.0)
    world.connection.execute("INSERT INTO sources VALUES (1, ?)", (LOCAL,))
    series(world, 7, "request_seconds", TOOK_10, model="llama")
    series(world, 8, "ttft_seconds", TOOK_10, model="llama")
    assert times(world, OWN) == {"request_seconds": 2.5}


def test_where_whole_requests_are_not_told_the_first_token_and_the_time_between_two_stand_in(world: World) -> None:
    busy(world, 4.0)
    world.connection.execute("INSERT INTO sources VALUES (1, ?)", (LOCAL,))
    series(world, 7, "ttft_seconds", TOOK_10, model="llama")
    series(world, 8, "inter_token_seconds", pack(Buckets((float("inf"),), (100.0,), 5.0), 1), model="llama")
    series(world, 9, "inter_token_seconds", pack(Buckets((float("inf"),), (100.0,), 5.0), 1), model="another")
    assert times(world, OWN) == {"ttft_seconds": 2.5, "inter_token_seconds": 0.05}


def test_a_gateway_tells_what_its_requests_took_together(world: World) -> None:
    busy(world, 4.0)
    world.connection.execute("INSERT INTO sources VALUES (1, ?)", (OPENAI,))
    of = {"model": "gpt-4o", "provider": "openai"}
    series(world, 7, "requests", 4.0, **of, reason="stop")
    series(world, 8, "requests", 1.0, **of, reason="length")
    series(world, 9, "request_seconds_total", 15.0, **of)
    series(world, 10, "requests", 99.0, model="gpt-4o", provider="azure")
    assert times(world, PROD) == {"request_seconds": 3.0}

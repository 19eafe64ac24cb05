"""What each model did and took in a span, as what-ifs need it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from infertop.history.capacity import capacities
from infertop.history.reader import Reader
from infertop.history.used import Place, besides, used
from infertop.money.lines import Basis, Line
from infertop.money.quote import Way
from infertop.money.statement_lines import PAID
from infertop.money.whatif.traffic import Used
from tests.whatif_world import API, HOUR, LLAMA, NOON, OWN, VLLM, engine_hour, gpu, minute, record, tokens


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


def in_span(database: Path, since: float = NOON - HOUR, until: float = NOON) -> tuple[Used, ...]:
    return Reader(database).ask(used, since, until)


def test_an_engine_has_its_tokens_requests_gpu_time_and_cost(database: Path) -> None:
    record(database, list(engine_hour(busy_ms=45_000, per_minute=600)))
    (engine,) = in_span(database)
    assert (engine.source, engine.provider, engine.model) == (VLLM, "local", LLAMA)
    assert engine.traffic.seconds == 3600
    assert engine.traffic.by_class == {"input": 72_000, "output": 36_000}
    assert engine.traffic.requests == 120
    assert engine.traffic.prompt_tokens_per_request == 600
    assert engine.traffic.tokens_per_second == 30
    assert engine.usd == 3
    assert (engine.gpus.hours, engine.gpus.busy_hours) == (1, Decimal("0.75"))
    assert (engine.gpus.name, engine.gpus.price_source) == ("NVIDIA A100-SXM4-80GB", "pricing.toml:2")
    assert engine.gpus.usd_per_gpu_hour == 3
    assert engine.basis == Basis.MEASURED


def test_a_gpu_without_a_price_has_the_name_that_was_noted_of_it(database: Path) -> None:
    lines = [*minute(1, *gpu(30_000, uuid="GPU-1")), *minute(1, *gpu(30_000, 50_000, uuid="GPU-2"))]
    record(database, [replace(each, price=None, usd_nano=None) for each in lines])
    with sqlite3.connect(database) as opened:
        opened.execute("""INSERT INTO inventory VALUES ('gpus', '[{"gpu": "GPU-2", "name": "two"},
            {"gpu": "GPU-1", "name": "NVIDIA Mystery"}, {}]')""")
    opened.close()
    (engine,) = in_span(database)
    assert (engine.usd, engine.gpus.name, engine.gpus.usd_per_gpu_hour) == (None, "NVIDIA Mystery", None)


def test_the_time_is_what_was_recorded_of_the_span(database: Path) -> None:
    record(database, [line for ago in (3, 2) for line in minute(ago, *tokens(OWN, output=600))], minutes=10)
    (engine,) = in_span(database)
    assert engine.traffic.seconds == 600
    assert engine.traffic.tokens_per_second == 2
    assert engine.traffic.requests is None
    assert engine.usd is None


def test_what_was_used_in_a_gap_is_in_no_rate_and_counted_apart(database: Path) -> None:
    gap = replace(OWN, flags="gap", end=OWN.end)
    record(database, [*minute(5, *tokens(OWN, output=600)), *minute(9, *tokens(gap, output=1_000_000))])
    (engine,) = in_span(database)
    assert (engine.traffic.by_class, engine.gap_tokens) == ({"output": 600}, 1_000_000)


def test_batches_and_tiers_are_told_apart(database: Path) -> None:
    batch, flex = (replace(API, dimensions=said) for said in ((("batch", "true"),), (("service_tier", "flex"),)))
    record(
        database,
        [*minute(9, *tokens(API, input=5)), *minute(9, *tokens(batch, input=7)), *minute(8, *tokens(flex, input=3))],
    )
    (api,) = in_span(database)
    assert api.traffic.tokens == {Way(): {"input": 5}, Way(batch=True): {"input": 7}, Way(False, "flex"): {"input": 3}}
    assert api.traffic.by_class == {"input": 15}


def wide(ago: int, seconds: int) -> Iterator[Line]:
    return minute(ago, replace(API, resource="input", quantity=1000, end=seconds))


@pytest.mark.parametrize(
    ("lines", "recorded_minutes", "seconds"),
    [
        ([*wide(60, 3600)], 10, 3600),  # told of the whole hour, recorded at the end of it only
        ([*wide(60, 1800)], 10, 2400),
        ([*wide(60, 1800), *wide(45, 1800)], 0, 2700),
        ([*wide(90, 3600)], 0, 1800),  # cut to the span
        ([*minute(3, *tokens(API, input=5))], 60, 3600),
    ],
)
def test_a_providers_time_is_what_was_recorded_or_told_of(
    database: Path, lines: list[Line], recorded_minutes: int, seconds: int
) -> None:
    record(database, lines, minutes=recorded_minutes)
    (api,) = in_span(database)
    assert api.traffic.seconds == seconds


def test_tokens_of_reserved_throughput_are_marked(database: Path) -> None:
    record(database, [*minute(9, *tokens(replace(API, price=PAID), input=5))])
    assert [each.reserved for each in in_span(database)] == [True]


def test_a_gpu_that_no_model_holds_is_no_models(database: Path) -> None:
    nobody = list(gpu(0, source="nvml", model=None))
    record(database, [*minute(5, *tokens(OWN, output=1), *gpu(60_000)), *minute(4, *nobody)])
    (engine,) = in_span(database)
    assert engine.usd == Decimal("0.05")
    left = Reader(database).ask(besides, NOON - HOUR, NOON)
    assert (left.unheld, left.others, left.gap_nano) == (Decimal("0.05"), 0, 0)


def capacity(database: Path) -> tuple[Decimal | None, str]:
    found = Reader(database).ask(capacities, NOON)[Place(VLLM, "local", LLAMA)]
    return found.tokens_per_second, found.method


def test_a_gpus_throughput_is_that_of_the_best_minute_that_was_half_busy(database: Path) -> None:
    lines = [
        *minute(9, *tokens(OWN, input=20_000, output=10_000), *gpu(30_000)),
        *minute(8, *tokens(OWN, input=20_000, output=22_000), *gpu(60_000)),
        *minute(7, *tokens(OWN, output=9_000), *gpu(3_000)),  # hardly busy: what it would do at full use is a guess
        *minute(6, *tokens(OWN, output=9_000), *gpu(1_000, held_ms=1_500)),  # hardly there
    ]
    record(database, lines)
    tps, method = capacity(database)
    assert tps == 1000
    assert "best minute of 9 min, half busy or more" in method


def test_an_engine_on_two_gpus_shares_its_tokens_between_them(database: Path) -> None:
    record(database, [*minute(9, *tokens(OWN, output=60_000), *gpu(30_000), *gpu(60_000, uuid="GPU-1"))])
    assert capacity(database)[0] == Decimal(60_000) / 90


def test_an_engine_that_is_never_half_busy_has_the_throughput_of_all_its_busy_time(database: Path) -> None:
    record(database, [line for ago in (9, 8) for line in minute(ago, *tokens(OWN, output=600), *gpu(6_000))])
    tps, method = capacity(database)
    assert tps == 100
    assert "never half busy: at full load it may serve more" in method


def test_without_utilisation_it_serves_at_least_what_it_did_in_its_best_minute(database: Path) -> None:
    unmetered = [replace(each, resource="gpu") for each in gpu(60_000) if each.quantity]
    record(
        database, [*minute(9, *tokens(OWN, output=600), *unmetered), *minute(8, *tokens(OWN, output=1200), *unmetered)]
    )
    tps, method = capacity(database)
    assert tps == 20
    assert "at least" in method


def test_without_tokens_or_without_a_gpu_its_throughput_is_not_known(database: Path) -> None:
    other = [replace(each, model="other") for each in tokens(OWN, output=5)]
    record(database, [*minute(9, *gpu(60_000), *other)])
    found = Reader(database).ask(capacities, NOON)
    assert {place.model: each.tokens_per_second for place, each in found.items()} == {LLAMA: None}


def test_minutes_of_more_than_a_week_ago_say_nothing(database: Path) -> None:
    record(database, [*minute(8 * 24 * 60, *tokens(OWN, output=600), *gpu(60_000))])
    assert Reader(database).ask(capacities, NOON) == {}

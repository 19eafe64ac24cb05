"""What a scope cost over time, in equal bins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infertop.history.course import course
from infertop.history.reader import Reader
from infertop.history.scopes import Scopes
from infertop.money.baseline import Scope
from infertop.money.overlap import Place
from tests.whatif_world import API, HOUR, LLAMA, NOON, engine_hour, minute, record, tokens


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


def of(database: Path, scope: Scope = (), width: float = 600.0, count: int = 6, **scopes: object) -> list[float | None]:
    with Reader(database) as reader:
        told = reader.ask(course, scope, NOON - width * count, width, count, Scopes(**scopes))  # type: ignore[arg-type]
    return [None if usd is None else round(usd, 6) for usd in told]


def test_each_bin_has_what_an_hour_like_it_costs_and_what_nobody_recorded_is_unknown(database: Path) -> None:
    record(database, list(engine_hour()), minutes=40)
    assert of(database) == [3.0] * 6
    assert of(database, width=HOUR, count=2) == [None, 3.0]


def test_a_bin_in_which_nothing_was_used_is_0_where_somebody_recorded(database: Path) -> None:
    record(database, list(minute(5, *tokens(API, input=100))), minutes=20)
    assert of(database) == [None, None, None, None, 0.0, 0.06]


def test_only_what_is_of_the_scope_and_counts_is_in_it(database: Path) -> None:
    of_key = replace(API, dimensions=(("key", "a"),))
    asked = [line for ago in (5, 15) for line in minute(ago, *tokens(of_key, input=1))]
    record(database, [*engine_hour(), *asked])
    assert of(database, (("model", LLAMA),)) == [3.0] * 6
    assert of(database, (("key", "a"),)) == [0.0, 0.0, 0.0, 0.0, 0.06, 0.06]
    assert of(database, (("key", "b"),)) == [0.0] * 6
    apart = {Place("openai", "openai", "gpt-4o"): ((NOON - 600, NOON),)}
    assert of(database, (("key", "a"),), apart=apart) == [0.0, 0.0, 0.0, 0.0, 0.06, 0.0]


def test_a_line_that_is_wider_than_a_bin_is_spread_over_those_it_reaches(database: Path) -> None:
    hour = replace(API, resource="input", quantity=1200, usd_nano=600_000_000, end=3600)
    record(database, list(minute(60, hour)), minutes=1)
    assert of(database) == [0.6] * 6
    assert sum(usd or 0.0 for usd in of(database, width=60.0, count=60)) == pytest.approx(36.0)
    assert of(database, width=1800.0, count=1) == [0.6]


def test_its_bins_sum_to_what_was_spent(database: Path) -> None:
    record(database, list(engine_hour(busy_ms=17_000)))
    for width, count in ((60.0, 60), (240.0, 15), (1200.0, 3)):
        assert sum(usd or 0.0 for usd in of(database, width=width, count=count)) * width / HOUR == pytest.approx(3.0)

"""What was used in a window, an hour, as comparisons need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infertop.history.reader import Reader
from infertop.history.used_between import used_between
from infertop.money.baseline import Scope
from infertop.money.lines import Line
from infertop.money.why.usage import Usage
from tests.whatif_world import API, HOUR, LLAMA, NOON, engine_hour, minute, record, tokens


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


def used(database: Path, since: float, until: float, scope: Scope = ()) -> Usage:
    return Reader(database).ask(used_between, scope, [(since, until)])[0]


def by_resource(usage: Usage) -> dict[str, float]:
    return {each.resource: round(each.per_hour, 6) for each in usage.lines}


def of_keys(ago: int, **counts: int) -> Iterator[Line]:
    for key, count in counts.items():
        yield from minute(ago, *tokens(replace(API, dimensions=(("key", key),)), input=count, requests=1))


def test_a_half_hour_is_told_as_an_hour(database: Path) -> None:
    record(database, list(engine_hour(busy_ms=45_000, per_minute=600)))
    usage = used(database, NOON - 1800, NOON)
    assert by_resource(usage) == {
        "input": 72_000,
        "output": 36_000,
        "requests": 120,
        "gpu_busy": 2_700_000,
        "gpu_idle": 900_000,
    }
    assert usage.nano_per_hour == 3 * 10**9
    assert (usage.recorded, usage.flags) == (1.0, ())
    gpu = next(each for each in usage.lines if each.resource == "gpu_busy")
    assert (gpu.pool, gpu.gpu, gpu.is_own, gpu.model) == ("NVIDIA A100-SXM4-80GB", "GPU-0", True, LLAMA)


def test_a_window_that_was_recorded_in_part_is_told_by_its_recorded_hours(database: Path) -> None:
    record(database, list(engine_hour()), minutes=15)
    with_all = used(database, NOON - HOUR, NOON)
    assert with_all.recorded == 0.25
    assert with_all.flags == ("25 % of 11:00 to 12:00 was recorded: amounts are those of a recorded hour",)


def test_only_what_the_scope_has_is_told(database: Path) -> None:
    record(database, list(of_keys(5, a=100, b=300)))
    assert by_resource(used(database, NOON - HOUR, NOON, (("key", "b"),))) == {"input": 300, "requests": 1}
    assert used(database, NOON - HOUR, NOON, (("key", "c"),)).lines == ()
    assert by_resource(used(database, NOON - HOUR, NOON, (("key", "a"), ("model", "gpt-4o")))) == {
        "input": 100,
        "requests": 1,
    }

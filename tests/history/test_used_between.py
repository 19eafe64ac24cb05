"""What was used in a window, an hour, as comparisons need it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infertop.history.account_notes import content
from infertop.history.reader import Reader
from infertop.history.report import spent
from infertop.history.scopes import Scopes
from infertop.history.used_between import used_between
from infertop.money.baseline import Scope
from infertop.money.lines import Line
from infertop.money.why.usage import Usage
from infertop.readings.account import Account
from infertop.views.why import comparison
from tests.whatif_world import API, HOUR, LLAMA, NOON, VLLM, engine_hour, minute, record, tokens


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
    assert with_all.flags == ("25 % of Nov 22 11:00 to 12:00 was recorded: amounts are those of a recorded hour",)


def test_only_what_the_scope_has_is_told(database: Path) -> None:
    record(database, list(of_keys(5, a=100, b=300)))
    assert by_resource(used(database, NOON - HOUR, NOON, (("key", "b"),))) == {"input": 300, "requests": 1}
    assert used(database, NOON - HOUR, NOON, (("key", "c"),)).lines == ()
    assert by_resource(used(database, NOON - HOUR, NOON, (("key", "a"), ("model", "gpt-4o")))) == {
        "input": 100,
        "requests": 1,
    }


def test_a_provider_is_told_by_the_hours_that_it_has_told_whole(database: Path) -> None:
    record(database, [line for ago in range(60, 15, -1) for line in minute(ago, *tokens(API, input=100, requests=1))])
    told(database, "openai", NOON - 900)
    usage = used(database, NOON - HOUR, NOON)
    assert by_resource(usage) == {"input": 6000, "requests": 60}
    assert usage.flags == ("openai has reported Nov 22 11:00 to 12:00 up to 11:45 only",)
    assert used(database, NOON - 600, NOON).flags == ("openai has reported nothing of Nov 22 11:50 to 12:00 yet",)


def test_what_a_provider_tells_of_a_time_that_nobody_recorded_is_told_by_all_of_it(database: Path) -> None:
    record(database, [line for ago in range(60, 0, -1) for line in minute(ago, *tokens(API, input=100))], minutes=10)
    told(database, "openai", NOON)
    usage = used(database, NOON - HOUR, NOON)
    assert (by_resource(usage), usage.recorded, usage.flags) == ({"input": 6000}, 1.0, ())


def test_a_log_is_told_by_the_minutes_that_it_is_about_or_that_were_recorded(database: Path) -> None:
    record(database, list(of_keys(30, a=100)), minutes=15)
    usage = used(database, NOON - HOUR, NOON)
    assert usage.recorded == pytest.approx(16 / 60)
    assert by_resource(usage) == {"input": pytest.approx(375), "requests": 3.75}


def test_a_line_astride_the_edge_is_told_with_its_share(database: Path) -> None:
    record(database, list(minute(90, replace(API, resource="input", quantity=1000, usd_nano=10**9, end=3600))))
    usage = used(database, NOON - HOUR, NOON - 1800)
    assert (by_resource(usage), usage.nano_per_hour) == ({"input": 1000}, 10**9)


def test_the_scope_may_have_an_id_or_its_name_and_lines_have_names(database: Path) -> None:
    record(database, list(of_keys(5, key_1=100)))
    with sqlite3.connect(database) as opened:
        opened.execute("INSERT INTO names VALUES ('key', 'key_1', 'bots')")
    opened.close()
    by_id, by_name = (used(database, NOON - HOUR, NOON, (("key", each),)) for each in ("key_1", "bots"))
    assert by_id == by_name
    assert {each.dimensions["key"] for each in by_id.lines} == {"bots"}


def test_ways_of_processing_are_told_apart(database: Path) -> None:
    batch = replace(API, dimensions=(("batch", "true"),), flags="context_tier:200000")
    record(database, [*minute(5, *tokens(batch, input=5)), *minute(5, *tokens(API, input=7))])
    assert {each.way: each.per_hour for each in used(database, NOON - HOUR, NOON).lines} == {
        "batch above 200,000": 5,
        "": 7,
    }


def test_tokens_without_a_price_and_tokens_of_a_gap_are_said(database: Path) -> None:
    bare = replace(API, model="gpt-9", price=None, usd_nano=None)
    gap = replace(API, flags="gap")
    record(database, [*minute(5, *tokens(bare, input=5)), *minute(5, *tokens(gap, input=5))])
    usage = used(database, NOON - HOUR, NOON)
    assert [each.model for each in usage.lines] == ["gpt-9"]
    assert usage.flags == (
        "gpt-9 had tokens without a price: they are in no sum",
        "$0.01 of a time in which nobody polled is left out",
    )


def test_what_does_not_count_is_left_out_and_the_sum_is_that_of_the_report(database: Path) -> None:
    gateway = replace(API, source="litellm")
    record(database, [*engine_hour(), *minute(5, *tokens(gateway, input=5)), *minute(5, *tokens(API, input=5))])
    scopes = Scopes(counts=lambda source, _provider, _model: source != "litellm")
    usage = Reader(database).ask(used_between, (), [(NOON - HOUR, NOON)], scopes)[0]
    assert {each.dimensions["source"] for each in usage.lines} == {"openai", VLLM}
    assert usage.nano_per_hour == Reader(database).ask(spent, (), NOON - HOUR, NOON, scopes)


def told(database: Path, source: str, until: float) -> None:
    with sqlite3.connect(database) as opened:
        row = json.dumps([content(Account(complete_until=until))])
        opened.execute("INSERT INTO inventory VALUES (?,?)", (f"account:{source}", row))
    opened.close()


def test_a_provider_of_another_scope_that_told_nothing_is_not_spoken_of(database: Path) -> None:
    record(database, [*engine_hour(), *minute(90, *tokens(API, input=5))])
    told(database, "openai", NOON - HOUR)
    own = used(database, NOON - 1800, NOON, (("model", LLAMA),))
    assert (own.recorded, own.flags) == (1.0, ())
    api = used(database, NOON - 1800, NOON, (("model", "gpt-4o"),))
    assert (api.lines, api.recorded, api.is_known) == ((), 0.0, False)
    assert api.flags == ("openai has reported nothing of Nov 22 11:30 to 12:00 yet",)


def test_of_a_time_in_which_nobody_recorded_machines_are_not_known_and_providers_are(database: Path) -> None:
    record(database, [*engine_hour(), *(line for ago in (90, 5) for line in minute(ago, *tokens(API, input=5)))])
    told(database, "openai", NOON)
    off, on = Reader(database).ask(used_between, (), [(NOON - 2 * HOUR, NOON - HOUR), (NOON - HOUR, NOON)])
    assert (off.lacks_meters, off.recorded, off.is_known, on.lacks_meters, on.recorded) == (True, 0.0, True, False, 1.0)
    assert off.flags == ("nothing of Nov 22 10:00 to 11:00 was recorded: machines are left out",)
    compared = comparison((), (NOON - 2 * HOUR, NOON - HOUR), (NOON - HOUR, NOON), off, on)
    assert compared.sentence == "unchanged at $0.01/h"
    own = Reader(database).ask(used_between, (("model", LLAMA),), [(NOON - 2 * HOUR, NOON - HOUR), (NOON - HOUR, NOON)])
    assert comparison((), (0, HOUR), (HOUR, 2 * HOUR), *own).sentence == (
        "nothing was recorded or reported of the first window: there is nothing to compare with"
    )

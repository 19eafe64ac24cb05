"""Whatever a provider does, the ledger is what the account says once it says it, and each fault is one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collectors._provider_time import utc_seconds
from tests.collectors.faulty import B, account, broken, exact, on, truth, usage  # noqa: F401 - a fixture
from tests.provider_rig import NOW, Rig
from tests.provider_world import DAY, HOUR, MINUTE, Answer, Asked, Group, error


async def test_a_month_is_read_back_at_the_first_poll(rig: Rig) -> None:
    batch = await rig.poll()
    assert batch is not None
    assert batch.again_seconds is None
    assert rig.notes == ()
    assert exact(rig)


async def test_pages_of_any_size_are_the_same(rig: Rig) -> None:
    rig.world.page_buckets = 7
    await rig.poll()
    assert exact(rig)
    assert any("page" in each.params for each in rig.world.asked)


async def test_late_and_restated_minutes_replace_what_was_said(rig: Rig) -> None:
    await rig.poll()
    rig.world.use(NOW - 300, output=9)
    rig.world.restate(NOW - 700, input=1)
    rig.world.restate(NOW - 9000, B)
    await rig.poll()
    assert rig.ledger()["gpt-4o", "key_a", "proj_a", "output"] < truth(rig)["gpt-4o", "key_a", "proj_a", "output"] + 500
    await rig.settle()
    assert exact(rig)


async def test_an_hour_restated_within_three_days_is_heard_at_the_next_hour(rig: Rig) -> None:
    await rig.poll()
    rig.world.restate(NOW - 2 * DAY - 700, B, output=123)
    rig.world.use(NOW - 2 * DAY - 90, input=5, requests=1)
    await rig.poll(HOUR)
    assert exact(rig)


async def test_a_night_without_polls_is_read_whole(rig: Rig) -> None:
    await rig.poll()
    for hours in range(1, 200):
        rig.world.use(NOW + hours * HOUR, input=hours, requests=1)
    await rig.poll(200 * HOUR)
    assert exact(rig)


async def test_a_restart_reads_the_last_days_again_and_counts_nothing_twice(rig: Rig) -> None:
    await rig.poll()
    rig.world.use(NOW - 2.9 * DAY, B, output=77)
    rig.world.asked.clear()
    await rig.restart()
    await rig.poll()
    assert exact(rig)
    starts = [_start(each) for each in rig.world.asked if each.params.get("bucket_width") == "1h"]
    assert starts
    assert min(starts) == (NOW + 120) // HOUR * HOUR - 2 * HOUR - 3 * DAY


async def test_a_restart_goes_on_with_what_was_not_read_back(rig: Rig) -> None:
    rig.world.faults = [on(lambda asked: usage(asked) and _start(asked) < NOW - 4 * DAY, lambda: error(500, "no"))]
    await rig.poll()
    assert not exact(rig)
    rig.world.faults = []
    await rig.restart()
    await rig.poll()
    assert exact(rig)


async def test_a_restart_after_days_reads_what_was_not_final_and_what_came_since(rig: Rig) -> None:
    await rig.poll()
    for days in (-2, 1, 4):
        rig.world.use(NOW + days * DAY, B, output=7)
    rig.now += 5 * DAY
    await rig.restart()
    await rig.poll()
    assert exact(rig)


async def test_hours_that_could_not_be_read_whole_are_read_again_after_a_restart(rig: Rig) -> None:
    def spoil(asked: Asked, page: Any) -> Any:
        wide = usage(asked) and asked.params.get("bucket_width") == "1h"
        return page | {"data": [*page["data"][:2], {}]} if wide else page

    rig.world.mangle = spoil
    await rig.poll()
    assert not exact(rig)
    rig.world.mangle = lambda _asked, page: page
    await rig.restart()
    await rig.poll()
    assert exact(rig)


def _start(asked: Asked) -> int:
    said = asked.params.get("start_time") or asked.params.get("starting_at") or ""
    return int(said) if said.isdigit() else utc_seconds(said) or 0


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_that_fails_is_one_sentence_and_nothing_is_lost(rig: Rig, status: int) -> None:
    rig.world.faults = [on(lambda _: True, lambda: error(status, "overloaded"))]
    assert await rig.poll() is None
    assert f"HTTP {status}" in rig.trouble
    assert rig.trouble.count("HTTP") == 1
    rig.world.faults = []
    await rig.poll(400.0)
    assert exact(rig)


async def test_a_page_that_times_out_in_the_middle_tells_no_part_as_the_whole(rig: Rig) -> None:
    rig.world.page_buckets = 24
    later = on(lambda asked: "page" in asked.params and usage(asked), broken, times=3)
    rig.world.faults = [later]
    await rig.poll()
    assert "did not answer" in " ".join(rig.notes) + rig.trouble
    said = rig.ledger()
    assert all(amount <= truth(rig)[key] for key, amount in said.items())
    rig.world.faults = []
    await rig.settle()
    assert exact(rig)


async def test_a_retry_after_is_waited_for_and_no_other_request_is_made(rig: Rig) -> None:
    await rig.poll()
    rig.world.faults = [on(lambda _: True, lambda: error(429, "slow down", retry_after="240"))]
    asked = len(rig.world.asked)
    assert await rig.poll() is None
    assert "HTTP 429" in rig.trouble
    assert len(rig.world.asked) == asked + 1
    rig.world.faults = []
    for _ in range(3):
        assert await rig.poll(60.0) is None
    assert len(rig.world.asked) == asked + 1
    await rig.poll(70.0)
    await rig.settle()
    assert exact(rig)


async def test_a_spend_cap_names_no_time_and_is_asked_again_in_a_minute(rig: Rig) -> None:
    rig.world.faults = [on(lambda _: True, lambda: error(429, "You have reached your spend limit"), times=1)]
    assert await rig.poll() is None
    assert rig.trouble.endswith("You have reached your spend limit")
    await rig.poll(60.0)
    assert exact(rig)


async def test_a_pause_in_the_middle_keeps_what_was_read(rig: Rig) -> None:
    count = [0]

    def fault(_asked: Asked) -> Answer | None:
        count[0] += 1
        return error(429, "slow down", retry_after="30") if count[0] == 3 else None

    rig.world.faults = [fault]
    batch = await rig.poll()
    assert batch is not None
    assert batch.statements
    assert batch.again_seconds is not None
    assert 0 < batch.again_seconds <= 30
    assert sum("429" in note for note in rig.notes) == 1
    await rig.poll(31.0)
    await rig.settle()
    assert exact(rig)


async def test_a_key_that_is_not_known_is_said_once_with_what_to_do(rig: Rig) -> None:
    rig.world.faults = [on(lambda _: True, lambda: error(401, "Incorrect API key provided"))]
    assert await rig.poll() is None
    assert "does not accept the key (HTTP 401)" in rig.trouble
    assert "admin key" in rig.trouble
    assert len(rig.world.asked) == 1


async def test_a_key_without_any_scope_says_which_is_missing(rig: Rig) -> None:
    missing = "You have insufficient permissions. Missing scopes: api.usage.read"
    rig.world.faults = [on(lambda _: True, lambda: error(403, missing))]
    assert await rig.poll() is None
    assert rig.trouble.count("api.usage.read") <= 2
    assert "Missing scopes" in rig.trouble
    asked = len(rig.world.asked)
    assert await rig.poll(60.0) is None
    assert len(rig.world.asked) == asked  # a scope does not come by asking each minute
    rig.world.faults = []
    await rig.poll(300.0)
    assert exact(rig)


async def test_names_that_are_refused_stop_nothing_else(rig: Rig) -> None:
    def people(asked: Asked) -> bool:
        return not usage(asked) and "cost" not in asked.path

    rig.world.faults = [on(people, lambda: error(403, "Missing scopes: api.management.read"))]
    batch = await rig.poll()
    assert batch is not None
    assert exact(rig)
    assert all("HTTP 403" in note for note in rig.notes)
    assert 1 <= len(rig.notes) <= 2
    assert batch.account is not None
    assert batch.account.allowances is None


async def test_bills_that_are_refused_stop_nothing_else(rig: Rig) -> None:
    rig.world.faults = [on(lambda asked: "cost" in asked.path, lambda: error(403, "no costs for you"))]
    await rig.poll()
    assert exact(rig)
    assert len(rig.notes) == 1
    assert "no costs for you" in rig.notes[0]


async def test_one_family_that_hangs_delays_no_other(tmp_path: Path) -> None:
    rig = Rig("openai", tmp_path / "x.db")
    rig.world.use(NOW - 700, input=5, requests=1)
    rig.world.use(NOW - 700, Group(family="embeddings", model="text-embedding-3-small"), input=7, requests=1)
    rig.world.faults = [on(lambda asked: asked.path.endswith("usage/images"), broken)]
    await rig.poll()
    assert exact(rig)
    assert sum("did not answer" in note for note in rig.notes) == 1
    batch = await rig.poll(60.0)
    assert batch is not None
    assert batch.statements


async def test_families_that_hang_again_and_again_let_those_behind_them_have_their_turn(tmp_path: Path) -> None:
    rig = Rig("openai", tmp_path / "x.db")
    rig.world.use(NOW - 700, Group(family="embeddings", model="text-embedding-3-small"), input=7, requests=1)
    hanging = ("usage/completions", "usage/moderations", "usage/images")
    rig.world.faults = [on(lambda asked: asked.path.endswith(hanging), broken)]
    for _ in range(6):
        await rig.poll(60.0)
    asked = {each.path.rpartition("/")[2] for each in rig.world.asked}
    assert "vector_stores" in asked
    assert rig.ledger()["text-embedding-3-small", "key_a", "proj_a", "input"] == 7


async def test_answers_that_are_too_large_are_asked_for_in_smaller_pages(rig: Rig) -> None:
    most = 30

    def limited(asked: Asked) -> Answer | None:
        many = usage(asked) and int(asked.params.get("limit", "1")) > most and "bucket_width" in asked.params
        return Answer(200, b" " * (17 * 2**20)) if many else None

    rig.world.faults = [limited]
    await rig.poll()
    await rig.settle()
    assert rig.notes == ()
    assert exact(rig)


async def test_the_newest_minutes_are_told_as_incomplete(rig: Rig) -> None:
    batch = await rig.poll()
    assert batch is not None
    assert batch.account is not None
    lag = {"openai": 600, "anthropic": 300}[rig.provider]
    assert batch.account.complete_until == (rig.now - lag) // MINUTE * MINUTE


async def test_names_are_told_for_what_is_used(rig: Rig) -> None:
    batch = await rig.poll()
    assert batch is not None
    assert batch.account is not None
    names = {(each.kind, each.id): each.name for each in batch.account.names or ()}
    project = "Project" if rig.provider == "openai" else "Workspace"
    assert names["project", "proj_b"] == f"{project} b"
    assert names["key", "key_b"] == "Key b"
    assert names["user", "user_a"] == "User a"

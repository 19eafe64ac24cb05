"""Whatever a provider does, the ledger is what the account says once it says it, and each fault is one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.provider_rig import NOW, Rig
from tests.provider_world import DAY, HOUR, MINUTE, Answer, Asked, Fault, Group, error

B = Group(key="key_b", project="proj_b", user="user_b")


@pytest.fixture(params=["openai", "anthropic"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(request.param, tmp_path / "x.db")
    for days in range(20):
        made.world.use(NOW - days * DAY - 700, input=1000, cache_read=400, cache_write_5m=100, output=500, requests=5)
        made.world.use(NOW - days * DAY - 9000, B, input=10, output=7, requests=1)
    yield made
    await made.collector.close()
    assert made.world.breaches == []


def truth(rig: Rig) -> Counter[tuple[str, str, str, str]]:
    """What the account says; Anthropic counts no requests."""
    said = rig.world.truth()
    return Counter({key: n for key, n in said.items() if rig.provider == "openai" or key[3] != "requests"})


def exact(rig: Rig) -> bool:
    return rig.ledger() == truth(rig) and rig.usd_nano() == rig.world.usd_nano()


def usage(asked: Asked) -> bool:
    return "/usage" in asked.path


def on(match: Callable[[Asked], bool], answer: Callable[[], Answer | None], times: int = 10**6) -> Fault:
    """Answer so what matches, so many times."""
    left = [times]

    def fault(asked: Asked) -> Answer | None:
        if not match(asked) or not left[0]:
            return None
        left[0] -= 1
        return answer()

    return fault


def broken(_: object = None) -> Answer:
    raise TimeoutError


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


async def test_a_restart_reads_again_and_counts_nothing_twice(rig: Rig) -> None:
    await rig.poll()
    rig.world.use(NOW - 10 * DAY, B, output=77)
    await rig.restart()
    await rig.poll()
    assert exact(rig)


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


PAGES: dict[str, Callable[[Any], Any]] = {
    "has more and says not where": lambda page: page | {"has_more": True, "next_page": None},
    "leads back for ever": lambda page: page | {"has_more": True, "next_page": "page_again"},
    "buckets out of order": lambda page: page | {"data": page["data"][::-1]},
    "buckets twice": lambda page: page | {"data": page["data"] * 2},
    "rows twice": lambda page: page | {"data": [each | {"results": each["results"] * 2} for each in page["data"]]},
    "only buckets with something in them": lambda page: page | {"data": [x for x in page["data"] if x["results"]]},
    "new fields": lambda page: (
        page
        | {
            "data": [
                {**each, "x": 1, "results": [{**row, "new_thing": {"a": [1]}, "tier": 3} for row in each["results"]]}
                for each in page["data"]
            ]
        }
    ),
    "what is no bucket": lambda page: page | {"data": [*page["data"], {}, {"start_time": "x", "results": 7}]},
}


@pytest.mark.parametrize("name", PAGES)
async def test_odd_pages_are_read_for_what_they_say(rig: Rig, name: str) -> None:
    def mangle(asked: Asked, page: Any) -> Any:
        return PAGES[name](page) if usage(asked) and "claude_code" not in asked.path else page

    def back(asked: Asked) -> Answer | None:
        return rig.world.face.answer(rig.world, asked._replace(items=items(asked))) if "page" in asked.params else None

    def items(asked: Asked) -> tuple[tuple[str, str], ...]:
        return tuple(each for each in asked.items if each[0] != "page")

    rig.world.mangle = mangle
    rig.world.faults = [lambda a: (got := back(a)) and got._replace(body=mangle(a, got.body))]
    batch = await rig.poll()
    assert batch is not None
    assert exact(rig)
    assert rig.trouble == ""
    if "more" in name or "back" in name:
        assert rig.notes


@pytest.mark.parametrize("width", [DAY, 7 * DAY])
async def test_buckets_wider_than_asked_for_are_never_counted_beside_their_neighbours(rig: Rig, width: int) -> None:
    await rig.poll()
    before = rig.ledger()

    def widen(asked: Asked, page: Any) -> Any:
        if not usage(asked) or "data" not in page:
            return page
        rows = [row for each in page["data"] for row in each["results"]]
        begin = int((NOW - DAY) // DAY * DAY)
        names = ("start_time", "end_time") if rig.provider == "openai" else ("starting_at", "ending_at")
        times = [begin, begin + width]
        if rig.provider == "anthropic":
            from collectors._provider_time import rfc3339

            return page | {"data": [{**dict(zip(names, map(rfc3339, times), strict=True)), "results": rows}]}
        return page | {"data": [{**dict(zip(names, times, strict=True)), "results": rows}]}

    rig.world.mangle = widen
    await rig.poll(HOUR)
    assert rig.ledger() == before
    assert any("do not fit" in note for note in rig.notes)


async def test_a_row_that_cannot_be_read_is_left_out_and_told(rig: Rig) -> None:
    name = "input_tokens" if rig.provider == "openai" else "uncached_input_tokens"

    def spoil(asked: Asked, page: Any) -> Any:
        if usage(asked):
            for bucket in page.get("data", ()):
                for row in bucket.get("results", ()):
                    if row.get("api_key_id") == "key_b":
                        row[name] = -5
        return page

    rig.world.mangle = spoil
    batch = await rig.poll()
    assert batch is not None
    assert batch.rejected > 0
    assert any("cannot be negative" in note for note in rig.notes)
    assert {key for _, key, _, _ in rig.ledger()} == {"key_a"}


async def test_counts_that_are_missing_are_unknown_and_not_nothing(rig: Rig) -> None:
    optional = ("input_cached_tokens", "input_cache_write_tokens", "input_uncached_tokens", "cache_creation")

    def strip(asked: Asked, page: Any) -> Any:
        if usage(asked):
            for bucket in page.get("data", ()):
                for row in bucket.get("results", ()):
                    for name in (*optional, "server_tool_use", "service_tier", "batch", "user_id"):
                        row.pop(name, None)
        return page

    rig.world.mangle = strip
    await rig.poll()
    said = rig.ledger()
    inputs = 1500 * 20 if rig.provider == "openai" else 1000 * 20
    assert said["gpt-4o", "key_a", "proj_a", "input"] == inputs
    assert said["gpt-4o", "key_a", "proj_a", "output"] == 500 * 20
    assert ("gpt-4o", "key_a", "proj_a", "cache_write_5m") not in said


async def test_groups_that_are_null_are_counted_without_a_name(rig: Rig) -> None:
    groups = ("api_key_id", "project_id", "user_id", "workspace_id", "account_id", "model", "service_tier", "batch")

    def forget(asked: Asked, page: Any) -> Any:
        if usage(asked):
            for bucket in page.get("data", ()):
                for row in bucket.get("results", ()):
                    row |= dict.fromkeys(groups)
        return page

    rig.world.mangle = forget
    await rig.poll()
    whole: Counter[str] = Counter()
    for (_, _, _, name), amount in truth(rig).items():
        whole[name] += amount
    assert {key[3]: amount for key, amount in rig.ledger().items()} == whole
    assert {key[:3] for key in rig.ledger()} == {("", "", "")}


HOSTILE = "\x1b]0;owned\x07\u202ekey\ud800\x00" + "x" * 2000


async def test_hostile_names_are_kept_apart_and_told_without_escapes(rig: Rig) -> None:
    rig.world.use(NOW - 700, Group(key=HOSTILE.replace("\ud800", ""), model="m\x1b[31m"), input=3, requests=1)
    rig.world.faults = [on(lambda asked: "cost" in asked.path, lambda: error(500, HOSTILE.replace("\ud800", "")))]
    await rig.poll()
    assert sum(rig.ledger().values()) == sum(truth(rig).values())
    assert all(char.isprintable() for note in rig.notes for char in note)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>no</html>", b'{"data": 7}', b"[" * 50_000, b"\x00" * 10])
async def test_what_is_no_page_is_one_sentence(rig: Rig, body: bytes) -> None:
    rig.world.faults = [on(lambda _: True, lambda: Answer(200, body))]
    assert await rig.poll() is None
    assert "the answer of" in rig.trouble
    rig.world.faults = []
    await rig.poll(400.0)
    assert exact(rig)


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

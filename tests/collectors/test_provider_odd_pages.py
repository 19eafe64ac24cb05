"""Pages that are not as they should be are read for what they say, and nothing in them counts twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from collectors._provider_time import utc_seconds
from tests.collectors.faulty import B, account, broken, exact, on, truth, usage  # noqa: F401 - a fixture
from tests.provider_rig import NOW, Rig
from tests.provider_world import DAY, HOUR, Answer, Asked, Group, error

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


@pytest.mark.parametrize("results", [None, 7, {"input_tokens": 1}])
async def test_buckets_without_results_are_not_known_and_never_taken_for_empty_ones(rig: Rig, results: object) -> None:
    await rig.poll()
    before = rig.ledger()

    def spoil(asked: Asked, page: Any) -> Any:
        if usage(asked) and "claude_code" not in asked.path:
            return page | {"data": [each | {"results": results} for each in page["data"]]}
        return page

    rig.world.mangle = spoil
    await rig.poll(HOUR)
    assert rig.ledger() == before
    of_usage = [note for note in rig.notes if "no results" in note]
    assert len(of_usage) == (10 if rig.provider == "openai" else 1)


async def test_what_was_odd_in_the_newest_hours_is_told_although_older_ones_are_good(rig: Rig) -> None:
    def spoil(asked: Asked, page: Any) -> Any:
        if usage(asked) and asked.params.get("bucket_width") == "1h" and _end(asked) > NOW - 4 * HOUR:
            for row in (row for bucket in page["data"] for row in bucket["results"]):
                row["output_tokens"] = -5
        return page

    rig.world.use(NOW - 10 * HOUR, input=10, output=10, requests=1)
    rig.world.mangle = spoil
    await rig.poll()
    assert any("cannot be negative" in note for note in rig.notes)
    rig.world.mangle = lambda _asked, page: page
    await rig.poll(HOUR)
    assert rig.notes == ()
    assert exact(rig)


def _end(asked: Asked) -> int:
    said = asked.params.get("end_time") or asked.params["ending_at"]
    return int(said) if said.isdigit() else utc_seconds(said) or 0

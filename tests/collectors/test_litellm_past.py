"""What a LiteLLM proxy served before its page was first read is told from its own books, once, up to that moment."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from infertop.history.reader import Reader
from infertop.history.statements import statements_told
from infertop.readings.model import Batch, Covered, Statement
from tests.collectors.litellm_world import ACTIVITY, DAILY, LOGS, MIDNIGHT, activity, logged, pages, polls, proxy, told
from tests.collectors.provider_world import CANARY, NOW
from tests.history.world import recorded

DAY = 86400.0
ENOUGH = 30
STRIP = ("key", "team", "user")


def by_whom(statements: list[Statement]) -> dict[tuple[Any, ...], tuple[int | None, int | None, dict[str, int]]]:
    return {
        (s.start, s.provider, s.model, *(s.dimensions.get(name) for name in STRIP)): (
            s.requests,
            s.usd_nano,
            dict(s.quantities),
        )
        for s in statements
    }


async def test_days_before_the_first_page_are_told_by_provider_model_and_key_with_disjoint_tokens() -> None:
    there = proxy()
    batches = await polls(there, ENOUGH)
    bot, other = ("support-bot", "t-1", "alice"), ("c4ca4238a0b92382", None, None)
    assert by_whom(told(batches)) == {
        (MIDNIGHT - DAY, "openai", "gpt-4o", *bot): (
            40,
            1_250_000_000,
            {"input": 100_000, "output": 60_000, "requests_failed": 2},
        ),
        (MIDNIGHT - DAY, "azure", "gpt-4o", *bot): (16, 500_000_000, {"input": 40_000, "output": 24_000}),
        (MIDNIGHT - DAY, "openai", "gpt-4o", *other): (3, 12_500_000, {"input": 1000, "output": 600}),
        (MIDNIGHT - 2 * DAY, "anthropic", "claude-sonnet-4-5", *bot): (
            9,
            2_718_281_828,
            {"input": 50_000, "output": 12_000, "cache_read": 800_000, "cache_write_5m": 50_000},
        ),
        (MIDNIGHT - 2 * DAY, "hosted_vllm", "tiny-llama", *other): (7, None, {"input": 700, "output": 70}),
    }
    assert {(s.end - s.start, s.basis, s.source) for s in told(batches)} == {(DAY, "computed", "proxy")}
    assert list(dict.fromkeys(batch.notes for batch in batches)) == [
        ("reading back: 22 days are left",),
        ("reading back: a part of a day is left",),
        (),
    ]
    assert [asked.get("model") for asked in there.params(DAILY)] == [
        None,
        None,
        "claude-sonnet-4-5",
        "gpt-4o",
        "tiny-llama",
    ]
    assert {(asked["start_date"], asked["end_date"]) for asked in there.params(DAILY)} == {("2026-06-30", "2026-07-20")}


async def test_the_first_day_is_told_by_its_requests_up_to_the_moment_of_the_first_page() -> None:
    usage = {"prompt_tokens_details": {"cached_tokens": 60}, "cache_creation_input_tokens": 30}
    rows = [
        logged(1, "2026-07-21T00:30:00"),
        logged(2, "2026-07-21T12:01:04.999", metadata={"usage_object": usage}, request_tags=["b", "a"]),
        logged(3, "2026-07-21T12:01:05"),  # the page tells it
        logged(4, "2026-07-21T12:03:00Z"),
        logged(5, "2026-07-21T00:40:00", status="failure", spend=0, prompt_tokens=0, completion_tokens=0),
        logged(6, "2026-07-21T00:40:00", status="failure", model="made-up"),
    ]
    batches = await polls(proxy(daily={"results": []}, logs=pages(*rows)), ENOUGH)
    first, last = sorted(told(batches), key=lambda each: each.start)
    assert (first.start, first.end, first.requests, first.usd_nano) == (MIDNIGHT, MIDNIGHT + 3600, 1, 10_000_000)
    assert first.quantities == {"input": 100, "output": 10, "requests_failed": 1}
    assert first.dimensions == {"key": "support-bot", "team": "Search", "user": "alice"}
    assert (last.start, last.end, last.requests) == (MIDNIGHT + 12 * 3600, NOW, 1)
    assert last.quantities == {"input": 10, "output": 10, "cache_read": 60, "cache_write_5m": 30}
    assert last.dimensions == {"key": "9f86d081884c7d65", "team": "t-1", "user": "alice", "tag": "a,b"}
    (telling,) = [batch for batch in batches if batch.statements]
    assert telling.covered == (Covered(MIDNIGHT, NOW),)


async def test_a_first_page_at_midnight_leaves_the_day_before_to_the_days_and_nothing_to_the_logs() -> None:
    rows = [logged(1, "2026-07-21T00:00:00"), logged(2, "2026-07-20T23:59:59.9")]
    batches = await polls(proxy(logs=pages(*rows)), ENOUGH, start=MIDNIGHT)
    assert {s.end for s in told(batches)} == {MIDNIGHT, MIDNIGHT - DAY}
    batches = await polls(proxy(), ENOUGH, start=MIDNIGHT - 1)
    assert {s.end for s in told(batches)} == {MIDNIGHT - DAY}


async def test_requests_are_read_over_pages_and_all_of_them_or_none() -> None:
    rows = [logged(number, "2026-07-21T05:00:00") for number in range(1201)]
    there = proxy(daily={"results": []}, logs=pages(*rows))
    (said,) = told(await polls(there, ENOUGH))
    assert (said.requests, said.usd_nano, said.quantities["input"]) == (1201, 12_010_000_000, 120_100)
    assert [asked["page"] for asked in there.params(LOGS)] == ["1", "2", "3"]
    for total, sentence in ((20_001, "too many to be read back"), (1202, "changes while it is read")):
        there = proxy(daily={"results": []}, logs=lambda request, n=total: pages(*rows)(request) | {"total": n})
        batches = await polls(there, ENOUGH)
        assert told(batches) == []
        assert sentence in batches[-1].notes[0]


@pytest.mark.parametrize(
    ("daily", "sentence"),
    [
        ((500, {"detail": {"error": "No db connected"}}), "has no database that answers"),
        ((403, {}), "an administrator's key of LiteLLM"),
        ((401, {}), "an administrator's key of LiteLLM"),
        ((404, {}), "this release of LiteLLM does not tell"),
        (lambda _: httpx.Response(200, content=b"[" * 100_000), "answers with no object"),
        ({"results": None}, "answers with no results"),
        ({"results": [{"date": "2026-07-21", "breakdown": {}}]}, "days that were not asked"),
        ({"results": [{"date": "2026-07-20", "breakdown": {"models": {"m": {"metrics": {"spend": "x"}}}}}]}, "spend"),
        ({"results": [{"date": "2026-07-20", "breakdown": {"models": {"m": {"metrics": {"spend": -1}}}}}]}, "below 0"),
        (
            {
                "results": [
                    {
                        "date": "2026-07-20",
                        "breakdown": {"models": {f"m{n}": {"metrics": {"prompt_tokens": 1}} for n in range(201)}},
                    }
                ]
            },
            "201 models are more",
        ),
    ],
)
async def test_books_that_are_refused_or_odd_are_one_sentence_and_the_page_is_read(daily: Any, sentence: str) -> None:
    there = proxy(daily=daily)
    batches = await polls(there, ENOUGH)
    assert all(batch.series for batch in batches)
    assert told(batches) == []
    (note,) = batches[-1].notes
    assert sentence in note
    assert CANARY not in note
    assert len(there.params(DAILY)) <= 2  # not again before an hour
    assert there.params(LOGS) == []


async def test_books_that_answer_again_are_read_after_an_hour_and_the_sentence_goes() -> None:
    for path, refused in ((DAILY, (404, {})), (LOGS, (500, {}))):
        there = proxy(logs=pages(logged(1, "2026-07-21T05:00:00")))
        answer = there.answers[path]
        there.answers[path] = lambda request, said=(path, refused, answer, there): (
            said[1] if len(said[3].params(said[0])) == 1 else said[2](request)
        )
        batches = await polls(there, ENOUGH, every=600.0)
        assert any(batch.notes for batch in batches)
        assert batches[-1].notes == ()
        assert sum(s.requests or 0 for s in told(batches)) == 75 + 1


async def test_who_may_not_ask_about_others_is_not_taken_for_all() -> None:
    def own_alone(request: httpx.Request) -> Any:
        return (403, {}) if "user_id" in request.url.params else activity(request)

    batches = await polls(proxy(daily=own_alone), ENOUGH)
    assert told(batches) == []
    assert "an administrator's key" in batches[-1].notes[0]


async def test_a_proxy_that_does_not_divide_by_model_is_not_counted_once_for_each_model() -> None:
    batches = await polls(proxy(daily=lambda _request: ACTIVITY["*"]), ENOUGH)
    assert told(batches) == []
    assert "daily activity of 2 days does not add up" in batches[-1].notes[0]


async def test_a_day_that_says_more_of_keys_than_of_all_is_refused() -> None:
    odd = copy.deepcopy(ACTIVITY)
    for day in odd["gpt-4o"]["results"]:
        day["breakdown"]["providers"]["azure"]["metrics"]["prompt_tokens"] = 1
    batches = await polls(proxy(daily=lambda request: odd[request.url.params.get("model", "*")]), ENOUGH)
    assert told(batches) == []
    assert "more of keys than of all" in batches[-1].notes[0]


async def test_what_is_told_is_told_to_the_factor_of_the_books() -> None:
    batches = await polls(proxy(), ENOUGH)
    days = json.loads(json.dumps(ACTIVITY["*"]["results"]))
    for day, start in zip(days, (MIDNIGHT - DAY, MIDNIGHT - 2 * DAY), strict=True):
        said = [s for s in told(batches) if s.start == start]
        metrics = day["metrics"]
        assert sum(s.usd_nano or 0 for s in said) == round(metrics["spend"] * 10**9)
        inputs = ("input", "cache_read", "cache_write_5m")
        assert sum(s.quantities.get(name, 0) for s in said for name in inputs) == metrics["prompt_tokens"]
        assert sum(s.quantities["output"] for s in said) == metrics["completion_tokens"]
        assert sum(s.requests or 0 for s in said) == metrics["successful_requests"]


async def test_books_that_name_models_with_their_provider_tell_of_the_models_of_the_page() -> None:
    books = json.loads(json.dumps(ACTIVITY))
    for said in list(books.values()):
        for day in said["results"]:
            models = day["breakdown"]["models"]
            models |= {f"openai/{name}": models.pop(name) for name in ("gpt-4o",) if name in models}
    books["openai/gpt-4o"] = books.pop("gpt-4o")
    row = logged(1, "2026-07-21T05:00:00", model="openai/gpt-4o")
    there = proxy(daily=lambda request: books[request.url.params.get("model", "*")], logs=pages(row))
    models = {(s.provider, s.model) for s in told(await polls(there, ENOUGH))}
    assert {model for provider, model in models if provider == "openai"} == {"gpt-4o"}
    assert ("hosted_vllm", "tiny-llama") in models


async def test_a_day_takes_the_place_of_what_the_page_said_of_it_while_no_moment_was_kept(tmp_path: Path) -> None:
    before = Statement("proxy", "1/x", MIDNIGHT - 60, MIDNIGHT, "openai", "gpt-4o", {}, {"input": 5}, 1, 1, "computed")
    batches = [Batch("proxy", NOW, (), (), statements=(before,)), *await polls(proxy(), ENOUGH)]
    path = tmp_path / "infertop.db"
    recorded(path, NOW, *batches)
    reader = Reader(path)
    found = reader.ask(lambda db: list(statements_told(db, 0, NOW)))
    reader.close()
    assert sorted(each.key for each in found) == sorted(each.key for each in told(batches[1:]))
    assert all(each.key.startswith("daily|") for each in found)

"""What Helicone logged is summed by minute, model and customer, and only a cost that says its unit is one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from collectors.helicone import KIND
from infertop.engine.collector import State, Unavailable
from tests.collectors.provider_world import CANARY, NOW, Api, account, first

PATH = "/v1/request/query-clickhouse"
# Fields of HeliconeRequest in Helicone's own OpenAPI file, values made up.
REQUEST = {
    "request_id": "r0",
    "request_created_at": "2026-07-21T11:58:10.250Z",
    "response_status": 200,
    "provider": "OPENAI",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "request_user_id": "acme",
    "request_properties": {"Environment": "prod", "Helicone-Session-Id": "s1"},
    "prompt_tokens": 1000,
    "completion_tokens": 200,
    "total_tokens": 1200,
    "cost": 4500000,
    "costUSD": 0.0045,
}


def helicone(*requests: dict[str, Any]) -> Api:
    def answer(request: httpx.Request) -> dict[str, Any]:
        asked = json.loads(request.content)
        since, until = (
            asked["filter"][side]["request_response_rmt"]["request_created_at"][operator]
            for side, operator in (("left", "gte"), ("right", "lt"))
        )
        there = [each for each in requests if since <= each["request_created_at"] < until]
        there.sort(key=lambda each: each["request_created_at"])
        return {"data": there[asked["offset"] : asked["offset"] + asked["limit"]], "error": None}

    return Api({PATH: answer})


async def test_requests_are_summed_by_minute_model_and_whose_they_are() -> None:
    second = {**REQUEST, "request_id": "r1", "request_created_at": "2026-07-21T11:58:59.999Z"}
    batch = await first(account("helicone", helicone(REQUEST, second)))
    (said,) = batch.statements
    assert (said.start, said.end) == (1_784_635_080, 1_784_635_140)
    assert (said.provider, said.model, said.requests) == ("openai", "gpt-4o-2024-08-06", 2)
    assert said.dimensions == {"customer": "acme", "environment": "prod"}
    assert said.quantities == {"input": 2000, "output": 400}
    assert (said.usd_nano, said.basis) == (9_000_000, "computed")
    assert KIND.observes


async def test_a_cost_without_its_unit_is_none_and_what_is_computed_instead_an_estimate() -> None:
    batch = await first(account("helicone", helicone({**REQUEST, "costUSD": None})))
    assert [(each.usd_nano, each.basis) for each in batch.statements] == [(None, "estimated")]


async def test_requests_without_a_cost_are_apart_from_those_with_one() -> None:
    free = {**REQUEST, "request_id": "r1", "costUSD": 0}
    batch = await first(account("helicone", helicone(REQUEST, free)))
    assert sorted(each.usd_nano or 0 for each in batch.statements) == [0, 4_500_000]
    assert {each.requests for each in batch.statements} == {1}


async def test_what_failed_is_still_under_way_or_has_no_time_used_nothing() -> None:
    others = [{"response_status": 500}, {"response_status": None}, {"request_created_at": "2026-07-21T11:58:never"}]
    rows = [{**REQUEST, "request_id": f"r{n}", **other} for n, other in enumerate(others)]
    assert (await first(account("helicone", helicone(*rows)))).statements == ()


async def test_more_requests_than_one_question_tells_are_all_read_once() -> None:
    at = datetime(2026, 7, 21, 10, 0, tzinfo=UTC)
    rows = [
        {
            **REQUEST,
            "request_id": f"r{n}",
            "request_created_at": (at + timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for n in range(7000)
    ]
    batch = await first(account("helicone", helicone(*rows)))
    assert sum(each.requests or 0 for each in batch.statements) == 7000
    assert batch.notes == ()


async def test_a_row_that_cannot_be_read_is_left_out_and_counted() -> None:
    bad = {**REQUEST, "request_id": "r1", "prompt_tokens": -5}
    batch = await first(account("helicone", helicone(REQUEST, bad)))
    assert (len(batch.statements), batch.rejected) == (1, 1)


async def test_a_status_may_be_text_and_a_request_without_an_id_counts() -> None:
    others = [{"request_id": "r1", "response_status": "201"}, {"request_id": None}, {"request_id": None}]
    batch = await first(account("helicone", helicone(*({**REQUEST, **other} for other in others))))
    assert [each.requests for each in batch.statements] == [3]


async def test_an_answered_request_without_a_time_is_said() -> None:
    lost = {**REQUEST, "request_id": "r1", "request_created_at": "2026-07-21T11:58:never"}
    batch = await first(account("helicone", helicone(REQUEST, lost)))
    assert (len(batch.statements), batch.rejected) == (1, 1)
    assert "requests that have no time" in batch.notes[0]


async def test_a_refused_key_is_said_and_not_shown() -> None:
    answer = httpx.Response(401, json={"error": f"Invalid {CANARY}"})
    with pytest.raises(Unavailable) as caught:
        await first(account("helicone", lambda _request: answer), NOW)
    assert caught.value.state is State.AUTH
    assert CANARY not in caught.value.sentence


async def test_the_url_may_have_its_version() -> None:
    batch = await first(account("helicone", helicone(REQUEST), url="https://eu.api.helicone.ai/v1"))
    assert len(batch.statements) == 1

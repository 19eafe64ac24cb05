"""OpenRouter's charges, bills, credits and limits are its own to the last 1e-9 USD, and nothing is told twice."""

from __future__ import annotations

import json
from decimal import Decimal

import httpx
import pytest

from collectors._provider_halves import Rows, whole
from collectors._provider_plan import Span
from infertop.engine.collector import State, Unavailable
from infertop.readings.account import Balance
from tests.collectors.provider_world import CANARY, NOW, Api, account, first
from tests.collectors.reading import payload
from tests.provider_contract import Contract

MINUTE = "2026-07-21T11:58:00.000Z"
MINUTE_TS = 1_784_635_080
HOUR = "2026-07-20 09:00:00"
HOUR_TS = 1_784_538_000
# Names as OpenRouter's own documentation of its analytics lists them.
METRICS = ["credits_usage", "request_count", "tokens_prompt", "tokens_completion", "reasoning_tokens", "cached_tokens"]
META = {
    "metrics": [{"name": name} for name in [*METRICS, "avg_latency"]],
    "dimensions": [{"name": "model"}, {"name": "api_key_id"}, {"name": "country"}],
    "granularities": [],
    "operators": [],
}
PATHS = ("key", "keys", "credits", "activity", "analytics/meta", "analytics/query", "models")
ROW = {
    "model": "openai/gpt-4.1-2025-04-14",
    "api_key_id": "My Production Key",
    "credits_usage": 0.015,
    "request_count": "5",
    "tokens_prompt": "1000",
    "tokens_completion": "125",
    "reasoning_tokens": "25",
    "cached_tokens": "400",
}


def example(name: str):
    """OpenRouter's official example of an answer."""
    return json.loads(payload(f"openrouter/{name}.json"))


def analytics(request: httpx.Request):
    asked = json.loads(request.content)
    minutes = asked["granularity"] == "minute"
    row = {"date__minute": MINUTE, **ROW} if minutes else {"date__hour": HOUR, **ROW, "credits_usage": 1.5}
    at = MINUTE if minutes else HOUR.replace(" ", "T")
    rows = [row] if asked["time_range"]["start"] <= at < asked["time_range"]["end"] else []
    return {"data": {"data": rows, "metadata": {"query_time_ms": 1, "row_count": len(rows), "truncated": False}}}


def api(**other) -> Api:
    answers = {f"/{name}": example(name) for name in ("keys", "credits", "activity")}
    about = {"data": {**example("key")["data"], "is_management_key": True}}
    answers |= {"/models": {"data": []}}
    answers |= {"/key": about, "/analytics/meta": {"data": META}, "/analytics/query": analytics}
    return Api(answers | {f"/{name.replace('__', '/')}": said for name, said in other.items()})


async def test_charges_are_read_by_model_and_key_in_minutes_and_hours() -> None:
    batch = await first(account("openrouter", api()))
    by_start = {each.start: each for each in batch.statements}
    assert set(by_start) == {MINUTE_TS, HOUR_TS}
    said = by_start[MINUTE_TS]
    assert (said.end - said.start, said.provider, said.model) == (60, "openrouter", "openai/gpt-4.1-2025-04-14")
    assert said.dimensions == {"key": "My Production Key"}
    assert said.quantities == {"input": 600, "cache_read": 400, "output": 100, "reasoning": 25}
    assert (said.requests, said.usd_nano, said.basis) == (5, 15_000_000, "billed")
    assert by_start[HOUR_TS].usd_nano == 1_500_000_000
    assert batch.notes == ("0.01 USD of the last 30 days were spent with your own keys: their providers bill it",)


async def test_dollars_are_dollars_and_not_cents() -> None:
    batch = await first(account("openrouter", api()))
    assert sum(each.usd_nano or 0 for each in batch.statements) == 1_515_000_000
    assert batch.account is not None
    assert batch.account.balances == (Balance("openrouter", "USD", Decimal("74.75"), "credits"),)
    (allowed,) = batch.account.allowances or ()
    assert (allowed.limit_usd, allowed.spent_usd, allowed.period) == (100, Decimal("25.5"), "month")
    assert allowed.conditions == (("provider", "openrouter"), ("key", "My Production Key"))


async def test_only_what_openrouter_has_is_asked_for_and_minutes_for_three_hours_at_most() -> None:
    there = api()
    await first(account("openrouter", there))
    asked = there.bodies("/analytics/query")
    assert all(set(each["metrics"]) == set(METRICS) for each in asked)
    assert all(each["dimensions"] == ["model", "api_key_id"] for each in asked)
    minutes = [each["time_range"] for each in asked if each["granularity"] == "minute"]
    assert minutes == [{"start": "2026-07-21T10:00:00Z", "end": "2026-07-21T12:01:00Z"}]
    assert min(each["time_range"]["start"] for each in asked).startswith("2026-06-30T")


async def test_nothing_is_asked_that_openrouter_s_own_openapi_file_does_not_allow() -> None:
    there, contract = api(), Contract("openrouter")
    await first(account("openrouter", there))
    assert {each.url.path for each in there.asked} == {f"/{path}" for path in PATHS}
    for each in there.asked:
        said = json.loads(each.content).items() if each.content else each.url.params.items()
        assert contract.breach(each.url.path, [(name, str(value)) for name, value in said if name != "limit"]) == ""
    body = json.loads(payload("openrouter/contract.json"))["/analytics/query"]
    for asked in there.bodies("/analytics/query"):
        assert all(len(asked[name]) <= body[name]["maxItems"] for name in asked if "maxItems" in body[name])
        assert asked["granularity"] in ("minute", "hour")
        assert asked["limit"] <= 10_000


async def test_every_official_example_is_read() -> None:
    there = api(analytics__meta=example("analytics_meta"), analytics__query=example("analytics_query"))
    batch = await first(account("openrouter", there))
    (said,) = {(each.start, each.end, each.requests, each.usd_nano) for each in batch.statements}
    assert said == (1_735_689_600, 1_735_776_000, 1500, None)
    assert batch.account is not None
    (page,) = batch.account.bills
    (bill,) = page.bills
    assert (page.start, bill.model, bill.usd_nano) == (1_755_993_600, "openai/gpt-4.1-2025-04-14", 15_000_000)


async def test_completed_days_are_bills_by_model_and_today_is_none() -> None:
    rows = [{**example("activity")["data"][0], "date": date} for date in ("2026-07-19", "2026-07-20", "2026-07-21")]
    rows[1] |= {"usage": 2.25}
    batch = await first(account("openrouter", api(activity={"data": rows})))
    assert batch.account is not None
    told = [(page.start, page.end, [bill.usd_nano for bill in page.bills]) for page in batch.account.bills]
    assert told == [(1_784_419_200, 1_784_505_600, [15_000_000]), (1_784_505_600, 1_784_592_000, [2_250_000_000])]
    assert {bill.model for page in batch.account.bills for bill in page.bills} == {"openai/gpt-4.1-2025-04-14"}
    assert any("their providers bill it" in note for note in batch.notes)


async def test_a_day_of_which_a_row_cannot_be_read_is_not_settled_by_the_others() -> None:
    row = {**example("activity")["data"][0], "date": "2026-07-20"}
    batch = await first(account("openrouter", api(activity={"data": [row, {**row, "usage": "much"}]})))
    assert batch.account is not None
    assert batch.account.bills == ()
    assert batch.notes == ("OpenRouter's /activity: usage is no amount of money",)


async def test_an_ordinary_key_tells_its_limit_and_what_else_needs_another_key() -> None:
    refused = (403, {"error": {"message": "Only management keys can do this"}})
    others = dict.fromkeys(("analytics__meta", "credits", "activity"), refused)
    batch = await first(account("openrouter", api(key=example("key"), **others)))
    assert batch.statements == ()
    assert batch.account is not None
    assert [(each.name, each.spent_usd) for each in batch.account.allowances or ()] == [
        ("OpenRouter: this key", Decimal("25.5"))
    ]
    (said,) = batch.notes
    assert "(likewise credits, activity); spend, credits and limits by key need a management key" in said


async def test_what_an_ordinary_key_without_a_limit_has_used_is_told_and_counted_nowhere() -> None:
    about = {"data": {**example("key")["data"], "limit": None, "limit_remaining": None}}
    refused = (403, {})
    there = api(key=about, analytics__meta=refused, credits=refused, activity=refused)
    batch = await first(account("openrouter", there))
    assert (batch.statements, batch.account and batch.account.allowances) == ((), ())
    assert any("25.50 USD today" in note and "in no total" in note for note in batch.notes)


async def test_a_key_that_is_refused_is_one_sentence_without_the_key() -> None:
    answer = httpx.Response(401, json={"error": {"message": f"bad key {CANARY}"}})
    with pytest.raises(Unavailable, match="does not accept the key") as caught:
        await first(account("openrouter", lambda _request: answer))
    assert caught.value.state is State.AUTH
    assert CANARY not in caught.value.sentence


async def test_tokens_that_contradict_each_other_are_left_out_and_their_cost_is_not() -> None:
    def odd(request: httpx.Request):
        said = analytics(request)
        for row in said["data"]["data"]:
            row["reasoning_tokens"] = "9999"
        return said

    batch = await first(account("openrouter", api(analytics__query=odd)))
    assert sum(each.usd_nano or 0 for each in batch.statements) == 1_515_000_000
    assert all(each.quantities == {} for each in batch.statements)


async def test_a_row_without_a_time_is_said_and_the_others_are_told() -> None:
    def odd(request: httpx.Request):
        said = analytics(request)
        said["data"]["data"] += [{**row, "date__minute": None} for row in said["data"]["data"] if "date__minute" in row]
        return said

    batch = await first(account("openrouter", api(analytics__query=odd)))
    assert sum(each.usd_nano or 0 for each in batch.statements) == 1_515_000_000
    assert "OpenRouter's /analytics/query answers with 1 rows that have no time: they are not known" in batch.notes
    (minutes,) = [each for each in batch.covered if each.end - each.start == 60]
    assert minutes.start == MINUTE_TS


async def test_an_answer_that_is_as_long_as_it_may_be_is_taken_for_cut_off_whatever_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collectors._openrouter_usage._MOST_ROWS", 1)
    batch = await first(account("openrouter", api()))
    assert batch.statements == ()
    assert any("cuts off" in note for note in batch.notes)


async def test_the_url_may_be_that_of_the_site() -> None:
    there = api()
    there.answers = {f"/api/v1{path}": said for path, said in there.answers.items()}
    batch = await first(account("openrouter", there))
    assert len(batch.statements) == 2


async def test_an_answer_that_is_cut_off_is_asked_by_halves() -> None:
    asked: list[Span] = []

    async def ask(span: Span) -> Rows:
        asked.append(span)
        return Rows([{"at": at} for at in range(span.start, span.end, span.width)][:2], span.buckets > 2)

    found = await whole(ask, Span("usage", 0, 300, 60), "x")
    assert sorted(row["at"] for row in found.rows) == [0, 60, 120, 180, 240]
    assert found.note == ""


async def test_a_bucket_that_is_always_cut_off_is_left_out_and_ends() -> None:
    count = 0

    async def ask(_span: Span) -> Rows:
        nonlocal count
        count += 1
        return Rows([{"n": 1}], True)

    found = await whole(ask, Span("usage", 0, 60 * 600, 60), "x")
    assert (found.rows, found.spans) == ([], [])
    assert found.note == "x cuts off its answers: a part of what was used is left out"
    assert count <= 32


async def test_too_many_requests_wait_as_long_as_they_are_told() -> None:
    slow = httpx.Response(429, headers={"retry-after": "40"}, json={})
    with pytest.raises(Unavailable) as caught:
        await first(account("openrouter", lambda _request: slow), NOW)
    assert caught.value.retry_seconds is not None
    assert 39 <= caught.value.retry_seconds <= 40


PRICED = {
    "id": "openai/gpt-4.1",
    "canonical_slug": "openai/gpt-4.1-2025-04-14",
    "pricing": {
        "prompt": "0.000002",
        "completion": "0.000008",
        "input_cache_read": "0.0000005",
        "request": "0",
        "web_search": "0.01",
        "overrides": [{"min_prompt_tokens": 200_000, "prompt": "0.000004"}],
    },
}


async def test_list_prices_are_told_of_the_models_that_were_used_by_the_million() -> None:
    unused = {"id": "openai/gpt-4", "canonical_slug": "openai/gpt-4", "pricing": {"prompt": "0.00003"}}
    batch = await first(account("openrouter", api(models={"data": [unused, PRICED, {"id": "no/price"}]})))
    assert batch.account is not None
    (said,) = batch.account.list_prices or ()
    assert (said.provider, said.model, said.varies) == ("openrouter", "openai/gpt-4.1-2025-04-14", True)
    assert dict(said.prices) == {
        "input": 2,
        "cache_read": Decimal("0.5"),
        "output": 8,
        "web_searches": Decimal("0.01"),
    }
    assert all(each.basis == "billed" for each in batch.statements), "nothing is priced by them"


async def test_a_discount_is_taken_off_and_what_is_no_price_is_said() -> None:
    cheap = {**PRICED, "pricing": {"prompt": "0.000002", "completion": "-1", "discount": 0.25}}
    batch = await first(account("openrouter", api(models={"data": [cheap]})))
    assert batch.account is not None
    assert [each.prices for each in batch.account.list_prices or ()] == [(("input", Decimal("1.5")),)]
    odd = {**PRICED, "pricing": {"prompt": "free"}}
    batch = await first(account("openrouter", api(models={"data": [odd]})))
    assert batch.account is not None
    assert batch.account.list_prices == ()
    assert "OpenRouter's /models: prompt is no amount of money" in " ".join(batch.notes)

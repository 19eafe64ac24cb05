"""What Langfuse logged is told by model, environment and trace, whole, and never as anybody's bill."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from collectors import KINDS
from collectors.langfuse import KIND
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.http import Http
from infertop.engine.secrets import Secret
from tests.collectors.provider_world import NOW, URL, Api, first
from tests.fakes import FakeClock

PATH = "/api/public/v2/metrics"
MINUTE_TS = 1_784_635_080
HOUR_TS = 1_784_538_000
# The shape is that of Langfuse's documentation, numbers as ClickHouse tells them: counts as text.
ROW = {
    "providedModelName": "gpt-4o-2024-08-06",
    "environment": "production",
    "traceName": "support-bot",
    "count_count": "5",
    "sum_inputTokens": "1000",
    "sum_outputTokens": "250",
    "sum_totalCost": 0.005,
}


def asked(request: httpx.Request) -> dict[str, Any]:
    return json.loads(request.url.params["query"])


def metrics(*rows: dict[str, Any]):
    """Answers with these rows, each where its time was asked for."""

    def answer(request: httpx.Request) -> dict[str, Any]:
        question = asked(request)
        width = question["timeDimension"]["granularity"]
        since, until = question["fromTimestamp"], question["toTimestamp"]
        fitting = [{k: v for k, v in row.items() if k != "width"} for row in rows if row["width"] == width]
        return {"data": [row for row in fitting if since <= row["time_dimension"].replace(" ", "T") < until]}

    return answer


MINUTE = {**ROW, "time_dimension": "2026-07-21T11:58:00.000Z", "width": "minute"}
HOUR = {**ROW, "time_dimension": "2026-07-20 09:00:00", "width": "hour", "sum_totalCost": "1.5"}


def langfuse(answer, **options: object):
    http = Http(URL, key=Secret("cGs6c2s="), key_scheme="Basic", transport=httpx.MockTransport(answer))
    return KIND.make(SourceConfig("langfuse", "langfuse", URL, 1200.0, options=options), http, FakeClock())


async def test_it_is_told_by_model_environment_and_trace_in_minutes_and_hours() -> None:
    batch = await first(langfuse(Api({PATH: metrics(MINUTE, HOUR)})))
    by_start = {each.start: each for each in batch.statements}
    assert set(by_start) == {MINUTE_TS, HOUR_TS}
    said = by_start[MINUTE_TS]
    assert (said.end - said.start, said.model, said.requests) == (60, "gpt-4o-2024-08-06", 5)
    assert said.dimensions == {"environment": "production", "feature": "support-bot"}
    assert said.quantities == {"input": 1000, "output": 250}
    assert (said.usd_nano, said.basis) == (5_000_000, "computed")
    assert by_start[HOUR_TS].usd_nano == 1_500_000_000


async def test_a_row_of_a_model_without_a_time_is_said_and_one_of_no_model_is_not() -> None:
    said = {**ROW, "time_dimension": "2026-07-21T11:58:00.000Z"}
    rows = [said, {**ROW, "time_dimension": None}, {**ROW, "time_dimension": None, "providedModelName": None}]
    batch = await first(
        langfuse(Api({PATH: lambda request: {"data": rows if "minute" in str(asked(request)) else []}}))
    )
    assert [each.usd_nano for each in batch.statements] == [5_000_000]
    assert batch.notes[0] == f"Langfuse's {PATH} answers with 1 rows that have no time: they are not known"


async def test_who_answered_is_not_told_and_left_open() -> None:
    batch = await first(langfuse(Api({PATH: metrics(MINUTE)})))
    assert {each.provider for each in batch.statements} == {""}
    assert KINDS["langfuse"].observes


async def test_of_a_model_that_costs_nothing_there_no_cost_is_stated() -> None:
    rows = [{**MINUTE, "sum_totalCost": cost, "traceName": f"{cost}"} for cost in (0, None, "0.0")]
    batch = await first(langfuse(Api({PATH: metrics(*rows)})))
    assert [each.usd_nano for each in batch.statements] == [None] * 3


async def test_spans_and_tools_that_use_no_model_are_left_out() -> None:
    rows = [{**MINUTE, "providedModelName": None, "sum_inputTokens": None}, MINUTE]
    batch = await first(langfuse(Api({PATH: metrics(*rows)})))
    assert len(batch.statements) == 1
    assert batch.notes == ()


async def test_tags_are_told_where_they_are_asked_for_and_as_one() -> None:
    row = {**MINUTE, "tags": ["b", "a"]}
    there = Api({PATH: metrics(row)})
    batch = await first(langfuse(there, by=["tags"]))
    assert [dict(each.dimensions) for each in batch.statements] == [{"tag": "a,b"}]
    assert asked(there.asked[0])["dimensions"] == [{"field": "providedModelName"}, {"field": "tags"}]


@pytest.mark.parametrize("wrong", ["tags", ["userId"], [1], 3])
def test_what_cannot_be_told_apart_is_a_mistake(wrong: object) -> None:
    with pytest.raises(ValueError, match="by must be a list of some of environment, traceName"):
        langfuse(Api({}), by=wrong)


async def test_an_answer_of_as_many_rows_as_may_be_is_asked_again_by_halves() -> None:
    rows = [
        {**HOUR, "traceName": f"t{n}", "time_dimension": f"2026-07-20T{hour:02}:00:00Z"}
        for n in range(600)
        for hour in (9, 10)
    ]
    there = Api({PATH: lambda request: {"data": metrics(*rows)(request)["data"][:1000]}})
    batch = await first(langfuse(there))
    assert len(batch.statements) == 1200
    assert batch.notes == ()
    assert all(asked(each)["config"] == {"row_limit": 1000} for each in there.asked)


async def test_a_server_without_the_newer_path_is_asked_by_the_older_one() -> None:
    there = Api({"/api/public/metrics": metrics(MINUTE)})
    assert len((await first(langfuse(there))).statements) == 1


async def test_wrong_keys_are_one_sentence_with_what_is_needed() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"message": f"Invalid credentials {request.headers['authorization']}"})

    with pytest.raises(Unavailable, match="a public and a secret key of the project are needed") as caught:
        await first(langfuse(echo))
    assert caught.value.state is State.AUTH
    assert "cGs6c2s=" not in caught.value.sentence


async def test_more_questions_than_the_plan_allows_are_waited_out() -> None:
    slow = httpx.Response(429, headers={"retry-after": "600"}, json={})
    with pytest.raises(Unavailable) as caught:
        await first(langfuse(lambda _request: slow), NOW)
    assert caught.value.retry_seconds is not None
    assert 599 <= caught.value.retry_seconds <= 600


@pytest.mark.parametrize("bad", [{"sum_inputTokens": "-3"}, {"count_count": 1.5}, {"sum_totalCost": "much"}])
async def test_a_row_that_cannot_be_read_is_left_out_and_counted(bad: dict[str, Any]) -> None:
    batch = await first(langfuse(Api({PATH: metrics({**MINUTE, **bad}, HOUR)})))
    assert len(batch.statements) == 1
    assert batch.rejected == 1


async def test_both_keys_are_sent_as_one_of_http(monkeypatch: pytest.MonkeyPatch) -> None:
    from infertop.commands.accounts import account_http, accounts_here

    environ = {"LANGFUSE_PUBLIC_KEY": "pk-lf-12345678", "LANGFUSE_SECRET_KEY": "sk-lf-12345678"}
    there = {**environ, "LANGFUSE_HOST": "https://langfuse.example.com"}
    assert [each.kind for each in accounts_here(there, ())] == ["langfuse"]
    assert accounts_here({"LANGFUSE_PUBLIC_KEY": "pk-lf-12345678"}, ()) == []
    assert KIND.api is not None
    http = account_http(SourceConfig("langfuse", "langfuse"), KIND.api, there)
    assert http.origin is not None
    assert http.origin.host == "langfuse.example.com"
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(200, json={"data": []})

    monkeypatch.setattr(http, "_given", httpx.MockTransport(answer))
    await http.get("/api/public/v2/metrics")
    assert sent == ["Basic " + base64.b64encode(b"pk-lf-12345678:sk-lf-12345678").decode()]
    one = {"PAIR": "pk-lf-12345678:sk-lf-12345678", "LONE": "sk-lf-12345678"}
    assert account_http(SourceConfig("langfuse", "langfuse", key_env="PAIR"), KIND.api, one)
    with pytest.raises(Unavailable, match="two keys in one: public:secret"):
        account_http(SourceConfig("langfuse", "langfuse", key_env="LONE"), KIND.api, one)

"""Groq's rates become what was used, by model and project; an ordinary key is told what works instead."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from infertop.engine.collector import State, Unavailable
from tests.collectors.provider_world import NOW, Api, account, first

PATH = "/metrics/prometheus/api/v1/query_range"
RATES = {"requests": 0.05, "tokens_in": 100.0, "tokens_out": 12.5}  # per second


def metrics(value=str, labels: dict[str, str] | None = None):
    """Answers as Prometheus does: a value at each step, as text."""

    def answer(request: httpx.Request) -> dict[str, Any]:
        asked = request.url.params
        name = re.search(r":(\w+):rate5m", asked["query"])
        assert name
        steps = range(int(asked["start"]), int(asked["end"]) + 1, int(asked["step"]))
        who = labels or {"model": "llama-3.3-70b-versatile", "project_id": "project_1"}
        series = {"metric": who, "values": [[at, value(RATES[name[1]])] for at in steps]}
        return {"status": "success", "data": {"resultType": "matrix", "result": [series]}}

    return answer


async def test_a_rate_times_its_bucket_is_what_was_used() -> None:
    batch = await first(account("groq", Api({PATH: metrics()})))
    minutes = [each for each in batch.statements if each.end - each.start == 60]
    hours = [each for each in batch.statements if each.end - each.start == 3600]
    assert len(minutes) == 121  # 10:00 to 12:01
    assert {tuple(each.quantities.items()) for each in minutes} == {(("input", 6000), ("output", 750))}
    assert {tuple(each.quantities.items()) for each in hours} == {(("input", 360_000), ("output", 45_000))}
    assert {(each.model, each.requests, each.basis) for each in minutes} == {
        ("llama-3.3-70b-versatile", 3, "estimated")
    }
    assert {tuple(each.dimensions.items()) for each in minutes} == {(("project", "project_1"),)}
    assert max(each.end for each in minutes) <= NOW
    assert batch.notes == ()


async def test_what_was_not_used_is_not_told() -> None:
    batch = await first(account("groq", Api({PATH: metrics(lambda _rate: "0")})))
    assert batch.statements == ()


@pytest.mark.parametrize("odd", ["NaN", "+Inf", "-1", "much", None, 7, ["1"]])
async def test_values_that_are_no_rates_are_nothing(odd: Any) -> None:
    batch = await first(account("groq", Api({PATH: metrics(lambda _rate: odd)})))
    assert batch.statements == ()


@pytest.mark.parametrize("status", [403, 404])
async def test_an_ordinary_key_is_told_what_works_instead(status: int) -> None:
    with pytest.raises(
        Unavailable, match=r"Enterprise tier alone: read a gateway in front of it \(litellm\)"
    ) as caught:
        await first(account("groq", Api({PATH: (status, {})})))
    assert caught.value.state is State.ABSENT


@pytest.mark.parametrize("page", [{}, {"data": {"result": None}}, {"data": []}, {"data": {"result": "x"}}])
async def test_an_answer_of_another_form_is_a_sentence(page: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="no list of series"):
        await first(account("groq", Api({PATH: page})))

"""Whatever a provider answers, its collector tells statements that can stand, or a sentence fit for a terminal."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infertop.engine.collector import Unavailable
from infertop.readings.model import Batch
from tests.collectors.provider_world import CANARY, NOW, account, first
from tests.collectors.reading import payload

AT = "2026-07-21T11:58:00.000Z"
ROW = {"model": "m", "api_key_id": "k", "credits_usage": 0.5, "request_count": "5", "tokens_prompt": "10"}
# What each kind is answered, whatever it asks: an answer to everything that it may have asked for.
WHOLE: dict[str, Any] = {
    "openrouter": {
        "data": {
            "data": [
                {"date__minute": AT, **ROW, "tokens_completion": "9", "reasoning_tokens": "3", "cached_tokens": "1"}
            ],
            "metadata": {"truncated": False},
            "metrics": [{"name": "credits_usage"}, {"name": "tokens_prompt"}],
            "dimensions": [{"name": "model"}],
            "limit": 100,
            "limit_remaining": 74.5,
            "limit_reset": "monthly",
            "is_management_key": False,
            "total_credits": 10,
            "total_usage": 3.5,
        }
    },
    "deepseek": json.loads(payload("balances/deepseek.json")),
    "moonshot": json.loads(payload("balances/moonshot.json")),
    "siliconflow": json.loads(payload("balances/siliconflow.json")),
    "xai": {
        "teamId": "t-1",
        "total": {"val": "-2317"},
        "timeSeries": [
            {"group": ["Chat grok-4"], "dataPoints": [{"timestamp": "2026-07-20T00:00:00Z", "values": [0.5]}]}
        ],
        "limitReached": False,
    },
    "fireworks": {
        "accounts": [{"name": "accounts/acme"}],
        "lineItems": [
            {
                "category": "LLM output tokens",
                "groupingValue": "GLM 5.2",
                "quantity": "5",
                "totalCost": {"currencyCode": "USD", "units": "1", "nanos": 5},
            }
        ],
    },
    "groq": {
        "status": "success",
        "data": {
            "resultType": "matrix",
            "result": [{"metric": {"model": "m", "project_id": "p"}, "values": [[1_784_635_140, "0.5"]]}],
        },
    },
    "langfuse": {
        "data": [
            {
                "time_dimension": AT,
                "providedModelName": "m",
                "environment": "e",
                "count_count": "1",
                "sum_inputTokens": "5",
                "sum_totalCost": 0.5,
            }
        ]
    },
    "helicone": {
        "data": [
            {
                "request_id": "r",
                "request_created_at": AT,
                "response_status": 200,
                "provider": "OPENAI",
                "response_model": "m",
                "request_properties": {"environment": "e"},
                "prompt_tokens": 5,
                "costUSD": 0.5,
            }
        ]
    },
}
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1e999", "NaN", "-1", "2026-07-21", AT, "\x1b[31m", "9" * 400, 10**400])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in an answer, the whole of it first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for name, part in inner for each in places(part, (*path, name)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def read(kind: str, answer: Any) -> Batch | None:
    """Read once; None where nothing could be read, which must be said in a sentence."""
    body = json.dumps(answer).encode()
    try:
        return asyncio.run(first(account(kind, lambda _request: httpx.Response(200, content=body)), NOW))
    except Unavailable as trouble:
        said = trouble.sentence
    assert said.isprintable()
    assert CANARY not in said
    return None


def check(batch: Batch) -> None:
    assert all(note.isprintable() for note in batch.notes), batch.notes
    for said in batch.statements:
        assert 0 <= said.start < said.end
        assert all(isinstance(amount, int) and amount >= 0 for amount in said.quantities.values())
        assert all(isinstance(text, str) and text for text in said.dimensions.values())
        assert said.model is None or isinstance(said.model, str)
        assert said.requests is None or said.requests >= 0
        assert said.usd_nano is None or isinstance(said.usd_nano, int)
    assert len({said.key for said in batch.statements}) == len(batch.statements)
    covered = [span for span in batch.covered or () if span.scope]
    for said in batch.statements:
        assert any(said.key.startswith(span.scope) and span.start <= said.start < span.end for span in covered)


@pytest.mark.parametrize("kind", WHOLE)
def test_the_answer_that_is_bent_below_is_read(kind: str) -> None:
    batch = read(kind, WHOLE[kind])
    assert batch is not None
    check(batch)
    assert batch.statements or (batch.account and batch.account.balances)


@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_an_answer_with_anything_in_any_place_breaks_nothing(kind: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(places(WHOLE[kind])))
    batch = read(kind, replaced(WHOLE[kind], path, data.draw(ANYTHING)))
    if batch is not None:
        check(batch)

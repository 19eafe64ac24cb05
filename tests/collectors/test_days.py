"""Bills by the day (xAI, Fireworks) are stated whole, to the last 1e-9 USD, and a day is never told twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infertop.engine.collector import State, Unavailable
from infertop.readings.account import Balance
from tests.collectors.provider_world import CANARY, NOW, Api, account, first

TODAY, YESTERDAY = 1_784_592_000, 1_784_505_600  # 2026-07-21, 2026-07-20
TEAM = {"apiKeyId": "k", "teamId": "t-1", "scope": "SCOPE_TEAM", "scopeId": "t-1"}
BALANCE = {"changes": [{"teamId": "t-1", "changeOrigin": "PURCHASE"}], "total": {"val": "-2317"}}


def usage(*rows: tuple[str, str, Any], limit: bool = False):
    """xAI's series of (what was charged, day, USD), those days that are asked for."""

    def answer(request: httpx.Request) -> dict[str, Any]:
        asked = json.loads(request.content)["analyticsRequest"]["timeRange"]
        series = [
            {"group": [group], "dataPoints": [{"timestamp": f"{day}T00:00:00Z", "values": [usd]}]}
            for group, day, usd in rows
            if asked["startTime"] <= f"{day} 00:00:00" < asked["endTime"]
        ]
        return {"timeSeries": series, "limitReached": limit}

    return answer


def xai(*rows: tuple[str, str, Any], **other: Any) -> Api:
    team = "/v1/billing/teams/t-1"
    answers = {
        "/auth/management-keys/validation": TEAM,
        f"{team}/prepaid/balance": BALANCE,
        f"{team}/usage": usage(*rows),
    }
    return Api(answers | {f"{team}/{name}": said for name, said in other.items()})


SPENT = (
    ("Chat grok-4-0709", "2026-07-20", 0.76),
    ("Chat grok-4-0709", "2026-07-21", "0.10"),
    ("grok-2-image-1212", "2026-07-20", 0.07),
)


async def test_xai_s_days_are_dollars_by_model_and_today_ends_now() -> None:
    batch = await first(account("xai", xai(*SPENT)))
    told = {(each.start, each.end, each.model): each.usd_nano for each in batch.statements}
    assert told == {
        (YESTERDAY, TODAY, "grok-4-0709"): 760_000_000,
        (YESTERDAY, TODAY, "grok-2-image-1212"): 70_000_000,
        (TODAY, int(NOW) // 60 * 60, "grok-4-0709"): 100_000_000,
    }
    assert {(each.provider, each.basis, each.requests) for each in batch.statements} == {("xai", "billed", None)}
    days = [each.start for each in batch.covered or ()]
    assert len(days) == len(set(days)) == 22  # the month so far where it began first, and today
    assert all(each.scope == "bill|" for each in batch.covered or ())


async def test_xai_s_ledger_of_credits_is_in_cents_and_the_other_way_round() -> None:
    batch = await first(account("xai", xai(*SPENT)))
    assert batch.account is not None
    assert batch.account.balances == (Balance("xai", "USD", Decimal("23.17"), "prepaid, as of the last cycle"),)


async def test_a_team_that_is_billed_afterwards_has_no_balance_and_its_days() -> None:
    there = xai(*SPENT)
    del there.answers["/v1/billing/teams/t-1/prepaid/balance"]
    batch = await first(account("xai", there))
    assert batch.account is not None
    assert batch.account.balances is None
    assert len(batch.statements) == 3


@pytest.mark.parametrize(
    ("other", "sentence"),
    [({"usage": usage(*SPENT, limit=True)}, "cuts off its answer"), ({"usage": (403, {})}, "HTTP 403")],
)
async def test_days_that_are_not_told_leave_the_balance_and_a_sentence(other: dict[str, Any], sentence: str) -> None:
    batch = await first(account("xai", xai(**other)))
    assert (batch.statements, batch.covered) == ((), ())
    assert batch.account is not None
    assert batch.account.balances
    assert sentence in batch.notes[0]


async def test_a_key_of_no_team_is_a_sentence() -> None:
    with pytest.raises(Unavailable, match="belongs to no team"):
        await first(account("xai", Api({"/auth/management-keys/validation": {"scope": "SCOPE_USER"}})))


async def test_a_day_is_asked_again_while_it_may_change() -> None:
    there = xai(*SPENT)
    collector = account("xai", there)
    for ts in (NOW, NOW + 60, NOW + 300, NOW + 3600):
        await collector.collect(ts)
    await collector.close()
    ranges = [
        tuple(each["analyticsRequest"]["timeRange"][name][:10] for name in ("startTime", "endTime"))
        for each in there.bodies("/v1/billing/teams/t-1/usage")
    ]
    assert ranges == [("2026-06-30", "2026-07-22"), ("2026-07-21", "2026-07-22"), ("2026-07-18", "2026-07-22")]


def item(category: str, quantity: Any, units: Any, nanos: Any, currency: str = "USD") -> dict[str, Any]:
    """An item as Fireworks' billing summary has it, values made up."""
    cost = {"currencyCode": currency, "units": units, "nanos": nanos}
    return {
        "category": category,
        "groupingValue": "GLM 5.2",
        "quantity": quantity,
        "series": "SERVERLESS",
        "totalCost": cost,
    }


ITEMS = [
    item("LLM input tokens (cached)", "3842372426", "537", 932139640),
    item("LLM output tokens", 88415929, "389", 30087600),
]


def fireworks(*items: dict[str, Any], day: int = YESTERDAY) -> Api:
    def summary(request: httpx.Request) -> dict[str, Any]:
        start = datetime.fromisoformat(request.url.params["startTime"])
        return {"lineItems": list(items) if start == datetime.fromtimestamp(day, UTC) else None, "usageBuckets": []}

    listed = {"accounts": [{"name": "accounts/acme", "displayName": "Acme"}]}
    return Api({"/accounts": listed, "/accounts/acme/billing/summary": summary})


async def read_whole(there: Api) -> tuple[list[Any], list[str]]:
    collector = account("fireworks", there)
    said, notes, ts = [], [], NOW
    for _ in range(10):
        batch = await collector.collect(ts)
        said += batch.statements
        notes += batch.notes
        if batch.again_seconds is None:
            break
        ts += batch.again_seconds
    await collector.close()
    return said, notes


async def test_fireworks_units_and_nanos_are_one_amount_and_tokens_are_by_class() -> None:
    (said,), _ = await read_whole(fireworks(*ITEMS))
    assert (said.start, said.end, said.model) == (YESTERDAY, TODAY, "glm-5p2")
    assert said.usd_nano == 537_932_139_640 + 389_030_087_600
    assert said.quantities == {"cache_read": 3_842_372_426, "output": 88_415_929}
    assert said.basis == "billed"


async def test_the_month_is_read_back_bit_by_bit_and_says_how_much_is_left() -> None:
    there = fireworks(*ITEMS)
    _, notes = await read_whole(there)
    assert notes[:2] == ["reading back: 14 days are left", "reading back: 6 days are left"]
    asked = [each["startTime"] for each in there.params("/accounts/acme/billing/summary")]
    assert len(asked) == len(set(asked)) == 22


async def test_what_is_not_in_usd_or_no_amount_is_left_out_and_told() -> None:
    odd = [item("x", 1, "1", 0, "EUR"), item("x", 1, "much", 0), item("x", 1, "1", 10**9), item("x", True, "1", True)]
    said, notes = await read_whole(fireworks(*ITEMS, *odd))
    assert sum(each.usd_nano for each in said) == 926_962_227_240
    assert any("an amount is in EUR, not in USD" in note for note in notes)


async def test_what_is_not_rated_yet_says_nothing() -> None:
    said, _ = await read_whole(fireworks({"category": "unrated", "groupingValue": "GLM 5.2", "quantity": "5"}))
    assert said == []


async def test_a_key_that_sees_no_account_is_told_what_to_do() -> None:
    with pytest.raises(Unavailable, match="name yours with `account`"):
        await first(account("fireworks", Api({"/accounts": {"accounts": []}})))


async def test_an_account_that_is_named_is_asked_for_alone() -> None:
    there = fireworks(*ITEMS)
    await first(account("fireworks", there, account="acme"))
    assert "/accounts" not in {each.url.path for each in there.asked}


@pytest.mark.parametrize("kind", ["xai", "fireworks"])
async def test_a_refused_key_is_said_and_not_shown(kind: str) -> None:
    answer = httpx.Response(401, json={"error": {"message": f"bad {CANARY}"}})
    with pytest.raises(Unavailable) as caught:
        await first(account(kind, lambda _request: answer))
    assert caught.value.state is State.AUTH
    assert CANARY not in caught.value.sentence

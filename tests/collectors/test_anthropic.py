"""Anthropic's own examples to the exact token and cent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from infertop.readings.account import Account
from infertop.readings.model import Batch
from tests.provider_examples import example, examples_of
from tests.provider_rig import NOW

USAGE, COSTS = "/usage_report/messages", "/cost_report"
DAY = (1_754_006_400.0, 1_754_092_800.0)
DIMENSIONS = {
    "user": "user_01WCz1FkmYMm4gnmykNKUu3Q",
    "key": "apikey_01Rj2N8SVvo6BePZj99NhmiT",
    "context_window": "0-200k",
    "geo": "global",
    "service_account": "svac_01Hk3R9TWxq7CfQak00OiVw4",
    "service_tier": "standard",
    "project": "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ",
}


async def read(answers: Mapping[str, Any]) -> Batch:
    collector = examples_of("anthropic", answers)
    try:
        return await collector.collect(NOW)
    finally:
        await collector.close()


async def account(answers: Mapping[str, Any]) -> Account:
    batch = await read({USAGE: example("anthropic", "usage_report_messages"), **answers})
    assert batch.account is not None
    return batch.account


async def test_the_official_usage_is_read_to_the_exact_token_and_its_paging_ends() -> None:
    batch = await read({USAGE: example("anthropic", "usage_report_messages")})
    (key,) = {each.key for each in batch.statements}
    assert key.startswith("messages|1754006400+86400|")
    said = batch.statements[0]
    assert (said.start, said.end, said.model) == (*DAY, "claude-opus-4-6")
    assert dict(said.quantities) == {
        "input": 1500,
        "cache_read": 200,
        "cache_write_5m": 500,
        "cache_write_1h": 1000,
        "output": 500,
        "web_searches": 10,
    }
    assert dict(said.dimensions) == DIMENSIONS
    assert (said.requests, said.usd_nano) == (None, None)
    assert any("leads from page 2 back to one that was read" in note for note in batch.notes)


async def test_the_official_bill_is_a_dollar_and_some_cents_and_not_a_hundred_times_that() -> None:
    found = await account({COSTS: example("anthropic", "cost_report")})
    (page,) = found.bills
    (bill,) = page.bills
    assert (page.start, page.end) == DAY
    assert bill.usd_nano == 1_237_891_200
    assert (bill.model, bill.resource, bill.text) == (
        "claude-opus-4-6",
        "input",
        "Claude Sonnet 4 Usage - Input Tokens",
    )
    same = ("context_window", "geo", "service_tier", "project")
    assert dict(bill.dimensions) == {name: DIMENSIONS[name] for name in same}
    assert page.settles_seconds == 48 * 3600


@pytest.mark.parametrize(
    ("said", "nano"),
    [("100", 10**9), ("0.01", 100_000), ("-250.5", -2_505_000_000), ("0", 0), (100, 10**9), (12.5, 125_000_000)],
)
async def test_a_hundred_cents_are_a_dollar(said: object, nano: int) -> None:
    page = example("anthropic", "cost_report")
    page["data"][0]["results"][0]["amount"] = said
    found = await account({COSTS: page})
    assert found.bills[0].bills[0].usd_nano == nano


async def test_cache_writes_are_nested_and_not_lost() -> None:
    page = example("anthropic", "usage_report_messages")
    page["data"][0]["results"][0]["cache_creation"] = {"ephemeral_1h_input_tokens": 7}
    batch = await read({USAGE: page})
    assert batch.statements[0].quantities["cache_write_1h"] == 7


async def test_the_default_workspace_and_the_workbench_have_no_id() -> None:
    page = example("anthropic", "usage_report_messages")
    page["data"][0]["results"][0] |= {"workspace_id": None, "api_key_id": None}
    batch = await read({USAGE: page})
    said = dict(batch.statements[0].dimensions)
    assert said["project"] == "default"
    assert "key" not in said


async def test_keys_workspaces_and_users_have_their_names() -> None:
    found = await account(
        {
            "/organizations/api_keys": example("anthropic", "api_keys"),
            "/organizations/workspaces": example("anthropic", "workspaces"),
        }
    )
    assert {(each.kind, each.id): each.name for each in found.names or ()} == {
        ("project", "default"): "(default workspace)",
        ("project", "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ"): "Workspace Name",
        ("key", "apikey_01Rj2N8SVvo6BePZj99NhmiT"): "Developer Key",
    }


async def test_a_members_spend_limit_and_spend_are_cents() -> None:
    found = await account({"/spend_limits/effective": example("anthropic", "spend_limits_effective")})
    (limit,) = found.allowances or ()
    assert (limit.limit_usd, limit.spent_usd, limit.period) == (Decimal(500), Decimal("120.505"), "month")
    assert limit.conditions == (("provider", "anthropic"), ("user", "user_id"))


async def test_a_spend_of_nothing_is_not_known() -> None:
    page = example("anthropic", "spend_limits_effective")
    page["data"][0]["period_to_date_spend"] = "0"
    found = await account({"/spend_limits/effective": page})
    assert [each.spent_usd for each in found.allowances or ()] == [None]


async def test_claude_code_says_who_used_what_and_never_counts() -> None:
    batch = await read({"/usage_report/claude_code": example("anthropic", "usage_report_claude_code")})
    (member,) = batch.members
    assert (member.name, member.kind, member.counts) == ("anthropic/claude_code", "claude_code", False)
    (said,) = member.batches
    assert len({each.key for each in said.statements}) == 2
    opus, sonnet = said.statements[:2]
    assert opus.start == 1_754_611_200
    assert (opus.model, opus.usd_nano, opus.basis, opus.end - opus.start) == (
        "claude-opus-4-8",
        1_860_000_000,
        "estimated",
        86_400,
    )
    assert dict(opus.quantities) == {"input": 45230, "output": 12450, "cache_read": 8790, "cache_write_5m": 2340}
    assert dict(opus.dimensions) == {
        "user": "user@emaildomain.com",
        "customer_type": "api",
        "terminal": "iTerm.app",
    }
    assert (sonnet.model, sonnet.usd_nano) == ("claude-sonnet-5", 420_000_000)


async def test_rate_limits_are_told_by_model_and_workspace() -> None:
    limits = [
        {"type": "requests_per_minute", "value": 4000},
        {"type": "input_tokens_per_minute", "value": 10_000_000},
        {"type": "enqueued_batch_requests", "value": 9},
    ]
    rates = {"data": [{"group_type": "model_group", "models": ["claude-opus-5", "claude-opus-5-0"], "limits": limits}]}
    found = await account(
        {
            "/organizations/rate_limits": rates,
            "/organizations/workspaces": example("anthropic", "workspaces"),
            "/wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ/rate_limits": example("anthropic", "workspace_rate_limits"),
        }
    )
    assert [(each.model, each.unit, each.limit, each.seconds) for each in found.rate_limits or ()] == [
        ("claude-opus-5", "requests", 4000, 60),
        ("claude-opus-5-0", "requests", 4000, 60),
        ("claude-opus-5", "input tokens", 10_000_000, 60),
        ("claude-opus-5-0", "input tokens", 10_000_000, 60),
    ]


async def test_where_nobody_uses_claude_code_there_is_no_source_of_it() -> None:
    nothing = {"data": [], "has_more": False, "next_page": None}
    batch = await read({USAGE: nothing, "/usage_report/claude_code": nothing})
    assert batch.members == ()

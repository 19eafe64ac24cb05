"""OpenAI's own examples to the exact token and dollar, and what its cost API calls things."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from collectors._openai_costs import meant
from collectors._openai_usage import FAMILIES
from infertop.readings.account import Account
from infertop.readings.model import Batch
from tests.provider_examples import example, examples_of
from tests.provider_rig import NOW

DAY = (1_730_419_200.0, 1_730_505_600.0)
USED: Mapping[str, tuple[Mapping[str, int], int | None]] = {
    "completions": (
        {
            "input": 400,
            "cache_read": 400,
            "cache_write_5m": 100,
            "input_audio": 50,
            "input_image": 50,
            "output": 400,
            "output_audio": 50,
            "output_image": 50,
        },
        5,
    ),
    "embeddings": ({"input": 16}, 2),
    "moderations": ({"input": 16}, 2),
    "images": ({"images": 2}, 2),
    "audio_speeches": ({"input_characters": 45}, 1),
    "audio_transcriptions": ({"audio_seconds": 20}, 1),
    "web_search_calls": ({"web_searches": 2}, None),
    "file_search_calls": ({"storage_searches": 2}, None),
    "code_interpreter_sessions": ({"code_executions": 1}, None),
    "vector_stores": ({"storage_byte_minutes": 1024 * 1440}, None),
}


async def read(answers: Mapping[str, Any]) -> Batch:
    collector = examples_of("openai", answers)
    try:
        return await collector.collect(NOW)
    finally:
        await collector.close()


def test_every_family_of_the_reference_has_its_example() -> None:
    assert set(USED) == set(FAMILIES)


@pytest.mark.parametrize("family", USED)
async def test_the_official_example_is_read_to_the_exact_count_and_its_paging_ends(family: str) -> None:
    path = f"/usage/{family}"
    batch = await read({path: example("openai", f"organization_usage_{family}")})
    mine = [each for each in batch.statements if each.key.startswith(f"{family}|")]
    keys = {each.key for each in mine}
    assert len(keys) == 1
    for each in mine:
        assert (each.start, each.end) == DAY
        assert (dict(each.quantities), each.requests) == USED[family]
        assert (each.model, dict(each.dimensions), each.usd_nano) == (None, {}, None)
    tokens = sum(amount for name, amount in USED[family][0].items() if "put" in name or "cache" in name)
    if family == "completions":
        assert tokens == 1000 + 500


async def test_the_official_bill_is_six_cents_and_not_six_dollars() -> None:
    batch = await read({"/organization/costs": example("openai", "organization_costs")})
    assert batch.account is not None
    (page,) = batch.account.bills
    (bill,) = page.bills
    assert (page.start, page.end) == DAY
    assert (bill.usd_nano, bill.model, bill.resource, dict(bill.dimensions)) == (60_000_000, None, None, {})


@pytest.mark.parametrize("value", [2.25, "2.25", "2.250000"])
async def test_a_dollar_is_a_dollar_as_a_number_and_as_text(value: object) -> None:
    page = example("openai", "organization_costs")
    page["data"][0]["results"][0]["amount"]["value"] = value
    batch = await read({"/organization/costs": page})
    assert batch.account is not None
    assert batch.account.bills[0].bills[0].usd_nano == 2_250_000_000


async def account(answers: Mapping[str, Any]) -> Account:
    batch = await read({"/usage/completions": example("openai", "organization_usage_completions"), **answers})
    assert batch.account is not None
    return batch.account


async def test_projects_users_keys_and_service_accounts_have_their_names() -> None:
    found = await account(
        {
            "/organization/projects": example("openai", "organization_projects"),
            "/organization/users": example("openai", "organization_users"),
            "/proj_abc/api_keys": example("openai", "organization_projects_project_id_api_keys"),
            "/proj_abc/service_accounts": example("openai", "organization_projects_project_id_service_accounts"),
        }
    )
    assert {(each.kind, each.id): each.name for each in found.names or ()} == {
        ("project", "proj_abc"): "Project example",
        ("user", "user_abc"): "First Last",
        ("key", "key_abc"): "My API Key",
        ("user", "svc_acct_abc"): "Service Account",
    }


async def test_spend_limits_and_alerts_are_cents() -> None:
    found = await account(
        {
            "/organization/projects": example("openai", "organization_projects"),
            "/organization/spend_limit": example("openai", "organization_spend_limit"),
            "/organization/spend_alerts": example("openai", "organization_spend_alerts"),
            "/proj_abc/spend_limit": example("openai", "organization_projects_project_id_spend_limit"),
            "/proj_abc/spend_alerts": example("openai", "organization_projects_project_id_spend_alerts"),
            "/proj_abc/rate_limits": example("openai", "organization_projects_project_id_rate_limits"),
        }
    )
    limits = {(each.name, each.limit_usd, each.period, each.enforced) for each in found.allowances or ()}
    assert limits == {
        ("OpenAI spend limit, organization", Decimal(100), "month", True),
        ("OpenAI spend alert, organization", Decimal(1000), "month", False),
        ("OpenAI spend limit, project proj_abc", Decimal(100), "month", True),
        ("OpenAI spend alert, project proj_abc", Decimal(1000), "month", False),
    }
    assert [(each.model, each.unit, each.limit, each.seconds) for each in found.rate_limits or ()] == [
        ("ada", "requests", 600, 60),
        ("ada", "tokens", 150_000, 60),
        ("ada", "images", 10, 60),
    ]


@pytest.mark.parametrize(
    ("item", "model", "resource", "dimensions"),
    [
        ("gpt-4o-2024-08-06, input", "gpt-4o-2024-08-06", "input", {}),
        ("gpt-4o-mini-2024-07-18, cached input", "gpt-4o-mini-2024-07-18", "cache_read", {}),
        ("gpt-5.6-sol, cache writes", "gpt-5.6-sol", "cache_write_5m", {}),
        ("gpt-5.6-sol, output, long context", "gpt-5.6-sol", "output", {}),
        ("priority | gpt-5.6-sol, output, long context", "gpt-5.6-sol", "output", {"service_tier": "priority"}),
        ("flex | gpt-5-mini, input", "gpt-5-mini", "input", {"service_tier": "flex"}),
        ("batch | gpt-4o, input", "gpt-4o", "input", {"batch": "true"}),
        ("gpt-audio-mini-2025-12-15 audio, input", "gpt-audio-mini-2025-12-15", "input_audio", {}),
        ("gpt-image-2.5-flare image, output", "gpt-image-2.5-flare", "output_image", {}),
        ("gpt-image-2.5-sunburst text, cached input", "gpt-image-2.5-sunburst", "cache_read", {}),
        ("ft:gpt-4o-2024-08-06:acme::abc, input", "ft:gpt-4o-2024-08-06:acme::abc", "input", {}),
        ("whisper-1, audio", "whisper-1", None, {}),
        ("web search tool calls", None, "web_searches", {}),
        ("file search tool calls", None, "storage_searches", {}),
        ("code interpreter sessions", None, "code_executions", {}),
        ("Vector storage", None, None, {}),
        ("Image models", None, None, {}),
        ("a, b", None, None, {}),
        ("", None, None, {}),
        (", input", None, None, {}),
        ("x | y | gpt-4o, input", None, None, {}),
    ],
)
def test_line_items_name_model_class_and_tier_as_far_as_they_do(
    item: str, model: str | None, resource: str | None, dimensions: Mapping[str, str]
) -> None:
    assert meant(item) == (model, resource, dimensions)

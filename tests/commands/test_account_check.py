"""What `infertop check` says of an account: the key by name alone, how far use was read, what the provider told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from collectors import KINDS
from collectors.kind import Api
from infertop.commands.account_check import account_words, check_line, first_told, key_words
from infertop.engine.collector import Health, SourceConfig
from infertop.history.reader import Reader
from infertop.readings.account import Account, Allowance, Balance
from tests.history.stating import MONDAY, say
from tests.history.test_account_notes import NOW, told, writer

API = Api("https://api.example.com", ("A_KEY", "B_KEY"), what="a key")
SECRET = "sk-admin-canary-0123456789"


@pytest.mark.parametrize(
    ("config", "environ", "says"),
    [
        ({}, {"A_KEY": SECRET}, "key from A_KEY"),
        ({}, {"B_KEY": SECRET, "A_KEY": " "}, "key from B_KEY"),
        ({"key_env": "MINE"}, {"MINE": SECRET, "A_KEY": SECRET}, "key from MINE"),
        ({"key_env": "MINE"}, {"A_KEY": SECRET}, "no key: MINE not set"),
        ({"key_file": "/keys/x"}, {"A_KEY": SECRET}, "key from the file /keys/x"),
        ({}, {}, "no key: A_KEY, B_KEY not set"),
    ],
)
def test_the_key_is_told_by_where_it_is_and_never_read(
    config: dict[str, str], environ: dict[str, str], says: str
) -> None:
    said = key_words(SourceConfig("openai", "openai", **config), API, environ)  # type: ignore[arg-type]
    assert said == says
    assert SECRET not in said


def test_how_far_use_was_read_and_what_else_was_told() -> None:
    account = Account(
        balances=(Balance("x", "USD", Decimal(1)),),
        allowances=(Allowance("a", "x", Decimal(1), "month"), Allowance("b", "x", Decimal(1), "day")),
        complete_until=NOW - 600,
    )
    assert list(account_words(account, NOW - 9 * 86_400, NOW)) == [
        "use is told whole until 2026-07-06T01:50:00Z, 10 min ago",
        "read back to 27 Jun, 9 days",
        "2 limits, 1 balance",
    ]
    assert list(account_words(None, None, NOW)) == ["no use was read whole yet"]


def test_what_was_never_read_says_only_where_its_key_is() -> None:
    config = SourceConfig("openai", "openai", key_file="/keys/x")
    api = KINDS["openai"].api
    assert api is not None
    line = check_line(Health("openai", "openai"), config, api, None, None, NOW)
    assert line.startswith("               key from the file /keys/x, an admin key: it can change the organization")


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_an_admin_key_is_named_as_one_with_a_word_on_least_privilege(kind: str) -> None:
    api = KINDS[kind].api
    assert api is not None
    said = key_words(SourceConfig(kind, kind, key_env="MINE"), api, {"MINE": SECRET})
    assert said.startswith("key from MINE, an admin key: it can change the organization")
    assert "only reads" in said


def test_the_earliest_use_is_that_of_the_source(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    to = writer(path)
    to.tick([told(Account(), statements=(say(MONDAY, 3600, {"input": 5}), say(MONDAY + 3600, 60, {"input": 5})))], NOW)
    to.finish(NOW + 1)
    reader = Reader(path)
    assert reader.ask(first_told, "openai") == MONDAY
    assert reader.ask(first_told, "elsewhere") is None
    reader.close()


def test_a_cloud_is_read_with_its_own_credentials() -> None:
    api = KINDS["bedrock"].api
    assert api is not None
    assert (
        key_words(SourceConfig("bedrock", "bedrock"), api, {}) == "with AWS credentials, wherever they are usually kept"
    )

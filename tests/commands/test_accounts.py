"""Whose key goes where: to the origin that it was configured for, from places that nobody else can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors import KINDS
from collectors.kind import Api
from infertop.commands.accounts import account_http, accounts_here, searched_accounts
from infertop.engine.collector import SourceConfig, State, Unavailable

ENVIRON = {"OPENAI_ADMIN_KEY": "sk-admin-canary-0123456789", "ANTHROPIC_ADMIN_KEY": "sk-ant-admin01-canary-0123456789"}
BOTH = ("openai", "anthropic")


def api(kind: str) -> Api:
    found = KINDS[kind].api
    assert found is not None
    return found


def test_keys_in_the_environment_are_sources_unless_their_kind_is_configured() -> None:
    assert {each.name for each in accounts_here(ENVIRON, ())} == set(BOTH)
    assert [each.name for each in accounts_here(ENVIRON, ("openai",))] == ["anthropic"]
    assert {each.interval_seconds for each in accounts_here(ENVIRON, ())} == {60.0}


def test_an_admin_key_is_called_one_with_a_word_on_what_it_may_do() -> None:
    said = searched_accounts(ENVIRON)
    assert "OPENAI_ADMIN_KEY, ANTHROPIC_ADMIN_KEY set" in said.found
    assert "admin keys can change the organization: restrict them to reading usage" in said.found
    assert "canary" not in repr(said)
    assert searched_accounts({}).found == "not set"


@pytest.mark.parametrize("kind", BOTH)
async def test_a_key_is_never_sent_over_plain_http_to_another_machine(kind: str) -> None:
    http = account_http(SourceConfig(kind, kind, "http://192.0.2.1:8400"), api(kind), ENVIRON)
    with pytest.raises(Unavailable, match=r"the key is not sent to 192\.0\.2\.1:8400 over plain http"):
        await http.get("/organization/costs")


@pytest.mark.parametrize("kind", BOTH)
async def test_a_key_is_never_sent_to_another_origin(kind: str) -> None:
    http = account_http(SourceConfig(kind, kind), api(kind), ENVIRON)
    with pytest.raises(Unavailable, match="is read here"):
        await http.get("https://example.com/organization/costs")


@pytest.mark.parametrize("kind", BOTH)
def test_a_file_that_may_be_anybodys_gets_no_key(kind: str) -> None:
    with pytest.raises(Unavailable, match="may be anybody's") as caught:
        account_http(SourceConfig(kind, kind, "http://127.0.0.1:1", trusted=False), api(kind), ENVIRON)
    assert caught.value.state is State.AUTH


@pytest.mark.parametrize("kind", BOTH)
def test_a_key_file_must_be_ones_own(kind: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("sk-canary-0123456789\n")
    key.chmod(0o640)
    with pytest.raises(Unavailable, match="chmod 600"):
        account_http(SourceConfig(kind, kind, key_file=str(key)), api(kind), {})
    key.chmod(0o600)
    http = account_http(SourceConfig(kind, kind, key_file=str(key)), api(kind), {})
    assert "canary" not in repr(http) + repr(vars(http))


@pytest.mark.parametrize("kind", BOTH)
def test_without_a_key_it_says_which_is_needed_and_where_it_goes(kind: str) -> None:
    with pytest.raises(Unavailable, match=rf"{kind} needs an admin key .*: set {kind.upper()}_ADMIN_KEY"):
        account_http(SourceConfig(kind, kind), api(kind), {})

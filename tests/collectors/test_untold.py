"""Of a provider that tells no key what was used, infertop says so, says what works, and asks nobody anything."""

from __future__ import annotations

import re

import pytest

from collectors import KINDS
from collectors.untold import PROVIDERS
from infertop.commands.accounts import accounts_here
from infertop.commands.sources import PLANNED, collector
from infertop.engine.collector import SourceConfig, State, Unavailable
from tests.fakes import FakeClock

NAMES = [each.name for each in PROVIDERS]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_absent_with_a_reason_and_with_what_works(name: str) -> None:
    with pytest.raises(Unavailable) as caught:
        collector(SourceConfig(name, name), FakeClock())
    assert caught.value.state is State.ABSENT
    assert KINDS[name].help.removeprefix("not read: ") in caught.value.sentence
    named = set(re.findall(r"[a-z][a-z-]+", caught.value.sentence)) & (set(KINDS) | set(PLANNED))
    assert len(named) >= 2, "it names kinds that can be read"


@pytest.mark.parametrize("each", PROVIDERS, ids=NAMES)
def test_a_key_in_the_environment_is_enough_to_be_told_and_once_a_day(each) -> None:
    for name in each.key_env:
        found = [made for made in accounts_here({name: "x" * 20}, ()) if made.kind == each.name]
        assert [made.interval_seconds for made in found] == [86_400.0]


def test_the_token_that_fetches_models_is_no_sign_of_an_account() -> None:
    assert "huggingface" not in {each.kind for each in accounts_here({"HF_TOKEN": "x" * 20}, ())}

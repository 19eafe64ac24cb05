"""Keys and teams of a LiteLLM proxy have their names and budgets where it has a database, and a sentence where not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from collectors import KINDS
from infertop.engine.collector import SourceConfig
from infertop.engine.http import Http
from infertop.engine.secrets import Secret
from infertop.readings.account import Name
from infertop.readings.model import Batch
from tests.collectors.provider_world import CANARY, Api
from tests.collectors.reading import payload
from tests.fakes import FakeClock

PAGE = payload("litellm/1.100.0.txt")
# Fields of LiteLLM_VerificationToken and LiteLLM_TeamTable, values made up.
KEY = {
    "token": "9f86d081884c7d65",
    "key_name": "sk-...abcd",
    "key_alias": "support-bot",
    "spend": 12.5,
    "max_budget": 50.0,
    "budget_duration": "30d",
}
TEAM = {"team_id": "t-1", "team_alias": "Search", "spend": 1.25, "max_budget": 100, "budget_duration": "1d"}
NO_DATABASE = (500, {"error": {"message": "Database not connected", "type": "no_db_connection", "code": "500"}})


def keys(*rows: dict[str, Any]):
    def answer(request: httpx.Request) -> dict[str, Any]:
        page, size = int(request.url.params["page"]), int(request.url.params["size"])
        return {"keys": list(rows[(page - 1) * size : page * size]), "total_count": len(rows)}

    return answer


def proxy(key_list: Any, team_list: Any = ()) -> Api:
    page = httpx.Response(200, content=PAGE)
    team_list = list(team_list) if isinstance(team_list, tuple) and not team_list else team_list
    return Api({"/metrics/": lambda _request: page, "/key/list": key_list, "/team/list": team_list})


async def polls(there: Api, times: int, key_env: str = "KEY", every: float = 15.0) -> list[Batch]:
    url = "http://127.0.0.1:4000"
    http = Http(url, key=Secret(CANARY), transport=httpx.MockTransport(there))
    made = KINDS["litellm"].make(SourceConfig("litellm", "proxy", url, key_env=key_env), http, FakeClock())
    found = [await made.collect(1000.0 + every * number) for number in range(times)]
    await made.close()
    return found


async def test_keys_and_teams_are_told_with_names_and_budgets_one_question_a_poll() -> None:
    there = proxy(keys(KEY), [TEAM])
    batches = await polls(there, 3)
    assert [batch.account is not None for batch in batches] == [False, True, False]
    account = batches[1].account
    assert account is not None
    assert account.names == (Name("key", "9f86d081884c7d65", "support-bot"), Name("team", "t-1", "Search"))
    told = [(each.name, each.period, each.limit_usd, each.spent_usd) for each in account.allowances or ()]
    assert told == [
        ("LiteLLM key support-bot", "month", 50, Decimal("12.5")),
        ("LiteLLM team Search", "day", 100, Decimal("1.25")),
    ]
    assert (account.allowances or ())[0].conditions == (("source", "proxy"), ("key", "support-bot"))
    assert all(note.startswith("reading back") for batch in batches for note in batch.notes)


async def test_every_page_of_keys_is_read_and_again_after_an_hour() -> None:
    rows = [{**KEY, "token": f"k{number}", "key_alias": f"n{number}"} for number in range(250)]
    there = proxy(keys(*rows))
    batches = await polls(there, 5)
    account = batches[3].account
    assert account is not None
    assert len(account.names or ()) == 250
    assert [each["page"] for each in there.params("/key/list")] == ["1", "2", "3"]
    there.asked.clear()
    await polls(there, 8, every=1800.0)
    assert len(there.params("/key/list")) == 6


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (NO_DATABASE, "LiteLLM has no database that answers"),
        ((403, {}), "an administrator's key of LiteLLM"),
        ((401, {}), "an administrator's key of LiteLLM"),
        ({"keys": None}, "answers with no list"),
        ({"keys": [{**KEY, "max_budget": "much"}]}, "max_budget is no amount of money"),
    ],
)
async def test_without_them_the_page_is_read_all_the_same_with_one_sentence(answer: Any, sentence: str) -> None:
    there = proxy(answer)
    batches = await polls(there, 4)
    assert all(batch.series for batch in batches)
    assert sentence in batches[-1].notes[0]
    assert CANARY not in batches[-1].notes[0]
    assert len(there.params("/key/list")) == 1


async def test_names_that_could_not_be_read_are_asked_for_again_after_five_minutes() -> None:
    there = proxy(NO_DATABASE)
    refusing = there.answers["/key/list"]
    there.answers["/key/list"] = lambda request: refusing if len(there.params("/key/list")) == 1 else keys(KEY)(request)
    batches = await polls(there, 24)
    assert [bool(batch.account and batch.account.names) for batch in batches].index(True) == 21
    assert "keys and teams have no names" not in " ".join(batches[-1].notes)


async def test_without_a_key_nobody_is_asked() -> None:
    there = proxy(keys(KEY))
    await polls(there, 2, key_env="")
    assert {each.url.path for each in there.asked} == {"/metrics/"}


async def test_a_budget_of_an_odd_length_says_how_long_it_is() -> None:
    batches = await polls(proxy(keys({**KEY, "budget_duration": "12h", "spend": None})), 2)
    account = batches[1].account
    assert account is not None
    (allowed,) = account.allowances or ()
    assert (allowed.name, allowed.period, allowed.spent_usd) == ("LiteLLM key support-bot, every 12h", "", None)

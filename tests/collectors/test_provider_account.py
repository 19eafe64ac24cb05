"""Reading an account in rounds: what was read is never lost, however slow the rest is, whenever a poll is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from collectors import _provider_account
from collectors._provider_account import AccountReader, Habits, Told
from collectors._provider_plan import MINUTE, Span
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.http import Http
from infertop.readings.account import Account, Name
from infertop.readings.model import Batch, Covered, Member, Statement
from tests.collectors.provider_world import account, first

NOW = 1_795_343_805.0


@dataclass
class Slow:
    """A usage API that answers a family when it is told to."""

    families: tuple[str, ...] = ("a", "b")
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    wrong: dict[str, Exception] = field(default_factory=dict)
    asked: list[Span] = field(default_factory=list)

    async def read(self, span: Span, _ts: float) -> Told:
        self.asked.append(span)
        if span.family in self.held:
            await self.held[span.family].wait()
        if span.family in self.wrong:
            raise self.wrong[span.family]
        said = Statement(
            *("x", f"{span.family}|{span.start}", span.start, span.start + span.width, "x", "m", {}, {"input": 1}),
            *(None, None, "measured"),
        )
        return Told([said], [Covered(span.start, span.end, f"{span.family}|")])


@pytest.fixture
def usage(monkeypatch: pytest.MonkeyPatch) -> Slow:
    monkeypatch.setattr(_provider_account, "_ENOUGH_SECONDS", 0.02)
    return Slow()


async def names(_ts: float) -> tuple[Account, str]:
    return Account(names=(Name("key", "k", "K"),)), ""


async def member(ts: float) -> tuple[Member, str]:
    return Member("x/other", "other", "", 3600.0, (), counts=False), f"told at {ts:.0f}"


@pytest.fixture
async def reader(usage: Slow) -> AsyncIterator[AccountReader]:
    habits = Habits(dict.fromkeys(usage.families, 60.0), {"names": 3600.0, "other": 3600.0}, advice="ask for a key")
    http = Http("http://127.0.0.1:1")
    config = SourceConfig("x", "x")
    made = AccountReader(config, http, usage, {"names": names}, habits, lambda now: now - 9 * 86_400, {"other": member})
    yield made
    await made.close()


async def test_what_is_there_is_told_while_the_rest_is_still_read(reader: AccountReader, usage: Slow) -> None:
    usage.held["b"] = asyncio.Event()
    batch = await reader.collect(NOW)
    assert {each.key[0] for each in batch.statements} == {"a"}
    assert batch.again_seconds == 1.0
    usage.held["b"].set()
    batch = await reader.collect(NOW + 1)
    assert "b" in {each.key[0] for each in batch.statements}
    assert [each.name for each in batch.members] == ["x/other"]
    assert batch.account is not None
    assert batch.account.names == (Name("key", "k", "K"),)
    assert batch.again_seconds is None


async def test_a_poll_that_is_cut_off_loses_nothing_and_asks_nothing_twice(reader: AccountReader, usage: Slow) -> None:
    usage.held = {"a": asyncio.Event(), "b": asyncio.Event()}
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.collect(NOW)
    usage.held["a"].set()
    usage.held["b"].set()
    batch = await reader.collect(NOW + 1)
    assert len(usage.asked) == len(set(usage.asked)) == len(batch.statements)
    assert {each.key[0] for each in batch.statements} == {"a", "b"}


async def test_nothing_to_read_is_a_good_poll_with_nothing_in_it(reader: AccountReader) -> None:
    await reader.collect(NOW)
    batch = await reader.collect(NOW + 1)
    assert (batch.statements, batch.covered, batch.again_seconds) == ((), (), None)


async def test_a_bug_is_no_trouble_of_the_provider(reader: AccountReader, usage: Slow) -> None:
    usage.wrong["b"] = KeyError("oops")
    with pytest.raises(KeyError):
        await reader.collect(NOW)
    usage.wrong.clear()
    batch = await reader.collect(NOW + 60)
    assert {each.key[0] for each in batch.statements} == {"a", "b"}


async def test_what_is_down_stays_down_until_it_answers(usage: Slow) -> None:
    habits = Habits(dict.fromkeys("ab", 60.0))
    reader = AccountReader(SourceConfig("x", "x"), Http("http://127.0.0.1:1"), usage, {}, habits, lambda now: now)
    usage.wrong = dict.fromkeys("ab", Unavailable("gone", state=State.STALE))
    for seconds in (0.0, 30.0, 60.0):
        with pytest.raises(Unavailable, match="gone"):
            await reader.collect(NOW + seconds)
    assert [each.width for each in usage.asked] == [MINUTE] * len(usage.asked)
    usage.wrong.clear()
    assert (await reader.collect(NOW + 180)).statements
    await reader.close()


async def test_a_host_that_is_silent_is_one_sentence_however_many_parts_were_asked(usage: Slow) -> None:
    habits = Habits(dict.fromkeys("ab", 60.0))
    reader = AccountReader(SourceConfig("x", "x"), Http("http://127.0.0.1:1"), usage, {}, habits, lambda now: now)
    usage.wrong = {name: Unavailable(f"x did not answer /{name} within 20 s", state=State.STALE) for name in "ab"}
    with pytest.raises(Unavailable) as caught:
        await reader.collect(NOW)
    assert caught.value.sentence == "x did not answer /a within 20 s (likewise b)"
    del usage.wrong["a"]
    batch = await reader.collect(NOW + 60)
    assert [note for note in batch.notes if "did not answer" in note] == ["x did not answer /b within 20 s"]
    await reader.close()


async def test_a_refused_family_is_told_with_what_to_do_and_others_go_on(reader: AccountReader, usage: Slow) -> None:
    usage.wrong["a"] = Unavailable("may not", state=State.AUTH, status=403)
    batch = await reader.collect(NOW)
    assert {each.key[0] for each in batch.statements} == {"b"}
    assert "may not; ask for a key" in batch.notes


async def test_hours_that_were_not_told_whole_are_asked_again(reader: AccountReader, usage: Slow) -> None:
    whole = usage.read

    async def partly(span: Span, ts: float) -> Told:
        told = await whole(span, ts)
        return told._replace(whole=False, note="cut") if span.family == "a" else told

    usage.read = partly  # type: ignore[method-assign]
    await reader.collect(NOW)
    first = [each for each in usage.asked if each.width > MINUTE]
    usage.read = whole  # type: ignore[method-assign]
    usage.asked.clear()
    await reader.collect(NOW + 3600)
    again = [each for each in usage.asked if each.family == "a" and each in first]
    assert sorted(again) == sorted(each for each in first if each.family == "a")


async def test_closing_stops_what_is_being_read(usage: Slow) -> None:
    usage.held = {"a": asyncio.Event()}
    habits = Habits({"a": 60.0})
    reader = AccountReader(SourceConfig("x", "x"), Http("http://127.0.0.1:1"), usage, {}, habits, lambda now: now)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.collect(NOW)
    await reader.close()
    assert [each for each in asyncio.all_tasks() if "read x" in each.get_name()] == []


async def test_a_month_too_large_for_one_transaction_is_handed_over_in_parts(
    reader: AccountReader, usage: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collectors import _provider_round

    monkeypatch.setattr(_provider_round, "MOST_STATEMENTS", 2)
    told: list[Statement] = []
    for seconds in range(20):
        batch = await reader.collect(NOW + seconds)
        assert len(batch.statements) <= 2
        told += batch.statements
        if batch.again_seconds is None:
            break
    assert len(told) == len(usage.asked) == len(set(usage.asked)) > 4


async def test_what_was_read_at_another_address_is_not_taken_for_read(usage: Slow) -> None:
    habits = Habits(dict.fromkeys("ab", 60.0))

    async def poll(url: str, bookmarks: Mapping[str, str]) -> Mapping[str, str]:
        usage.asked.clear()
        made = AccountReader(
            SourceConfig("x", "x", url=url), Http("http://127.0.0.1:1"), usage, {}, habits, lambda now: now - 9 * 86_400
        )
        made.resume(bookmarks)
        batch = await made.collect(NOW)
        await made.close()
        return batch.bookmarks

    first = await poll("https://one.example", {})
    whole = len(usage.asked)
    assert await poll("https://one.example", first) == {}
    assert len(usage.asked) < whole
    assert set(await poll("https://two.example", first)).isdisjoint(first)
    assert len(usage.asked) == whole


@pytest.mark.parametrize(
    ("kind", "header"), [("openai", "openai-organization"), ("anthropic", "anthropic-organization-id")]
)
async def test_a_key_of_another_organization_under_the_same_name_is_said(kind: str, header: str) -> None:
    async def poll(organization: str, known: Mapping[str, str]) -> Batch:
        headers = {header: organization} if organization else {}
        empty = {"data": [], "has_more": False, "next_page": None}
        made: Any = account(kind, lambda _request: httpx.Response(200, json=empty, headers=headers))
        made.resume(known)
        return await first(made)

    acme = await poll("acme", {})
    assert acme.notes == (await poll("acme", acme.bookmarks)).notes == (await poll("", acme.bookmarks)).notes
    other = await poll("other\x1b[31m", acme.bookmarks)
    (said,) = set(other.notes) - set(acme.notes)
    assert said.startswith("this key is of other")
    assert "the one before was of acme: another organization's use wants a [[source]]" in said
    assert "\x1b" not in said
    assert set((await poll("other\x1b[31m", {**acme.bookmarks, **other.bookmarks})).notes) == set(acme.notes)

"""Telling as a whole: a recorder that keeps, webhooks that answer as they like, and what a person is told of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from infertop.alerts.form import moment
from infertop.commands.guard import EPISODE_SECONDS
from infertop.commands.levels import RUNAWAY, Level
from infertop.commands.telling import Telling
from infertop.history.open import open_store
from infertop.history.outbox import Entry, Letter
from infertop.history.recorder import Recorder
from infertop.history.summary import Summary
from infertop.money.periods import PeriodKind
from infertop.money.settings import Alert, Budget, Settings
from tests.acceptance.hostile import closed_port
from tests.alerts.events import KEY, TS, budget, event
from tests.alerts.hooks import Hook, hooked
from tests.engine.servers import serve, then_hang
from tests.history.world import deriver

PATH = "/services/canary-0123456789-abcdef"


class World:
    """A recorder and who tells of its events; time stands still until a test moves it."""

    def __init__(self, path: Path, alert: Alert) -> None:
        self.path = path
        self.alert = alert
        self.now = TS
        self.said = Settings()
        self.begin()

    def begin(self) -> None:
        self.recorder = Recorder(open_store(self.path, self.now), deriver(), lambda: self.now)
        self.recorder.start()
        self.telling = Telling(self.recorder, self.alert, random=Random(1))
        assert self.recorder.flush()

    def tell(self, key: str = KEY, **more: Any) -> None:
        """Let an event happen."""
        self.happen(key, event(ts=self.now, **more))

    def happen(self, key: str, content: dict[str, Any]) -> None:
        found = self.telling.letters(key, content, Summary(), self.said, self.now)
        self.recorder.put_event(key, self.now, content, found)

    async def tick(self, seconds: float = 0.0) -> None:
        """Let time pass and everything be sent that is due."""
        self.now += seconds
        for _ in range(20):
            assert await asyncio.to_thread(self.recorder.flush)
            self.telling.tick(self.alert, self.now)
            running = [each for each in self.telling._tasks.values() if not each.done()]
            if not running:
                return
            await asyncio.wait(running, timeout=10)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.recorder.outbox or ()

    @property
    def states(self) -> list[str]:
        return [each.state for each in self.entries]

    async def end(self) -> None:
        await self.telling.close(self.now)
        await asyncio.to_thread(self.recorder.close)


Begin = Callable[[Alert], World]


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    made: list[World] = []

    def make(alert: Alert) -> World:
        made.append(World(tmp_path / "a.db", alert))
        return made[-1]

    yield make
    for each in made:
        await asyncio.to_thread(each.recorder.close)


def to(hook: Hook, **more: Any) -> Alert:
    return Alert(webhook=hook.url + PATH, **more)


async def test_an_incident_is_told_when_it_begins_and_when_it_ends_each_once(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(to(hook))
        for _ in range(3):
            world.tell()
            await world.tick(1)
        world.tell(excess_usd=4.0)
        await world.tick(60)
        world.tell(state="closed", level="info", until=world.now)
        await world.tick(60)
    assert [each.body["status"] for each in hook.told] == ["firing", "resolved"]
    assert [each.body["severity"] for each in hook.told] == ["critical", "critical"]
    assert len(set(hook.ids)) == 2
    assert world.states == ["sent", "sent"]
    assert world.telling.notices == ()


async def test_one_whose_cause_is_still_looked_for_is_told_with_it(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(to(hook))
        world.tell(cause="")
        await world.tick(2)
        assert hook.told == []
        world.tell(cause="prompt tokens doubled")
        await world.tick(1)
        world.tell("other", cause="")
        await world.tick(19)
        assert len(hook.told) == 1
        await world.tick(1)
    assert [each.body["cause"] for each in hook.told] == ["prompt tokens doubled", ""]


async def test_a_server_that_is_down_for_a_while_is_told_later_under_the_same_id(begin: Begin) -> None:
    with hooked(503, 500, 200) as hook:
        world = begin(to(hook))
        world.tell()
        await world.tick()
        (notice,) = world.telling.notices
        assert notice == f"an alert could not be told: 127.0.0.1:{hook.port} answers HTTP 503: ok; it is tried again"
        await world.tick(3)
        assert len(hook.told) == 1
        await world.tick(3)
        assert len(hook.told) == 2
        await world.tick(11)
    assert len(set(hook.ids)) == 1
    assert len(hook.told) == 3
    assert world.states == ["sent"]
    assert world.telling.notices == ()


async def test_while_a_server_is_down_what_else_happens_waits_and_is_told_in_order(begin: Begin) -> None:
    with hooked(*[503] * 3, 200) as hook:
        world = begin(to(hook))
        for n in range(4):
            world.tell(f"incident {n}", text=str(n))
            await world.tick(1)
        assert len(hook.told) == 1
        for _ in range(20):
            await world.tick(60)
    assert [each.body["summary"] for each in hook.told] == ["0", "0", "0", "0", "1", "2", "3"]


async def test_who_asks_for_time_is_given_it(begin: Begin) -> None:
    with hooked(429, 200, headers={"Retry-After": "120"}) as hook:
        world = begin(to(hook))
        world.tell()
        await world.tick()
        await world.tick(119)
        assert len(hook.told) == 1
        await world.tick(2)
    assert len(hook.told) == 2


async def test_a_wrong_url_is_not_asked_again_until_it_is_set_right(begin: Begin) -> None:
    with hooked(404, body=b"no_service") as wrong, hooked() as right:
        world = begin(to(wrong))
        world.tell()
        for _ in range(5):
            await world.tick(600)
        assert len(wrong.told) == 1
        (notice,) = world.telling.notices
        assert notice == (
            f"an alert could not be told: 127.0.0.1:{wrong.port} does not take it (HTTP 404: no_service): is the URL"
            " right?; set webhook of [alert] in pricing.toml right, then it is told"
        )
        world.alert = to(right)
        await world.tick(1)
        await world.tick(1)
        assert world.telling.notices == ()
    assert right.ids == wrong.ids


async def test_a_restart_tells_what_was_not_told_and_nothing_else_again(begin: Begin) -> None:
    with hooked(200, 404, 503, 200) as hook:
        world = begin(to(hook))
        for n in range(3):
            world.tell(f"incident {n}")
            await world.tick(1)
        assert world.states == ["sent", "failed", "waiting"]
        await world.end()
        world.begin()
        for n in range(3):
            world.tell(f"incident {n}")
        for _ in range(3):
            await world.tick(30)
        assert world.states == ["sent", "sent", "sent"]
        await world.end()
    assert len(set(hook.ids)) == 3
    assert len(hook.told) == 5


async def test_what_cannot_be_told_within_a_day_is_given_up(begin: Begin) -> None:
    world = begin(Alert(webhook=closed_port()))
    world.tell()
    await world.tick()
    await world.tick(86401)
    await world.tick()
    assert world.states == ["failed"]
    assert "alerts of a day ago could be told to nobody and are given up: the events have them" in world.telling.notices


async def test_a_url_that_cannot_be_had_is_said_before_anything_happens(begin: Begin) -> None:
    world = begin(Alert(webhook_env="NOT_SET"))
    await world.tick()
    assert world.telling.notices == (
        "alerts cannot be told: the environment variable NOT_SET (webhook_env) is not set",
    )
    world.tell()
    await world.tick()
    assert world.states == ["waiting"]


async def test_a_webhook_and_a_command_are_told_each_for_itself(begin: Begin, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = (sys.executable, "-S", "-c", f"import sys; open({str(out)!r}, 'a').write(sys.stdin.read())")
    world = begin(Alert(webhook=closed_port(), command=words))
    world.tell()
    await world.tick()
    assert [json.loads(line)["kind"] for line in out.read_text().splitlines()] == ["incident"]
    assert sorted(world.states) == ["sent", "waiting"]


async def test_beyond_the_limit_one_message_has_all(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(to(hook, per_hour=4))
        for n in range(10):
            world.tell(f"incident {n}", text=str(n))
        await world.tick()
        assert [each.body["kind"] for each in hook.told] == ["incident", "summary"]
        world.tell("incident 10", text="10")
        await world.tick(1799)
        assert len(hook.told) == 2
        await world.tick(1)
    said = [each["summary"] for told in hook.told for each in (told.body["alerts"] or [told.body])]
    assert said == [str(n) for n in range(11)]
    assert hook.told[1].headers["idempotency-key"] == hook.told[1].body["id"]


async def test_alertmanager_is_told_again_each_minute_as_long_as_it_lasts(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(Alert(webhook=hook.url, format="alertmanager"))
        world.tell()
        await world.tick()
        for _ in range(4):
            await world.tick(30)
        world.tell(state="closed", level="info", until=world.now)
        for _ in range(6):
            await world.tick(30)
    assert {each.path for each in hook.told} == {"/api/v2/alerts"}
    ends = [each.body[0]["endsAt"] for each in hook.told]
    assert ends == [*(moment(TS + 300 + more) for more in (0, 0, 60, 120)), moment(TS + 120)]
    assert len({json.dumps(each.body[0]["labels"]) for each in hook.told}) == 1


async def test_alertmanager_is_told_again_by_the_next_session(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(Alert(webhook=hook.url, format="alertmanager"))
        world.tell()
        await world.tick()
        await world.end()
        world.begin()
        await world.tick(30)
        await world.tick(60)
        await world.end()
    assert len(hook.told) >= 2
    assert {each.body[0]["startsAt"] for each in hook.told} == {moment(TS)}


async def test_a_budget_is_told_with_the_end_of_its_period(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(to(hook))
        of_all = Budget("all", Decimal(100), PeriodKind.DAY, "pricing.toml:1")
        world.said = Settings(ZoneInfo("Asia/Kathmandu"), budgets=(of_all,))
        world.happen("budget all 0 80%", budget())
        world.happen("budget gone 0 80%", {**budget(), "scope": {"budget": "gone"}})
        world.happen(Level("all", int(TS), f"{RUNAWAY} 12").key, budget())
        await world.tick()
    ends = [each.body["ends_at"] for each in hook.told]
    assert ends == ["2026-09-21T18:15:00.000Z", moment(TS + 3600), moment(TS + EPISODE_SECONDS)]


async def test_at_the_end_what_is_due_is_told_and_a_slow_server_holds_nobody_up(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(to(hook))
        world.tell(cause="")
        await world.end()
        assert len(hook.told) == 1
    async with serve(then_hang()) as server:
        world = begin(Alert(webhook=server.url))
        world.tell("another")
        await world.telling.close(world.now, 0.1)
        assert await asyncio.to_thread(world.recorder.flush)
        assert [each.state for each in world.entries if each.letter.id == "another opened"] == ["waiting"]


async def test_what_was_tried_is_left_to_the_next_session_at_the_end(begin: Begin) -> None:
    with hooked(503) as hook:
        world = begin(to(hook))
        world.tell()
        await world.tick()
        world.tell("another")
        await world.end()
        assert len(hook.told) == 1


async def test_a_letter_that_makes_no_sense_holds_nobody_up(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    with hooked() as hook:
        world = begin(Alert(webhook=hook.url, format="slack"))
        world.recorder.put_event("e", TS, {}, [Letter("odd", "webhook", {"id": "odd"}, TS, TS)])
        await world.tick()
        assert "internal error: KeyError; details in the log" in world.telling.notices[0]
        world.tell()
        for _ in range(9):
            await world.tick(60)
        assert len(hook.told) == 1
        assert sum(each.levelname == "ERROR" for each in caplog.records) < 9


async def test_nobody_is_told_of_what_happened_before_they_were_named(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(Alert())
        world.tell()
        await world.tick()
        world.alert = to(hook)
        await world.tick(1)
        world.tell("another")
        await world.tick(1)
        assert len(hook.told) == 1


async def test_a_limit_that_was_changed_holds_from_then_on(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(to(hook, per_hour=1))
        world.tell("a")
        await world.tick()
        world.tell("b")
        await world.tick(1)
        assert len(hook.told) == 1
        world.alert = replace(world.alert, per_hour=10)
        await world.tick(1)
        assert len(hook.told) == 2

"""What a person is told of events: each once, by whom they named, as often as they want."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.alerts.form import moment
from infertop.commands.guard import EPISODE_SECONDS
from infertop.commands.levels import RUNAWAY
from infertop.history.outbox import Letter
from infertop.money.periods import PeriodKind
from infertop.money.settings import Alert, Budget, Settings
from tests.acceptance.hostile import closed_port
from tests.alerts.events import TS, budget
from tests.alerts.hooks import hooked
from tests.commands.telling.world import Begin, to


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
        world.happen(f"budget all {TS:.0f} {RUNAWAY} 12", budget())
        await world.tick()
    ends = [each.body["ends_at"] for each in hook.told]
    assert ends == ["2026-09-21T18:15:00.000Z", moment(TS + 3600), moment(TS + EPISODE_SECONDS)]


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

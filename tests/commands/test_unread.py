"""While a source is read back nothing is told of where a budget is heading, and what is not known is shown as such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infertop.commands.hub import Hub
from infertop.commands.levels import Levels
from infertop.commands.session import Session
from infertop.commands.unread import of_budget
from infertop.engine.state import State
from infertop.money.budgets import status
from infertop.money.settings import UTC
from infertop.readings.model import Batch
from infertop.views.overview import overview
from infertop.views.shapes import Event
from tests.commands.budget_world import NOW, Ledger, budget
from tests.commands.runs import Meters, session, setup
from tests.fakes import FakeClock

BEHIND = frozenset({"openai"})


def watched(
    ledger: Ledger, seconds: int = 180, since: int = NOW, unread: Callable[[int], bool] | None = None
) -> list[Event]:
    """Return what is told of a ledger looked at each minute, while `openai` is unread as `unread` says of the time."""
    levels, told = Levels(), []
    for now in range(since + 60, since + seconds + 1, 60):
        levels.unread = BEHIND if unread is not None and unread(now) else frozenset()
        levels.plans = ledger.plan(now, unread=levels.unread)
        told += [event for _, event in levels.cross(ledger.spent(now), ledger.scopes.settings, now)]
    return told


def steady(path: Path, limit: int, usd: float = 2.0) -> Ledger:
    ledger = Ledger(path / "x.db", budget(limit))
    ledger.fill(21 * 24, lambda _: usd)
    return ledger


def test_nothing_is_told_of_where_a_budget_is_heading_before_all_is_read_back(tmp_path: Path) -> None:
    heading = [each.text for each in watched(steady(tmp_path, 45), 600, unread=lambda now: now < NOW + 300)]
    assert [each.split(":")[1][:8] for each in heading] == [" 24.00 o", " heading"]
    assert watched(steady(tmp_path / "y", 45), 600, unread=lambda _: True) == []


def test_levels_wait_until_what_was_before_is_known_and_are_one_message_then(tmp_path: Path) -> None:
    ledger = steady(tmp_path, 28)
    (event, *_) = watched(ledger, 300, unread=lambda now: now < NOW + 200)
    assert event.text.startswith("all: 24.00 of 28 USD a day spent (50%, 80%)")
    assert event.ts >= NOW + 200


def test_what_is_over_already_is_told_at_once(tmp_path: Path) -> None:
    (event,) = watched(steady(tmp_path, 20), unread=lambda _: True)
    assert event.level == "alarm"
    assert event.text.startswith("all: 24.00 of 20 USD a day spent (50%, 80%, over), while what openai was used for")
    assert event.text.endswith("is still being read back")


def test_no_runaway_is_seen_in_a_past_that_is_known_in_part(tmp_path: Path) -> None:
    def burning(path: Path, unread: bool) -> list[str]:
        ledger = Ledger(path, budget(500))
        ledger.fill(30, lambda _: 2.0)
        for minute in range(10):
            ledger.add(NOW + 60 * minute, 6.0)
        return [
            each.text for each in watched(ledger, since=NOW + 600, unread=lambda _: unread) if "minutes" in each.text
        ]

    assert burning(tmp_path / "x.db", unread=True) == []
    assert len(burning(tmp_path / "y.db", unread=False)) == 1


def test_a_plan_of_before_all_was_read_tells_nothing_after(tmp_path: Path) -> None:
    ledger, levels = steady(tmp_path, 45), Levels()
    levels.plans = ledger.plan(NOW + 60, unread=BEHIND)
    for now in (NOW + 60, NOW + 240):
        told = [event.text for _, event in levels.cross(ledger.spent(now), ledger.scopes.settings, now)]
        assert not any("heading" in each for each in told)


def test_what_is_known_in_part_has_no_level_and_no_forecast(tmp_path: Path) -> None:
    plan = steady(tmp_path, 45).plan()["all"]
    nano = 24 * 10**9
    whole = status(budget(45), nano, 2.0, NOW, UTC, plan)
    part = status(budget(45), nano, 2.0, NOW, UTC, plan, ("openai",))
    assert (whole.level, whole.forecast_usd[1]) == ("50%", pytest.approx(48, rel=0.02))
    assert (part.level, part.forecast_usd, part.exhausted_at, part.over, part.crossings) == (
        None, (None, None, None), None, None, ()
    )  # fmt: skip
    assert (part.spent_nano, part.fraction, part.unread) == (nano, 24 / 45, ("openai",))
    assert status(budget(20), nano, 2.0, NOW, UTC, plan, ("openai",)).level == "over"


def test_a_budget_waits_for_those_alone_that_tell_of_it() -> None:
    providers = {("openai", "gpt-4o"): ("openai",), ("proxy", "claude"): ("anthropic", "openai")}
    sources = ("proxy", "openai")
    assert of_budget(budget(), sources, providers) == ("openai", "proxy")
    assert of_budget(budget(source="open*"), sources, providers) == ("openai",)
    assert of_budget(budget(provider="anthropic"), sources, providers) == ("proxy",)
    assert of_budget(budget(provider="anthropic"), sources, {}) == ("openai", "proxy")
    assert of_budget(budget(key="prod-*"), sources, providers) == ("openai", "proxy")


def test_a_source_is_unread_until_it_has_told_all_for_the_first_time() -> None:
    hub = Hub(State())

    def poll(again: float | None = None, *notes: str) -> bool:
        hub.apply(Batch("openai", float(NOW), (), (), again_seconds=again, notes=notes))
        return "openai" in hub.unread

    assert poll(again=1.0)
    assert poll(None, "reading back: 12 days are left")
    assert not poll()
    assert not poll(again=1.0)
    hub.forget("openai")
    assert poll(again=1.0)


PRICING = """
[[budget]]
name = "all"
limit_usd = 100
period = "month"
[[source]]
kind = "openai"
name = "openai"
key_env = "KEY"
"""


async def test_a_run_says_so_until_a_provider_was_read_back_also_in_a_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "none")
    meters, clock, pricing = Meters(monkeypatch), FakeClock(float(NOW)), tmp_path / "pricing.toml"
    pricing.write_text(PRICING)
    left = {"seconds": 1.0}
    meters.says["openai"] = lambda ts: Batch("openai", ts, (), (), again_seconds=left["seconds"] or None)

    def seen(run: Session) -> tuple[tuple[str, ...], str | None]:
        (row,) = overview(run.facts()).budgets
        return row.unread, row.level

    async def polled(run: Session) -> tuple[tuple[str, ...], str | None]:
        clock.jump(60)
        await run.polling.poll_once_all(1)
        assert run.recorder is not None
        assert run.recorder.flush()
        await run.tick()
        assert run.recorder.flush()
        if run.plans.making is not None:
            await run.plans.making
        return seen(run)

    made = setup(pricing, clock)
    async with session(made, memory=False) as run:
        await run.tick()
        assert seen(run)[0] == ("openai",)
        assert await polled(run) == (("openai",), None)
        async with session(replace(made), memory=False) as other:
            assert other.viewing is not None
            await other.tick()
            assert seen(other) == (("openai",), None)
            left["seconds"] = 0.0
            assert (await polled(run))[0] == ()
            await other.tick()
            assert seen(other)[0] == ()

"""Providers in a run as a whole: live spend, budgets and the page, for who records and for who looks on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from infertop.commands.reckoning import Reckoning
from infertop.commands.session import Session
from infertop.engine.collector import State, Unavailable
from infertop.history.open import Mode
from infertop.readings.account import Account, Allowance, Name
from infertop.readings.model import Batch, Covered, Statement
from infertop.views.account_shapes import AccountsPage
from infertop.views.overview import overview
from infertop.views.shapes import Overview
from tests.commands.runs import Meters, session, setup
from tests.fakes import START, FakeClock
from tests.history.stating import say

BEGIN = START // 86_400 * 86_400 + 43_200.0
OPENAI, CODEX = "openai@127.0.0.1:8400", "codex"
PRICING = f"""
[[source]]
kind = "openai"
url = "http://127.0.0.1:8400"
key_env = "NOT_SET"
[[source]]
kind = "codex"
name = "{CODEX}"
"""
LIMIT = Allowance("limit of proj_1", "openai", Decimal(100), "month", (("project", "proj_1"),))


def used(ts: float, *, lag: float = 600.0, source: str = OPENAI) -> Iterator[Statement]:
    """A million tokens of gpt-4o ($2.50) in each minute of the last half hour, as far as they are told by `ts`."""
    first = ts // 60 * 60 - 1800
    for n in range(30):
        start = first + 60 * n
        share = 1.0 if start + 60 <= ts - lag else 0.1
        yield say(start, 60, {"input": int(1e6 * share)}, source=source, dimensions={"project": "proj_1"}, requests=10)


def provider(ts: float) -> Batch:
    account = Account(
        names=(Name("project", "proj_1", "Bots"),), allowances=(LIMIT,), complete_until=(ts - 600) // 60 * 60
    )
    covered = (Covered(ts // 60 * 60 - 1800, ts, ""),)
    return Batch(OPENAI, ts, (), (), statements=tuple(used(ts)), covered=covered, account=account)


def log(ts: float) -> Batch:
    """The same requests, as an agent on this machine logs them."""
    covered = (Covered(ts // 60 * 60 - 1800, ts, ""),)
    return Batch(CODEX, ts, (), (), statements=tuple(used(ts, lag=0, source=CODEX)), covered=covered)


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    made = Meters(monkeypatch)
    made.says[OPENAI] = provider
    return made


async def pass_by(run: Session, clock: FakeClock, seconds: int, step: int = 10) -> None:
    for _ in range(seconds // step):
        clock.jump(step)
        await run.polling.poll_once_all(1)
        assert run.recorder is not None
        assert run.recorder.flush()
        await run.tick()
        assert run.recorder.flush()


async def read(reckoning: Reckoning, run: Session, by: str = "model", **_: object) -> AccountsPage:
    """Return the page once it has been read."""
    reckoning.page(run.facts(), by, ())
    assert reckoning.making is not None
    await reckoning.making
    made = reckoning.page(run.facts(), by, ())
    assert made is not None
    return made


def shown(view: Overview) -> tuple[object, ...]:
    (row,) = (each for each in view.models if each.source == OPENAI)
    return row, view.headline.api_usd_per_hour, view.headline.api_age_seconds, view.budgets


async def plan(*runs: Session) -> None:
    """Let each plan its budgets from what the ledger has now."""
    for run in runs:
        assert run.recorder is None or await asyncio.to_thread(run.recorder.flush)
        await run.plans.make(run.clock.now())


async def test_who_looks_on_has_the_live_spend_and_the_limits_of_who_records(pricing: Path, meters: Meters) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as recorder:
        await pass_by(recorder, clock, 60)
        view = overview(recorder.facts())
        assert view.headline.api_usd_per_hour == pytest.approx(150.0)
        assert view.headline.usd_per_hour == pytest.approx(150.0)
        assert view.headline.api_age_seconds == 600.0
        (budget,) = view.budgets
        assert (budget.name, budget.origin, budget.scope) == (
            "limit of Bots",
            "openai",
            f"source={OPENAI} project=Bots",
        )
        assert budget.burn_usd_per_hour == pytest.approx(150.0)
        async with session(setup(pricing, clock), memory=False) as viewer:
            assert viewer.store.mode is Mode.VIEWER
            await plan(recorder, viewer)
            assert shown(overview(viewer.facts())) == shown(overview(recorder.facts()))
            await pass_by(recorder, clock, 60)
            await viewer.tick()
            await plan(recorder, viewer)
            assert shown(overview(viewer.facts())) == shown(overview(recorder.facts()))
            mine, its = Reckoning(recorder), Reckoning(viewer)
            page, other = await read(mine, recorder), await read(its, viewer)
            figures = [[replace(each, lines=()) for each in both.accounts] for both in (page, other)]
            assert figures[0] == figures[1]
            assert other.parts == page.parts
            await mine.close()
            await its.close()


async def test_what_a_log_tells_too_is_counted_once_and_shown_as_attributed(pricing: Path, meters: Meters) -> None:
    meters.says[CODEX] = log
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await pass_by(run, clock, 60)
        view = overview(run.facts())
        assert view.headline.api_usd_per_hour == pytest.approx(150.0)
        row = next(each for each in view.models if each.source == CODEX)
        assert (row.counts, row.counted_by) == (False, OPENAI)
        assert row.usd_per_hour == pytest.approx(150.0, rel=0.08)
        assert row.age_seconds == 0.0
        reckoning = Reckoning(run)
        accounts = {each.source: each for each in (await read(reckoning, run)).accounts}
        assert (accounts[OPENAI].counts, accounts[CODEX].counts) == (True, False)
        await reckoning.close()


async def test_a_provider_that_fails_keeps_its_last_minutes_until_they_are_no_rate_of_now(
    pricing: Path, meters: Meters
) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await pass_by(run, clock, 60)
        meters.says[OPENAI] = Unavailable("OpenAI refuses the key", state=State.AUTH)
        await pass_by(run, clock, 1800, step=60)
        view = overview(run.facts())
        assert view.headline.api_usd_per_hour == pytest.approx(150.0)
        assert view.headline.api_age_seconds == 2400.0
        await pass_by(run, clock, 600, step=60)
        late = overview(run.facts())
        assert (late.headline.api_usd_per_hour, late.headline.usd_per_hour) == (None, None)
        (row,) = (each for each in late.models if each.source == OPENAI)
        assert (row.usd_per_hour, row.state) == (None, "auth")
        assert late.headline.today_usd is not None


async def test_the_page_is_read_again_once_a_provider_told_more_and_divided_without_reading(
    pricing: Path, meters: Meters
) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await pass_by(run, clock, 60)
        reckoning = Reckoning(run)
        assert reckoning.page(run.facts(), "model", ()) is None
        page = await read(reckoning, run, "project")
        assert [(row.name, row.usd_per_hour) for row in page.parts] == [("Bots", pytest.approx(150.0))]
        facts = run.facts()
        assert reckoning.page(facts, "project", ()) is reckoning.page(facts, "project", ())
        by_model = reckoning.page(facts, "model", (("project", "Bots"),))
        assert by_model is not None
        assert [row.name for row in by_model.parts] == ["gpt-4o"]
        assert reckoning.making is None
        await pass_by(run, clock, 60)
        reckoning.page(run.facts(), "model", ())
        assert reckoning.making is not None
        await reckoning.making
        await reckoning.close()


async def test_a_history_that_cannot_be_read_is_an_empty_page(pricing: Path, meters: Meters, tmp_path: Path) -> None:
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock)) as run:
        await pass_by(run, clock, 20)
        run.store.uri = f"file:{tmp_path / 'none.db'}?mode=rw"
        reckoning = Reckoning(run)
        page = await read(reckoning, run)
        assert page.parts == ()
        await reckoning.close()


async def test_what_is_usual_is_learned_from_what_was_read_back_once_that_is_done(
    pricing: Path, meters: Meters
) -> None:
    def back(ts: float) -> Batch:
        hours = [say(BEGIN - 3600 * n, 3600, {"input": 60_000_000}, source=OPENAI, requests=60) for n in range(3, 40)]
        hours += [say(BEGIN - 60 * n, 60, {"input": 1_000_000}, source=OPENAI, requests=1) for n in range(32, 121)]
        told = provider(ts)
        covered = (Covered(BEGIN - 40 * 3600, BEGIN - 1860, ""), *(told.covered or ()))
        done = ts > BEGIN + 20
        return replace(
            told, statements=(*hours, *told.statements), covered=covered, again_seconds=None if done else 1.0
        )

    meters.says[OPENAI] = back
    clock = FakeClock(BEGIN)
    async with session(setup(pricing, clock), memory=False) as run:
        await run.remember()
        scope = (("model", "gpt-4o"), ("source", OPENAI))
        assert run.watch.baselines.usual(scope, "usd_per_hour") is None
        await pass_by(run, clock, 60)
        while run._learning is not None and not run._learning.done():
            await run._learning
        usual = run.watch.baselines.usual(scope, "usd_per_hour")
        assert usual is not None
        assert usual.mean == pytest.approx(150.0)
        assert 70 <= usual.minutes <= 120  # what was told by the minute: of hours only the mean is known

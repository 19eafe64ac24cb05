"""pricing.toml is edited while infertop runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.runs import Meters, session, setup
from tests.fakes import FakeClock

SOURCE = '[[source]]\nkind = "vllm"\nname = "a"\nurl = "http://10.0.0.1:8000"\n'
BUDGET = '[[budget]]\nname = "all"\nlimit_usd = {}\nperiod = "day"\n'


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    return Meters(monkeypatch)


@pytest.fixture
def pricing(tmp_path: Path) -> Path:
    path = tmp_path / "pricing.toml"
    path.write_text(SOURCE)
    return path


async def test_sources_follow_the_file(pricing: Path, meters: Meters) -> None:
    clock = FakeClock()
    async with session(setup(pricing, clock)) as run:
        assert set(run.roster.configs) == {"a", "nvml", "host"}
        pricing.write_text(SOURCE + SOURCE.replace('"a"', '"b"').replace("0.1", "0.2"))
        await run.tick()
        assert set(run.roster.configs) == {"a", "b", "nvml", "host"}
        pricing.write_text(SOURCE.replace('"a"', '"b"').replace("8000", "9000"))
        await run.tick()
        assert set(run.polling.names) == {"b", "nvml", "host"}
        assert run.roster.configs["b"].url == "http://10.0.0.1:9000"
        assert {each.source for each in run.facts().healths} == {"b", "nvml", "host"}


async def test_a_source_of_the_command_line_stays(pricing: Path, meters: Meters) -> None:
    async with session(setup(pricing, FakeClock(), options=("c=vllm=http://10.0.0.3:1",))) as run:
        pricing.write_text("# nothing is left\n")
        await run.tick()
        assert set(run.roster.configs) == {"c", "nvml", "host"}


async def test_budgets_and_time_zone_take_effect_at_once(pricing: Path, meters: Meters) -> None:
    clock = FakeClock()
    async with session(setup(pricing, clock)) as run:
        assert run.facts().past.budgets == ()
        pricing.write_text('timezone = "Asia/Kathmandu"\n' + BUDGET.format(100) + SOURCE)
        await run.tick()
        facts = run.facts()
        assert facts.timezone == "Asia/Kathmandu"
        (budget,) = facts.past.budgets
        assert budget.budget.limit_usd == 100
        assert budget.start % 86400 == 86400 - 5 * 3600 - 45 * 60
        assert run.recorder is not None
        assert run.recorder.flush()
        assert run.summary.day_start == budget.start
        assert set(run.summary.budgets) == {"all"}


async def test_a_mistake_is_shown_until_it_is_mended_and_changes_nothing(pricing: Path, meters: Meters) -> None:
    async with session(setup(pricing, FakeClock())) as run:
        assert not any("pricing.toml" in each for each in run.facts().notices)
        pricing.write_text(BUDGET.format(-1) + SOURCE.replace('"a"', '"b"'))
        await run.tick()
        for _ in range(2):
            assert run.facts().notices[0].startswith("pricing.toml:3: budget[0].limit_usd must be a number above 0")
            assert "from before stay in use" in run.facts().notices[0]
            assert set(run.roster.configs) == {"a", "nvml", "host"}
            await run.tick()
        pricing.write_text(BUDGET.format(1) + SOURCE)
        await run.tick()
        assert not any("pricing.toml" in each for each in run.facts().notices)
        assert len(meters.made.get("a", [])) <= 1


async def test_the_screens_interval_survives_a_reload(pricing: Path, meters: Meters) -> None:
    async with session(setup(pricing, FakeClock())) as run:
        run.set_interval(5.0)
        pricing.write_text(SOURCE + "interval = 30\n")
        await run.tick()
        assert {name: each.interval_seconds for name, each in run.roster.configs.items()} == {
            "a": 30.0,
            "nvml": 5.0,
            "host": 5.0,
        }
        assert run.facts().interval_seconds == 5.0


async def test_what_a_strangers_file_may_not_name_is_said(pricing: Path, meters: Meters) -> None:
    pricing.write_text(SOURCE + SOURCE.replace('"a"', '"near"').replace("10.0.0.1", "127.0.0.1"))
    async with session(setup(pricing, FakeClock(), trusted=False)) as run:
        assert set(run.roster.configs) == {"near", "nvml", "host"}
        assert not run.roster.configs["near"].trusted
        assert any("source a is ignored" in each for each in run.facts().notices)

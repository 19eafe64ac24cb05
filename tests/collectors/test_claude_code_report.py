"""Anthropic's Claude Code report day by day: restated, late, and never added to what the messages' usage says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, cast

from collectors._provider_time import rfc3339
from tests.provider_examples import example
from tests.provider_faces import Anthropic
from tests.provider_rig import NOW, Rig
from tests.provider_world import DAY, HOUR

TODAY = int(NOW // DAY) * DAY
MINE = "anthropic/claude_code"


def row(day: int, tokens: int, cents: int) -> dict[str, Any]:
    """What one user's Claude Code used of one model on a day."""
    said = copy.deepcopy(example("anthropic", "usage_report_claude_code")["data"][0])
    said["date"] = rfc3339(day)
    said["model_breakdown"] = said["model_breakdown"][:1]
    said["model_breakdown"][0] |= {
        "tokens": {"input": tokens},
        "estimated_cost": {"amount": cents, "currency": "USD"},
    }
    return cast("dict[str, Any]", said)


async def test_days_are_replaced_whole_and_stay_beside_the_usage(tmp_path: Path) -> None:
    rig = Rig("anthropic", tmp_path / "x.db")
    face = rig.world.face
    assert isinstance(face, Anthropic)
    rig.world.use(NOW - 700, input=1000)
    days = {rfc3339(day)[:10]: day for day in (TODAY - 9 * DAY, TODAY - DAY, TODAY)}
    face.claude_code = {name: [row(day, 10, 200)] for name, day in days.items()}
    await rig.poll()
    assert sum(each[4] or 0 for each in rig.rows(MINE)) == 3 * 2_000_000_000
    face.claude_code[rfc3339(TODAY)[:10]] = [row(TODAY, 30, 700), row(TODAY, 1, 1)]
    face.claude_code[rfc3339(TODAY - DAY)[:10]] = []
    await rig.poll(HOUR)
    costs = sorted(each[4] or 0 for each in rig.rows(MINE) if each[2] == "cost")
    assert costs == [2_000_000_000, 7_010_000_000]
    assert sum(each[3] for each in rig.rows(MINE) if each[2] == "input") == 41
    assert rig.usd_nano() == rig.world.usd_nano()
    asked = [each.params["starting_at"] for each in rig.world.asked if each.path.endswith("claude_code")]
    assert asked[-3:] == [rfc3339(TODAY - days * DAY)[:10] for days in (2, 1, 0)]
    assert rig.world.breaches == []
    await rig.collector.close()


async def test_nothing_of_the_last_hour_is_asked_for(tmp_path: Path) -> None:
    rig = Rig("anthropic", tmp_path / "x.db", float(TODAY + 600))
    await rig.poll()
    asked = [each.params["starting_at"] for each in rig.world.asked if each.path.endswith("claude_code")]
    assert max(asked) == rfc3339(TODAY - DAY)[:10]
    await rig.collector.close()

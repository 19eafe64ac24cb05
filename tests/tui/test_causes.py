"""Causes of incidents in one line: what, and how much of the rise, as far as there is room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui import sample_incidents
from tui.incidents import cause

PROMPTS = "2x: prompts 1,900 -> 4,200 is 51 % of it; since 04:12; +$1.35/h of +$2.65/h"


@pytest.mark.parametrize(
    ("why", "room", "shown"),
    [
        (PROMPTS, 60, "prompts 1 900 → 4 200: 51 % of the rise"),
        (PROMPTS, 30, "prompts 1 900 → 4 200"),
        (
            "2x that of Nov 22 04:12 to 05:00: requests is 100 % of it; since Mon 04:12; +$4.55/h",
            60,
            "requests: 100 % of the rise",
        ),
        ("1.9x that of the 30 min before: requests, all else: 2x", 60, "requests, all else: 2x"),
        ("requests adds $8.61/h; since 14:05; all else saves $1.73/h: 1.9x", 60, "requests adds $8.61/h"),
        ("about the same at $8.61/h; since 14:05", 60, "about the same at $8.61/h; since 14:05"),
    ],
)
def test_a_cause_is_told_by_its_share_of_the_rise_without_what_stands_beside_it(
    why: str, room: int, shown: str
) -> None:
    assert cause(replace(sample_incidents.OPENED, text="gpt-4o: 2.6x: $4.31/h", cause=why), room) == shown

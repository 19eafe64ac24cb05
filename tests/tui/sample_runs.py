"""Runs made by hand: some as agents have them, and some with names that want to do harm."""

from __future__ import annotations

from infertop.views.run_shapes import RunRow, RunsPage, Spread
from tests.tui import sample

MODELS = ("claude-opus-4-6", "claude-haiku-4-5")
ROWS = tuple(
    RunRow(
        run=f"{number:08x}-1111-4111-8111-111111111111",
        source="claude-code" if number % 3 else "codex",
        agent="claude-code" if number % 3 else "codex",
        project=f"/home/me/src/project-{number % 4}",
        models=MODELS[: 1 + number % 2] if number % 3 else ("gpt-5-codex",),
        start=sample.AT - 9000 * number - 4000,
        end=sample.AT - 9000 * number,
        requests=240 - 9 * number,
        tokens={"input": 900, "cache_read": 9_000_000 - 300_000 * number, "output": 140_000},
        usd=8.04 / (1 + number / 3) if number < 18 else None,
        unpriced_tokens=0 if number < 18 else 9_140_900 - 300_000 * number,
        counts=number != 2,
    )
    for number in range(20)
)
PAGE = RunsPage(
    sample.AT,
    sample.AT - 86_400,
    sample.AT,
    ROWS,
    20,
    41.2,
    Spread(1.61, 6.62, 18),
    Spread(154.5, 231.0, 20),
    Spread(6.3e6, 8.7e6, 20),
)
NOTHING = RunsPage(sample.AT, sample.AT - 3600, sample.AT)
HOSTILE = RunsPage(
    sample.AT,
    0.0,
    sample.AT,
    tuple(
        RunRow(name, name, name, name, (name, name), 0.0, 1e12, None, {name: 1}, None) for name in sample.HOSTILE_NAMES
    ),
    len(sample.HOSTILE_NAMES),
)

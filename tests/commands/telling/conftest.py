"""Worlds that end with their test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infertop.money.settings import Alert
from tests.commands.telling.world import Begin, World


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    made: list[World] = []

    def make(alert: Alert) -> World:
        made.append(World(tmp_path / "a.db", alert))
        return made[-1]

    yield make
    for each in made:
        await asyncio.to_thread(each.recorder.close)

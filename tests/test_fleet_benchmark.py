"""The fleet benchmark counts what was missed, also of whoever stopped asking."""

from __future__ import annotations

import pytest

from benchmarks import fleet_pages


def test_whoever_stops_asking_misses_ever_more(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((0.0, 1.0, 2.0, 8.0))
    monkeypatch.setattr(fleet_pages.time, "monotonic", lambda: next(clock))
    asked = fleet_pages.Asked()
    for _ in range(3):
        asked.note("reader", 1)
    assert asked.sums(1.0) == {"reader": [2, 6, 6.0]}

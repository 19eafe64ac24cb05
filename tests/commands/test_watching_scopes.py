"""Where a fault is: of the key that does it and not of its project, and of a project that all rises as one incident."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from infertop.money.detect.fault import Fault
from infertop.money.detect.scopes import CACHE_HITS, OUTPUT, Scope
from infertop.money.detect.watched import USUAL
from tests.commands.test_watching_dollars import Use
from tests.commands.watched_world import World

CALM, LASTS = 300, 60  # minutes
Uses = Mapping[str, Use]
PRICES = (300, 30, 1500)
USUALLY: Uses = {
    "web-0": Use(40, hits=0.8, model="mini", prices=PRICES),
    "web-1": Use(30, hits=0.0, model="mini", prices=PRICES),
    "data-0": Use(20, hits=0.0, model="mini", prices=PRICES),
    "data-1": Use(20, hits=0.0, model="large"),
}


def fault_of(path: Path, change: Callable[[Uses], Uses]) -> tuple[Fault, float]:
    """Return the only fault of an hour in which keys did something else, and what that really cost."""
    world, chance, usd = World(path), random.Random(7), 0.0
    world.asked = replace(world.asked, rule=replace(USUAL, floor_usd=0.2))
    for minute in range(CALM + LASTS + 20):
        asked = {key: round(use.requests * chance.uniform(0.9, 1.1)) for key, use in USUALLY.items()}
        usual = {key: replace(use, requests=asked[key]) for key, use in USUALLY.items()}
        now = change(usual) if CALM <= minute < CALM + LASTS else usual
        usd += sum(now[key].usd - usual[key].usd for key in usual)
        lines: dict[int, tuple[int, int | None]] = {}
        for key, use in now.items():
            for resource, amounts in use.lines().items():
                price = None if resource == "requests" else "a"
                of = {"key": key, "project": key[:-2]}
                lines[world.account(use.model, resource, price=price, **of)] = amounts
        world.minute(lines)
        if minute >= CALM - 1:
            world.watch()
    (fault,) = {each.fault.key: each.fault for each in world.steps}.values()
    return fault, usd


WEB_0: Scope = (("key", "web-0"),)
MINI: Scope = (("model", "mini"),)


def longer(use: Use) -> Use:
    """The model's answers, two and a half times as long."""
    return replace(use, output=use.output * 2.5) if use.model == "mini" else use


@pytest.mark.parametrize(
    ("change", "metric", "scope"),
    [
        (lambda uses: {**uses, "web-0": replace(uses["web-0"], hits=0.05)}, CACHE_HITS, WEB_0),
        (lambda uses: {key: longer(use) for key, use in uses.items()}, OUTPUT, MINI),
    ],
    ids=["fewer cache hits of one key", "longer answers of three keys' model"],
)
def test_one_fault_is_one_incident_of_whose_it_is_with_the_dollars_of_it(
    change: Callable[[Uses], Uses], metric: str, scope: Scope, tmp_path: Path
) -> None:
    fault, usd = fault_of(tmp_path / "x.db", change)
    assert (fault.lead.metric, fault.lead.scope, fault.scope) == (metric, scope, scope)
    assert fault.last is not None
    assert fault.until is not None
    assert fault.last.excess_usd == pytest.approx(usd, rel=0.05)

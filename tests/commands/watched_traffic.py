"""Traffic of two models by three keys, minute by minute: what is usual, and a surge of one of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from infertop.money.detect.watched import USUAL
from tests.commands.watched_world import World

Places = Sequence[tuple[str, str, float, float]]
USD = {("gpt-4o", "prod"): 12.0, ("gpt-4o", "dev"): 3.0, ("o3", "prod"): 6.0, ("o3", "batch"): 9.0}
RULE = replace(USUAL, floor_usd=1.0)


def usual(world: World, times: Callable[[str, str], float] = lambda _model, _key: 1.0) -> Places:
    """A minute of everybody's traffic, a little different from any other."""
    chance = random.Random(world.until)
    return [
        (model, key, usd * (each := times(model, key) * chance.uniform(0.8, 1.2)), usd * each * 200)
        for (model, key), usd in USD.items()
    ]


def calm(world: World, minutes: int) -> None:
    for _ in range(minutes):
        world.used(usual(world))


def surge(world: World, minutes: int, key: str = "batch", times: float = 10.0) -> None:
    for _ in range(minutes):
        world.used(usual(world, lambda _model, each: times if each == key else 1.0))
        world.watch()

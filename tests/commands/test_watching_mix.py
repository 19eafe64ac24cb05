"""Means of a model that move because others ask it now are no fault of their own: nobody's requests are different."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infertop.money.detect.mixing import own_share
from infertop.money.detect.scopes import CACHE_HITS, PER_REQUEST, PROMPT, Flow
from infertop.money.detect.watched import USUAL
from tests.commands.test_watching_dollars import Use
from tests.commands.watched_world import World

Told = list[tuple[str, dict[str, str]]]
USUALLY = {
    "prod": Use(40, hits=0.8),
    "dev": Use(12, prompt=6000.0, output=150.0, hits=0.1),
    "cheap": Use(150, prompt=200.0, output=20.0, hits=0.0),
}


def told(path: Path, change: Callable[[str, Use], Use], after: int = 60) -> Told:
    """What was opened while each key's use was changed for three hours, and in the minutes after that."""
    world = World(path)
    world.asked = replace(world.asked, rule=replace(USUAL, floor_usd=0.5))
    chance = random.Random(4)
    for minute in range(1140 + after):
        lines: dict[int, tuple[int, int | None]] = {}
        for key, use in USUALLY.items():
            now = replace(use, requests=round(use.requests * chance.uniform(0.9, 1.1)))
            now = change(key, now) if 960 <= minute < 1140 else now
            for resource, amounts in now.lines().items():
                price = None if resource == "requests" else "a"
                lines[world.account(now.model, resource, key=key, price=price)] = amounts
        world.minute(lines)
        if minute >= 900 and minute % 10 == 0:
            world.watch()
    return [(each.fault.lead.metric, dict(each.fault.scope)) for each in world.steps if each.opened]


def test_a_key_that_goes_to_another_model_is_one_incident_though_the_rest_has_less_from_the_cache(
    tmp_path: Path,
) -> None:
    def moves(key: str, use: Use) -> Use:
        return replace(use, model="opus", prices=(9000, 900, 45_000)) if key == "prod" else use

    assert told(tmp_path / "x.db", moves) == [("usd_per_hour", {"model": "opus"})]


def test_where_only_those_go_on_who_ask_long_prompts_nobodys_prompts_are_longer(tmp_path: Path) -> None:
    def pauses(key: str, use: Use) -> Use:
        return replace(use, requests=0) if key in ("cheap", "prod") else use

    assert told(tmp_path / "x.db", pauses, after=0) == []


def test_one_key_whose_prompts_are_longer_is_found_within_a_model(tmp_path: Path) -> None:
    found = told(tmp_path / "x.db", lambda key, use: replace(use, prompt=use.prompt * 4) if key == "prod" else use)
    assert [of for _, of in found] == [{"key": "prod"}]


def flows(*places: tuple[float, float, float, float]) -> list[Flow]:
    return [Flow(requests=n, prompt=p, cached=c, api_usd=usd) for n, p, c, usd in places]


@pytest.mark.parametrize(
    ("metric", "now", "share"),
    [
        (PROMPT, [(10, 60_000, 0, 1), (0, 0, 0, 0)], 0.0),
        (PROMPT, [(10, 180_000, 0, 1), (100, 20_000, 0, 1)], 1.0),
        (PER_REQUEST, [(100, 600_000, 0, 10), (100, 20_000, 0, 1)], 0.0),
        (CACHE_HITS, [(10, 60_000, 30_000, 1), (1000, 200_000, 0, 1)], 0.0),
    ],
)
def test_the_share_of_a_mean_that_is_its_places_own(
    metric: str, now: list[tuple[float, float, float, float]], share: float
) -> None:
    before = flows((10, 60_000, 30_000, 1), (100, 20_000, 0, 1))
    assert own_share(metric, zip(before, flows(*now), strict=True)) == pytest.approx(share, abs=0.05)


def test_who_is_new_is_no_own_change_and_who_changed_while_others_hid_it_is() -> None:
    one, other = flows((10, 60_000, 0, 1), (10, 600_000, 0, 1))
    assert own_share(PROMPT, [(one, one), (None, other)]) == pytest.approx(0.0)
    assert own_share(PROMPT, [(one, None), (None, other)]) == pytest.approx(0.0)
    assert own_share(PROMPT, [(None, one)]) == own_share(PROMPT, []) == own_share(PROMPT, [(one, one)]) == 1.0

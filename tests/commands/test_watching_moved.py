"""A key whose requests move to a dearer model: the cause is the key's, and not of a model that nobody asked before."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from infertop.commands.replay_past import Annals
from infertop.commands.replay_story import Story, told_by
from infertop.history.replay_span import Recorded
from infertop.money.detect.fault import Fault, Figure
from infertop.money.detect.scopes import USD, Scope
from infertop.money.overlap import Choices
from infertop.money.settings import Settings
from infertop.views.event_shapes import Comparison
from infertop.views.why_incident import seen_in
from tests.commands.watched_world import MINUTE, World

RAG: Scope = (("key", "rag"),)
RAG_ON_OPUS: Scope = (("key", "rag"), ("model", "opus"))


def recorded(path: Path, begin: int, minutes: Sequence[Sequence[tuple[str, str, float, float]]]) -> World:
    """A ledger in which these were used, minute by minute: (model, key, $/h, requests/h)."""
    world = World(path, begin)
    for used in minutes:
        world.used(used)
    world.connection.commit()
    return world


def test_of_requests_that_move_to_a_dearer_model_it_is_told_how_many_times_the_key_costs(tmp_path: Path) -> None:
    chance, begin = random.Random(3), 1_790_553_600
    minutes = []
    for minute in range(270):
        share = chance.uniform(0.95, 1.05)
        other = ("opus", "prod", 30.0 * share, 900.0)
        moved = minute >= 240
        rag = [("mini", "rag", 5.0 * share * (0.4 if moved else 1), 3000.0 * (0.4 if moved else 1))]
        minutes.append([other, *rag, *([("opus", "rag", 60.0 * share, 1800.0)] if moved else [])])
    world = recorded(tmp_path / "story.db", begin, minutes)
    annals = Annals(Recorded(float(begin), float(world.until)))
    story = Story(f"file:{world.path}?mode=ro", annals, Settings(), Choices(), begin + 200 * MINUTE)
    while not story.reach(world.until, 60.0):
        pass
    story.close()
    (event,) = [each for each in told_by(story.told, world.until) if each.kind == "incident"]
    assert event.text.startswith("key rag: ")
    assert "most of it from key rag, opus" in event.text
    assert event.why is not None
    assert event.why.scope == {"key": "rag"}
    assert event.why.before_usd_per_hour == pytest.approx(5.0, rel=0.02)
    assert "opus, new (0 -> 1,800 requests/h)" in event.cause


@pytest.mark.parametrize(
    ("lead", "scope", "before", "seen"),
    [(RAG, RAG_ON_OPUS, None, RAG), (RAG, RAG_ON_OPUS, 0.5, ()), (RAG, RAG, None, ()), ((), RAG, None, ())],
)
def test_where_a_fault_was_seen_says_more_only_of_what_is_new(
    lead: Scope, scope: Scope, before: float | None, seen: Scope
) -> None:
    fault = Fault("k", Figure(lead, USD), scope, 0.0, {})
    why = Comparison(dict(scope), (0.0, 1.0), (1.0, 2.0), before, 60.0)
    assert seen_in(fault, why) == seen

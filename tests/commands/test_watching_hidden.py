"""One of many keys of a large model asks long prompts: it is found by its dollars, and named as the cause."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from infertop.history.reader import Reader
from infertop.history.used_between import used_between
from infertop.money.detect.scopes import USD, Scope
from infertop.money.detect.watched import USUAL
from infertop.money.why.usage import Usage
from infertop.money.why.windows import Span
from infertop.views.why_incident import fault_comparison
from tests.commands.test_watching_dollars import Use
from tests.commands.watched_world import World

KEYS, HIDDEN = 46, "k42"
CALM, LASTS = 200, 20  # minutes


def test_the_key_behind_a_models_longer_prompts_is_found_and_named_though_its_tokens_are_not_watched(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "x.db")
    world.asked = replace(world.asked, rule=replace(USUAL, floor_usd=1.0))
    chance = random.Random(8)
    for minute in range(CALM + LASTS):
        lines: dict[int, tuple[int, int | None]] = {}
        for number in range(KEYS):
            use = Use(round((KEYS - number) * chance.uniform(0.9, 1.1)))
            if minute >= CALM and f"k{number}" == HIDDEN:
                use = replace(use, prompt=use.prompt * 30)
            for resource, amounts in use.lines().items():
                price = None if resource == "requests" else "a"
                lines[world.account("claude", resource, key=f"k{number}", price=price)] = amounts
        world.minute(lines)
        if minute == CALM - 1:
            world.watch()
            assert not world.work._figures.scopes[("key", HIDDEN),].detailed
        if minute >= CALM and minute % 20 == 19:
            world.watch()
    (fault,) = {each.fault.key: each.fault for each in world.steps}.values()
    assert (fault.lead.metric, dict(fault.scope)) == (USD, {"key": HIDDEN})
    reader = Reader(tmp_path / "x.db")
    for scope in (fault.scope, (("model", "claude"),), ()):

        def used(spans: Sequence[Span], scope: Scope = scope) -> Sequence[Usage]:
            return reader.ask(used_between, scope, spans)

        why = fault_comparison(USD, scope, fault.since, float(world.until), used, ZoneInfo("UTC"))
        where = "claude" if scope == fault.scope else f"key {HIDDEN}"
        assert f"prompt tokens per request on {where} 2,000 -> 60,000" in why.sentence

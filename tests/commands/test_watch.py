"""Restarts of engines and mistakes in pricing.toml: told once, and ended when they end; the newest events are kept."""

from __future__ import annotations

from infertop.commands.watch import Watch
from infertop.engine.state import State
from infertop.history.summary import Summary
from infertop.money.settings import Settings
from infertop.readings.model import Batch, Series
from infertop.views.shapes import Event

BEGIN = 1_790_000_000.0


def test_an_engine_that_began_anew_is_told_once() -> None:
    watch, state = Watch(2.0), State()
    for n, (count, started) in enumerate([(5.0, 1.0), (9.0, 1.0), (2.0, 7.0), (3.0, 7.0), (1.0, 90.0)]):
        state.apply(Batch("vllm@a:1", BEGIN + n, (Series.of("output_tokens", model="m"),), (count,), started))
        for _ in range(2):
            watch.tick(Summary(), Settings(), state, BEGIN + n)
    shown = watch.events.shown
    assert [(each.ts, each.kind, each.scope) for each in shown] == [
        (BEGIN + 4, "restart", {"source": "vllm@a:1"}),
        (BEGIN + 2, "restart", {"source": "vllm@a:1"}),
    ]
    assert len(watch.events.take_news()) == 2


def test_a_mistake_in_the_file_lasts_until_it_is_mended() -> None:
    watch = Watch(2.0)
    for now, problem in (
        (1.0, ""),
        (2.0, "pricing.toml:3: wrong"),
        (3.0, "pricing.toml:3: wrong"),
        (4.0, ""),
        (5.0, ""),
    ):
        watch.read(problem, now)
    (event,) = watch.events.shown
    assert (event.ts, event.until, event.text) == (2.0, 4.0, "pricing.toml:3: wrong")


def test_a_mistake_of_an_earlier_run_has_ended() -> None:
    watch = Watch(2.0)
    watch.events.remember("pricing 1", Event(1.0, "warn", "pricing", "pricing.toml:3: wrong"))
    watch.read("", 9.0)
    assert [each.until for each in watch.events.shown] == [9.0]


def test_the_newest_events_are_kept() -> None:
    watch = Watch(2.0)
    for n in range(300):
        watch.events.add(f"x {n}", Event(float(n), "info", "x", str(n), until=float(n)))
    assert [each.ts for each in watch.events.shown] == [float(n) for n in range(299, 99, -1)]

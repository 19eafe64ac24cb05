"""Marks: five minutes in a row beyond what is usual are told once, kept, and ended when they end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.commands.marks import TOKENS, USD, Marks, figures
from infertop.commands.watch import Watch
from infertop.engine.state import State
from infertop.history.summary import Minute
from infertop.money.settings import Settings
from infertop.views.shapes import Event
from tests.commands.minutes_of_two import BEGIN, SCOPE_A, minute, steady, summary

NOTHING = Settings()


class World:
    """A watch that sees minute after minute; `stored` is what the recorder was given."""

    def __init__(self, sigma: float = 2.0) -> None:
        self.watch = Watch(sigma)
        self.stored: dict[str, dict[str, object]] = {}
        self.history: list[Minute] = []

    def see(self, *minutes: Minute) -> list[dict[str, object]]:
        """Return the marks that changed."""
        self.history += minutes
        now = float(self.history[-1].start + 61)
        self.watch.tick(summary(self.history[-60:]), NOTHING, State(), now)
        news = self.watch.events.take_news()
        self.stored |= news
        return [each for each in news.values() if each["kind"] == "mark"]


def test_the_figures_of_a_minute_are_those_of_each_model_and_of_all() -> None:
    found = figures(minute(0, usd=1.2, tokens=900, requests=3))
    assert found == {
        (SCOPE_A, USD): pytest.approx(1.2),
        ((("model", "qwen"), ("source", "vllm@b:1")), USD): pytest.approx(1.2),
        ((), USD): pytest.approx(3.6),
        (SCOPE_A, TOKENS): 300.0,
        ((), TOKENS): 300.0,
    }


def test_a_minute_that_was_half_recorded_counts_by_the_half() -> None:
    assert figures(minute(0, usd=1.0, covered=30_000))[(), USD] == pytest.approx(6.0)
    assert figures(minute(0, covered=0))[(), USD] is None


def test_five_dear_minutes_in_a_row_are_marked_and_the_mark_ends() -> None:
    world = World()
    assert world.see(*steady(60)) == []
    for n in range(60, 64):
        assert world.see(minute(n, usd=3.0)) == []
    marks = world.see(minute(64, usd=3.0))
    assert {(each["metric"], tuple(sorted(each["scope"].items()))) for each in marks} == {
        (USD, ()),
        (USD, SCOPE_A),
        (USD, (("model", "qwen"), ("source", "vllm@b:1"))),
    }
    (of_all,) = [each for each in marks if not each["scope"]]
    assert of_all["ts"] == BEGIN + 60 * 60
    assert (of_all["value"], of_all["expected"]) == (pytest.approx(9.0), pytest.approx(3.0))
    assert of_all["text"] == "in all: $/hour 9.00, usually 3.00, give or take 0.00"
    assert of_all["until"] is None
    assert world.see(minute(65, usd=3.0)) == []
    ended = world.see(minute(66, usd=1.0))
    assert [each["until"] for each in ended] == [BEGIN + 66 * 60] * 3
    assert len(world.stored) == 3
    assert all(each["until"] for each in world.stored.values())
    assert len(world.watch.events.shown) == 3


def test_four_dear_minutes_are_no_mark() -> None:
    world = World()
    world.see(*steady(60))
    for n in range(60, 64):
        world.see(minute(n, usd=3.0))
    assert world.see(minute(64), minute(65)) == []


def test_longer_requests_are_marked_by_model_and_in_all() -> None:
    world = World()
    world.see(*steady(60))
    marks = world.see(*[minute(n, tokens=2000) for n in range(60, 65)])
    assert {(each["metric"], len(each["scope"])) for each in marks} == {(TOKENS, 0), (TOKENS, 2)}
    assert {each["text"] for each in marks} == {
        "in all: tokens/request 200, usually 100, give or take 0",
        "llama: tokens/request 200, usually 100, give or take 0",
    }


def test_a_higher_sigma_marks_less() -> None:
    wild = [minute(n, usd=1.0 + n % 2) for n in range(60)]
    for sigma, count in ((2.0, 3), (9.0, 0)):
        world = World(sigma)
        world.see(*wild)
        assert len(world.see(*[minute(n, usd=3.0) for n in range(60, 65)])) == count


def test_a_minute_is_judged_when_it_is_closed_and_once() -> None:
    world = World()
    world.see(*steady(60))
    dear = [minute(n, usd=3.0) for n in range(60, 65)]
    open_still = replace(summary(dear), closed=dear[-1].start)
    world.watch.tick(open_still, NOTHING, State(), 0.0)
    assert not world.watch.events.shown
    for _ in range(3):
        world.watch.tick(summary(dear), NOTHING, State(), 0.0)
    assert len(world.watch.events.shown) == 3


def test_a_minute_that_nobody_recorded_neither_makes_nor_ends_a_mark() -> None:
    world = World()
    world.see(*steady(60))
    world.see(*[minute(n, usd=3.0) for n in range(60, 65)])
    assert world.see(minute(65, covered=0)) == []
    assert len(world.watch.marks.baselines.marks()) == 3


def test_while_paused_minutes_wait() -> None:
    world = World()
    world.see(*steady(60))
    world.watch.marks.paused = True
    dear = [minute(n, usd=3.0) for n in range(60, 65)]
    assert world.see(*dear) == []
    world.watch.marks.paused = False
    assert len(world.see()) == 3


def test_marks_of_an_earlier_run_go_on_or_have_ended() -> None:
    before = World()
    before.see(*steady(60))
    before.see(*[minute(n, usd=3.0) for n in range(60, 65)])
    for further, lasting in (([], 3), ([minute(65)], 0)):
        after = Watch(2.0)
        for key, content in before.stored.items():
            after.events.remember(key, Event(**content))
        learnt = Marks(2.0)
        learnt.load([*before.history, *further])
        after.adopt(learnt, 1e9)
        assert sum(each.until is None for each in after.events.shown) == lasting
        assert after.events.take_news().keys() == (set() if lasting else before.stored.keys())
        assert len(after.events.shown) == 3


def test_a_viewer_learns_what_is_usual_and_makes_no_events() -> None:
    watch = Watch(2.0)
    watch.follow(summary([*steady(60), *[minute(n, usd=3.0) for n in range(60, 65)]]))
    assert watch.baselines.usual((), USD) is not None
    assert len(watch.baselines.marks()) == 3
    assert watch.events.shown == ()
    assert watch.events.take_news() == {}

"""One fault, one incident: what opens one, what only bears it out, and where it goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from infertop.money.detect.fault import Figure, Step
from infertop.money.detect.faults import WAITS_SECONDS, Faults
from infertop.money.detect.grouping import Moved
from infertop.money.detect.incidents import Incident
from infertop.money.detect.scopes import (
    CACHE_HITS,
    EVERYTHING,
    IDLE,
    OUTPUT,
    PER_MILLION,
    PROMPT,
    REQUESTS,
    USD,
    Scope,
)
from tests.money.risen_places import KEYS, O3, OPENAI, PROD, moved, of


def incident(since: float, usd_per_hour: float = 20.0, **more: float) -> Incident:
    """An incident that adds so much an hour."""
    made = Incident(since, None, 3.0, "jump", 5.0, 5.0 + usd_per_hour, 5.0 + usd_per_hour, usd_per_hour, 3, since + 60)
    return replace(made, excess_usd=1.0, excess_usd_per_hour=usd_per_hour, **more)


class World:
    """Faults that follow minute after minute; `rise` is what every place cost before and since."""

    def __init__(self, rise: Sequence[Moved]) -> None:
        self.faults = Faults()
        self.rise = rise
        self.minute = 600
        self.lasting: dict[Figure, Incident] = {}

    def see(self, *begun: Figure, ended: Sequence[Figure] = (), **more: float) -> list[Step]:
        """Return the steps of another minute, in which incidents began and ended."""
        self.minute += 60
        over = {each: replace(self.lasting.pop(each), until=float(self.minute)) for each in ended}
        self.lasting |= {each: incident(float(self.minute), **more) for each in begun}
        return self.faults.follow(self.minute, self.lasting, over, lambda *_: self.rise)

    def opened(self, *begun: Figure) -> list[Scope]:
        return [each.fault.scope for each in self.see(*begun) if each.opened]


def test_what_rises_with_a_key_opens_nothing_beside_it() -> None:
    world = World(moved(prod=4.0))
    assert world.opened(Figure(PROD, USD), Figure(EVERYTHING, USD), Figure(OPENAI, USD)) == [PROD]
    assert world.opened(Figure(O3, USD), Figure(O3, PROMPT)) == []
    ((fault,),) = [world.faults.all]
    assert len(fault.members) == 5


def test_a_parent_that_was_seen_first_is_narrowed_and_keeps_its_key() -> None:
    world = World(moved())
    world.rise = moved(prod=2.0, dev=2.0, batch=2.0)
    (step,) = world.see(Figure(EVERYTHING, USD))
    assert step.fault.scope == OPENAI
    key = step.fault.key
    world.rise = moved(prod=9.0)
    (step,) = world.see(Figure(PROD, USD))
    assert (step.moved, step.fault.scope, step.fault.key) == (True, PROD, key)
    (step,) = world.see()
    assert step.fault.lead == Figure(PROD, USD)


def test_a_part_that_was_seen_first_is_widened_as_the_rest_follows_which_opens_none() -> None:
    a, b, web = (("key", "web-1"),), (("key", "web-0"),), (("project", "web"),)
    world = World(of(("o3", "web-1", 26.0, 60.0), ("gpt-4o", "web-0", 12.0, 13.0)))
    assert world.opened(Figure(a, USD)) == [O3]
    world.rise = of(("o3", "web-1", 26.0, 60.0), ("gpt-4o", "web-0", 12.0, 26.0))
    (step,) = world.see(Figure(web, USD))
    assert (step.moved, step.fault.scope, step.fault.wider) == (True, web, True)
    world.minute += 900
    assert world.opened(Figure(b, REQUESTS), Figure(b, USD)) == []
    world.minute += int(WAITS_SECONDS)
    (step,) = world.see()
    assert (step.opened, step.fault.lead, len(step.fault.members)) == (False, Figure(web, USD), 4)


def test_a_part_is_not_widened_to_what_is_usual_there() -> None:
    lasting = {Figure(O3, USD): incident(600.0)}
    faults, both = Faults(), of(("o3", "web-1", 26.0, 60.0), ("gpt-4o", "web-0", 12.0, 26.0))
    for minute in (660, 720):
        (step,) = faults.follow(minute, lasting, {}, lambda *_: both, lambda _figure: 86_400.0)
        assert (step.moved, step.fault.scope) == (False, O3)


def test_what_is_told_late_of_a_fault_that_is_over_opens_none() -> None:
    world = World(moved(prod=4.0))
    world.see(Figure(PROD, USD))
    begun = world.minute
    world.minute += 7200
    world.see(ended=[Figure(PROD, USD)])
    world.minute += 600
    world.lasting[Figure(EVERYTHING, USD)] = incident(float(begun))
    assert world.see() == []
    world.lasting[Figure(OPENAI, USD)] = incident(float(world.minute))
    assert [each.opened for each in world.see()] == [True]


def test_longer_answers_of_one_key_are_of_the_model_once_all_of_it_answers_so() -> None:
    keys = [Figure((("key", key),), OUTPUT) for key in KEYS]
    world = World(moved(prod=2.0))
    world.see(keys[0])
    world.minute += int(WAITS_SECONDS)
    (step,) = world.see()
    assert (step.opened, step.fault.scope) == (True, PROD)
    world.rise = moved(o3=2.0)
    (step,) = world.see(*keys[1:], Figure(O3, OUTPUT))
    assert (step.moved, step.fault.scope) == (True, O3)
    world.minute += int(WAITS_SECONDS)
    (step,) = world.see()
    assert (step.opened, step.fault.lead, len(step.fault.members)) == (False, Figure(O3, OUTPUT), 4)


def test_cache_hits_of_one_key_that_fall_are_of_the_key_and_not_of_all_that_it_is_part_of() -> None:
    world = World(moved(o3_prod=6.0))
    world.see(Figure(O3, CACHE_HITS))
    world.minute += int(WAITS_SECONDS)
    assert [each.fault.scope for each in world.see()] == [(("key", "prod"), ("model", "o3"))]


def test_of_a_key_that_is_new_it_is_all_that_it_costs_and_of_one_that_moved_to_another_model_it_is_not() -> None:
    intern = (("key", "intern"),)
    new = [*of(("gpt-4o", "web-1", 8.0, 9.0)), *of(("gpt-4o", "intern", 0.0, 24.0))]
    world = World(new)
    (step,) = world.see(Figure((("model", "gpt-4o"),), USD))
    assert (step.fault.scope, step.fault.apart) == (intern, True)
    last = step.fault.last
    assert last is not None
    assert (last.excess_usd, last.excess_usd_per_hour, last.now) == (pytest.approx(24.0 / 60), 24.0, (24.0, 0.0))
    world.minute += 1740
    (step,) = world.see(ended=[step.fault.lead])
    assert step.fault.last is not None
    assert (step.fault.until, step.fault.last.excess_usd) == (660 + 1800, pytest.approx(24.0 / 2))
    moved_on = [*of(("mini", "rag", 5.0, 2.0)), *of(("gpt-4o", "rag", 0.0, 60.0)), *of(("gpt-4o", "web-1", 8.0, 9.0))]
    (step,) = World(moved_on).see(Figure((("key", "rag"),), USD))
    assert not step.fault.apart


def test_of_a_key_that_asks_another_model_it_is_told_what_it_costs_more_and_nothing_where_that_is_no_more() -> None:
    opus, rag = (("model", "opus"),), (("key", "rag"),)
    others = of(("opus", "web", 9.0, 9.5), ("haiku", "rag", 12.0, 3.0))
    world = World([*others, *of(("opus", "rag", 0.0, 21.0))])
    (step,) = world.see(Figure(opus, USD))
    assert (step.fault.scope, step.fault.apart) == (rag, True)
    assert step.fault.last is not None
    assert (step.fault.last.now, step.fault.last.excess_usd_per_hour) == ((24.0, 12.0), 12.0)
    (step,) = world.see()
    assert (step.moved, step.fault.scope) == (False, rag)
    assert World([*others, *of(("opus", "rag", 0.0, 10.0))]).opened(Figure(opus, USD)) == []


def test_two_faults_at_once_are_two_and_what_has_both_opens_no_third() -> None:
    world = World(moved(prod=8.0, dev=8.0))
    world.rise = moved(prod=8.0)
    assert world.opened(Figure(PROD, USD)) == [PROD]
    world.minute += 7200
    world.rise = moved(dev=8.0)
    assert world.opened(Figure((("key", "dev"),), USD)) == [(("key", "dev"),)]
    world.rise = moved(prod=8.0, dev=8.0)
    assert world.opened(Figure(EVERYTHING, USD)) == []


def test_what_trails_a_fault_that_is_over_opens_none() -> None:
    world = World(moved(prod=4.0))
    world.see(Figure(PROD, USD), Figure(EVERYTHING, USD))
    (step,) = world.see(ended=[Figure(PROD, USD)])
    assert step.fault.until == world.minute
    assert world.see() == []
    world.minute += 3 * 7200
    assert world.see() == []
    world.see(ended=[Figure(EVERYTHING, USD)])
    assert world.faults.all == []


def test_a_figure_without_dollars_waits_before_it_stands_alone_and_dollars_take_the_lead() -> None:
    world = World(moved(o3=1.3))
    assert world.see(Figure(O3, PROMPT)) == []
    world.minute += int(WAITS_SECONDS)
    assert [each.fault.lead for each in world.see()] == [Figure(O3, PROMPT)]
    world.rise = moved(o3=3.0)
    world.see(Figure(O3, USD))
    (step,) = world.see()
    assert step.fault.lead == Figure(O3, USD)


def test_dearer_tokens_are_a_fault_only_where_the_dollars_rose_with_them() -> None:
    dearer = Figure(EVERYTHING, PER_MILLION)
    for rise, later, count in ((moved(prod=4.0), 0, 1), (moved(), 0, 0), (moved(prod=4.0), 7200, 0)):
        world = World(rise)
        world.see(dearer, usd_per_hour=5.0)
        world.minute += int(WAITS_SECONDS) + later
        assert len([each for each in world.see() if each.opened]) == count


def test_idle_time_is_part_of_a_fault_that_it_is_much_of_and_else_one_of_its_own() -> None:
    for usd, count in ((20.0, 1), (1.0, 2)):
        world = World(moved(prod=4.0))
        world.see(Figure(PROD, USD))
        world.see(Figure(EVERYTHING, IDLE), usd_per_hour=usd)
        world.minute += int(WAITS_SECONDS)
        world.see()
        assert len(world.faults.lasting) == count


def test_faults_go_on_from_what_was_stored() -> None:
    world = World(moved(prod=4.0))
    world.see(Figure(PROD, USD), Figure(EVERYTHING, USD))
    again = Faults()
    again.load(json.loads(json.dumps(world.faults.dump())))
    assert again.all == world.faults.all
    with pytest.raises(ValueError, match="the faults of before cannot be read"):
        again.load([{"key": "x"}])


def test_a_rise_of_what_bursts_by_itself_is_none_of_the_sum_until_it_is_unusual_there_too() -> None:
    world = World(moved(prod=9.0))
    lasting = {Figure(EVERYTHING, USD): incident(600.0)}
    known = {Figure(PROD, USD): 86_400.0}

    def see(minute: int) -> list[Scope]:
        steps = world.faults.follow(minute, lasting, {}, lambda *_: world.rise, lambda each: known.get(each, 0.0))
        return [each.fault.scope for each in steps if each.opened]

    assert see(660) == []
    lasting[Figure(PROD, USD)] = incident(660.0)
    assert see(720) == [PROD]
    known.clear()
    assert World(moved(prod=9.0)).opened(Figure(EVERYTHING, USD)) == [PROD]

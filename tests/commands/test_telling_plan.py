"""What is told, and which message goes out when: limits that hold in every hour, and nothing lost."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.commands.telling_plan import (
    CAUSE_SECONDS,
    Message,
    given_up,
    lasting,
    letters,
    next_message,
    wait_seconds,
)
from infertop.history.open import open_memory
from infertop.history.outbox import Letter, Outbox
from tests.alerts.events import CAUSE, KEY, TS, budget, event

BOTH = ("webhook", "command")


def told(said: dict[str, Any], channels: tuple[str, ...] = BOTH, ends: float | None = None) -> list[Letter]:
    return letters(KEY, said, channels, "h", TS + 5, ends)


def test_an_incident_is_told_to_each_channel_with_its_cause_if_that_comes_soon() -> None:
    first, second = told(event(cause=""))
    assert (first.id, first.channel, second.channel) == (f"{KEY} opened", "webhook", "command")
    assert first.next_at == TS + 5 + CAUSE_SECONDS
    assert first.lasting
    assert told(event(cause=CAUSE))[0].next_at == TS + 5


def test_its_end_closes_it_and_stands_alone_where_it_would_have_been_told() -> None:
    (closed, _) = told(event(state="closed", until=TS + 1))
    assert (closed.id, closed.closes, closed.alone, closed.lasting) == (f"{KEY} closed", f"{KEY} opened", True, False)
    assert not told(event(state="closed", level="info"))[0].alone


def test_a_budget_level_is_told_at_once_until_its_period_ends() -> None:
    (said, _) = told(budget(), ends=TS + 3600)
    assert (said.next_at, said.ends, said.lasting) == (TS + 5, TS + 3600, True)


@pytest.mark.parametrize(
    "said",
    [
        event(level="info"),
        event(kind="mark"),
        event(kind="restart"),
        event(kind="pricing"),
        budget() | {"level": "info"},
        {},
    ],
)
def test_nothing_else_is_told(said: dict[str, Any]) -> None:
    assert told(said) == []


@pytest.mark.parametrize("state", ["acknowledged", "planned"])
def test_what_somebody_has_seen_is_withdrawn(state: str) -> None:
    assert [(each.id, each.withdrawn) for each in told(event(state=state))] == [(f"{KEY} opened", True)] * 2


def test_nobody_is_told_where_nobody_is_named() -> None:
    assert told(event(), ()) == []


class World:
    """An outbox in which messages are sent as the plan says; `sent` has the time and the size of each."""

    def __init__(self, per_hour: int) -> None:
        self.per_hour = per_hour
        store = open_memory("a test")
        assert store.connection is not None
        self.connection = store.connection
        self.outbox = Outbox(store.connection, TS)
        self.sent: list[tuple[float, list[str]]] = []
        self.count = 0

    def post(self, now: float, count: int = 1) -> None:
        for _ in range(count):
            self.count += 1
            content = {"id": f"m{self.count}"}
            self.outbox.post(Letter(f"l{self.count}", "webhook", content, now, now))

    def next(self, now: float) -> Message | None:
        return next_message(self.outbox.entries, "webhook", self.per_hour, now)

    def run(self, now: float) -> None:
        """Send all that goes now, and keep it as a recorder would."""
        while (message := self.next(now)) is not None:
            self.outbox.attempt(message.keys, message.id, now)
            self.outbox.sent(message.keys, now)
            self.sent.append((now, [each.letter.id for each in message.entries]))
        self.outbox.write(self.connection)
        self.outbox.written()
        self.outbox.forget(now)


def test_letters_go_one_by_one_in_their_order() -> None:
    world = World(20)
    world.post(TS, 3)
    world.run(TS)
    assert [ids for _, ids in world.sent] == [["l1"], ["l2"], ["l3"]]


def test_beyond_half_of_the_limit_what_waits_is_summed_up_within_minutes() -> None:
    world = World(20)
    world.post(TS, 30)
    for minute in range(60):
        world.run(TS + 60.0 * minute)
        if minute == 1:
            world.post(TS + 60, 3)
    assert [len(ids) for _, ids in world.sent] == [1] * 9 + [21, 3]
    assert [ts - TS for ts, _ in world.sent] == [0.0] * 10 + [360.0]
    assert world.sent[9][1] == [f"l{n}" for n in range(10, 31)]


def test_a_limit_of_one_an_hour_is_kept() -> None:
    world = World(1)
    for minute in range(130):
        world.post(TS + 60.0 * minute)
        world.run(TS + 60.0 * minute)
    assert [ts - TS for ts, _ in world.sent] == [0.0, 3600.0, 7200.0]
    assert [len(ids) for _, ids in world.sent] == [1, 60, 60]


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 25)), max_size=40))
def test_no_hour_has_more_than_its_limit_and_nothing_is_lost_or_told_twice(
    per_hour: int, arrivals: list[tuple[int, int]]
) -> None:
    world, now = World(per_hour), TS
    for minutes, count in arrivals:
        now += 60.0 * minutes
        world.post(now, count)
        world.run(now)
    while any(each.state == "waiting" for each in world.outbox.entries):
        now += 60.0
        world.run(now)
    times = [ts for ts, _ in world.sent]
    assert all(sum(ts <= other < ts + 3600 for other in times) <= per_hour for ts in times)
    assert Counter(each for _, ids in world.sent for each in ids) == Counter(f"l{n + 1}" for n in range(world.count))


def test_a_summary_that_was_tried_goes_out_again_as_it_was() -> None:
    world = World(1)
    world.post(TS, 3)
    message = world.next(TS)
    assert message is not None
    assert [each.letter.id for each in message.entries] == ["l1", "l2", "l3"]
    world.outbox.attempt(message.keys, message.id, TS)
    world.outbox.again(message.keys, "no", TS + 10)
    world.post(TS + 5, 2)
    world.outbox.write(world.connection)
    world.outbox = Outbox(world.connection, TS + 6)
    for now in (TS + 10, TS + 100):
        again = world.next(now)
        assert again is not None
        assert (again.id, [each.letter.id for each in again.entries]) == (message.id, ["l1", "l2", "l3"])


def test_one_that_fails_again_and_again_lets_the_others_go_first() -> None:
    world = World(20)
    world.post(TS, 2)
    for tries in range(1, 6):
        message = world.next(TS)
        assert message is not None
        assert message.entries[0].letter.id == ("l1" if tries < 5 else "l2")
        world.outbox.attempt([("l1", "webhook")], "m1", TS)


def test_what_waits_for_its_time_is_not_sent_before() -> None:
    world = World(20)
    world.post(TS + 20)
    assert world.next(TS + 19) is None
    assert world.next(TS + 20) is not None


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    world = World(1)
    world.post(TS + 1e6)
    world.run(TS + 1e6)
    world.post(TS + 1e6)
    assert world.next(TS + 1e6) is None
    assert world.next(TS) is not None


def test_channels_do_not_wait_for_each_other() -> None:
    world = World(20)
    world.post(TS)
    assert next_message(world.outbox.entries, "command", 20, TS) is None


def test_after_a_day_it_is_given_up() -> None:
    world = World(20)
    world.post(TS)
    assert given_up(world.outbox.entries, TS + 86400) == []
    assert given_up(world.outbox.entries, TS + 86401) == [("l1", "webhook")]


def test_what_lasts_is_what_was_told_and_is_not_over() -> None:
    outbox = World(20).outbox
    for name, ends in (("a", None), ("b", TS + 10), ("c", None)):
        outbox.post(Letter(name, "webhook", {"id": name}, TS, TS, ends, lasting=True))
    outbox.sent([("a", "webhook"), ("b", "webhook")], TS)
    assert [each.letter.id for each in lasting(outbox.entries, "webhook", TS)] == ["a", "b"]
    assert [each.letter.id for each in lasting(outbox.entries, "webhook", TS + 10)] == ["a"]


def test_retries_are_ever_further_apart_up_to_a_quarter_of_an_hour() -> None:
    random = Random(1)
    waits = [wait_seconds(attempts, None, random) for attempts in range(1, 40)]
    assert 3.75 <= waits[0] <= 5
    assert all(675 <= each <= 900 for each in waits[9:])
    assert wait_seconds(1, 120.0, random) == 120.0
    assert len(set(waits)) == len(waits)

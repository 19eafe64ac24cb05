"""The polling loops: what failures of every kind come to."""

import asyncio
import logging
from random import Random

import pytest

from infertop.engine.collector import State, Unavailable
from infertop.readings.model import Batch
from tests.engine.looped import OK, Rig, gaps, hang
from tests.fakes import ListSink, ScriptedCollector

# Failures.


async def test_a_source_that_answers_is_up_with_its_notes_and_counts():
    good = Batch("fake", 0.0, (), (), notes=("One line could not be read.",), rejected=1)
    async with Rig(ScriptedCollector(script=[good], url="http://127.0.0.1:8000/")) as rig:
        assert rig.health().state is State.STARTING
        await rig.clock.advance(2)
        health = rig.health()
    assert (health.state, health.detail, health.rejected) == (State.UP, "One line could not be read.", 1)
    assert (health.address, health.failures) == ("http://127.0.0.1:8000", 0)
    assert health.polls == len(rig.sink.batches)
    assert health.good_ts == health.tried_ts == rig.sink.batches[-1].ts


@pytest.mark.parametrize(
    ("error", "state", "detail"),
    [
        (Unavailable("connection refused at a:1"), State.DOWN, "connection refused at a:1"),
        (Unavailable("no key", state=State.AUTH), State.AUTH, "no key"),
        (Unavailable("no NVML", state=State.ABSENT), State.ABSENT, "no NVML"),
        (Unavailable("slow", state=State.STALE), State.STALE, "slow"),
        (TimeoutError(), State.STALE, "no answer in time"),
        (PermissionError(13, "Permission denied", "/var/a\x1b"), State.DOWN, "/var/a�: Permission denied"),
        (ExceptionGroup("", [Unavailable("first"), OSError(5, "I/O error")]), State.DOWN, "first"),
    ],
)
async def test_what_can_be_expected_to_fail_is_said_and_recovers_by_itself(error, state, detail):
    async with Rig(ScriptedCollector(script=[OK, error, OK])) as rig:
        await rig.clock.advance(1.9)
        assert (rig.health().state, rig.health().detail) == (state, detail)
        assert rig.health().good_ts < rig.health().tried_ts
        await rig.clock.advance(70)
        assert (rig.health().state, rig.health().detail, rig.health().failures) == (State.UP, "", 1)


async def test_a_source_that_never_answered_in_time_is_down_and_not_stale():
    async with Rig(ScriptedCollector(script=[Unavailable("slow", state=State.STALE)])) as rig:
        await rig.clock.advance(1)
        assert rig.health().state is State.DOWN


@pytest.mark.parametrize(("interval", "deadline"), [(1, 5), (60, 60)])
async def test_a_poll_that_hangs_is_given_up_at_its_deadline_and_delays_no_other(interval, deadline):
    stuck, other = ScriptedCollector("stuck", [hang], interval=interval), ScriptedCollector("other")
    async with Rig(stuck, other) as rig:
        await rig.clock.advance(deadline - 0.1)
        assert len(stuck.polled) == 1
        await rig.clock.advance(0.6)
        assert rig.health("stuck").detail == f"no answer within {deadline} s"
    assert gaps(other)[1:] == pytest.approx([1.0] * (len(other.polled) - 2), abs=1e-3)


async def test_waits_double_up_to_half_a_minute():
    source = ScriptedCollector(script=[Unavailable("down")])
    async with Rig(source) as rig:
        await rig.clock.advance(300)
    assert gaps(source)[0] == pytest.approx(1, abs=0.01)
    assert max(gaps(source)) <= 30.001
    assert min(gaps(source)[6:]) >= 22.4
    assert len({round(gap, 3) for gap in gaps(source)[6:]}) > 3


async def test_a_wait_is_never_shorter_than_the_interval():
    source = ScriptedCollector(script=[Unavailable("down")], interval=120)
    async with Rig(source) as rig:
        await rig.clock.advance(1000)
    assert min(gaps(source)) >= 119.9


async def test_a_refused_key_is_tried_once_a_minute_at_most():
    source = ScriptedCollector(script=[Unavailable("no", state=State.AUTH)])
    async with Rig(source) as rig:
        await rig.clock.advance(300)
    assert min(gaps(source)) >= 59.9


async def test_whoever_names_a_time_to_wait_is_given_it():
    source = ScriptedCollector(script=[Unavailable("slow down", retry_seconds=600), OK])
    async with Rig(source) as rig:
        await rig.clock.advance(599)
        assert len(source.polled) == 1
        await rig.clock.advance(3)
        assert len(source.polled) >= 2


def buggy(ts):
    api_key = "local-variable-canary"  # noqa: F841 - must not be in the log
    return 1 / 0


async def test_a_bug_is_loud_in_health_and_log_and_others_go_on(caplog):
    other = ScriptedCollector("other")
    async with Rig(ScriptedCollector("bad", [buggy, OK]), other) as rig:
        await rig.clock.advance(0.5)
        assert rig.health("bad").state is State.DOWN
        detail = rig.health("bad").detail
        await rig.clock.advance(4)
        assert rig.health("bad").state is State.UP
        assert rig.health("other").failures == 0
    assert detail.startswith("internal error: ZeroDivisionError in engine/test_run_faults.py:")
    assert detail.endswith("; details in the log")
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    text = logging.Formatter().format(record)
    assert "return 1 / 0" in text
    assert "local-variable-canary" not in text.replace(buggy.__code__.co_filename, "")


async def test_a_sink_that_cannot_take_a_batch_is_a_bug_of_that_source_alone():
    class Picky(ListSink):
        def apply(self, batch):
            if batch.source == "bad":
                raise KeyError("metric")
            super().apply(batch)

    rig = Rig()
    rig.sink = rig.polling._sink = Picky()
    rig.polling.add(ScriptedCollector("bad"))
    rig.polling.add(ScriptedCollector("good"))
    async with rig:
        await rig.clock.advance(3)
        assert rig.health("bad").detail.startswith("internal error: KeyError")
        assert rig.health("good").state is State.UP


async def test_a_cancellation_inside_a_collector_does_not_end_its_polling():
    async def cancelled(ts):
        raise asyncio.CancelledError

    async with Rig(ScriptedCollector(script=[cancelled, OK])) as rig:
        await rig.clock.advance(0.5)
        assert rig.health().detail.startswith("internal error: CancelledError")
        await rig.clock.advance(3)
        assert rig.health().state is State.UP


# A long time with random faults.


class Faulty(ScriptedCollector):
    """Does something else at every poll: answers at once or late, hangs, fails, breaks."""

    def __init__(self, name, clock, random, interval):
        super().__init__(name, interval=interval)
        self.random, self.clock, self.outcomes = random, clock, []

    async def _do(self, step, ts):
        act = self.random.choices(["good", "slow", "hang", "down", "auth", "later", "bug"], [60, 10, 5, 15, 2, 3, 5])[0]
        self.outcomes.append(act)
        if act == "slow":
            await self.clock.sleep_until(ts + self.random.uniform(0, 1.5 * self.config.interval_seconds))
        if act == "hang":
            await hang(ts)
        if act == "bug":
            raise TypeError("bug")
        if act in ("down", "auth", "later"):
            state = State.AUTH if act == "auth" else State.DOWN
            raise Unavailable(act, state=state, retry_seconds=90 if act == "later" else None)
        return Batch(self.config.name, ts, (), ())


@pytest.mark.parametrize("seed", range(4))
async def test_a_thousand_seconds_of_random_faults_keep_the_rules(seed, caplog):
    caplog.set_level(logging.CRITICAL)
    random, rig = Random(seed), Rig(seed=seed)
    faulty = [Faulty(f"faulty {n}", rig.clock, random, random.choice([0.5, 1, 2, 10])) for n in range(6)]
    healthy, dead = ScriptedCollector("healthy"), ScriptedCollector("dead", [hang])
    for each in (*faulty, healthy, dead):
        rig.polling.add(each)
    async with rig:
        await rig.clock.advance(1000)
        end = rig.clock.now()
        for each in faulty:
            interval = each.config.interval_seconds
            assert not each.overlapped
            assert len(each.polled) > 20
            for act, wait in zip(each.outcomes, [*gaps(each), end - each.polled[-1]], strict=True):
                deadline, backoff = max(interval, 5), {"auth": 60, "later": 90}.get(act, 30)
                most = interval * 1.5 if act == "good" else deadline + max(interval, backoff)
                assert wait <= most + 0.01
            for act, wait in zip(each.outcomes, gaps(each), strict=False):
                assert wait >= {"auth": 59.9, "later": 89.9}.get(act, interval / 2 - 0.01)
            assert rig.health(each.config.name).polls in (len(each.polled), len(each.polled) - 1)
    assert gaps(healthy)[1:] == pytest.approx([1.0] * (len(healthy.polled) - 2), abs=1e-3)
    assert rig.health("dead").failures == rig.health("dead").polls > 10
    good = sum(act == "good" for each in faulty for act in each.outcomes)
    assert len([each for each in rig.sink.batches if each.source.startswith("faulty")]) >= good

"""The polling loops: when sources are polled, and what failures of every kind come to."""

import asyncio
import logging
from random import Random

import pytest

from infertop.engine.collector import State, Unavailable
from infertop.engine.run import Polling
from infertop.readings.model import Batch
from tests.fakes import START, FakeClock, ListSink, ScriptedCollector

OK = Batch("fake", 0.0, (), ())


async def hang(ts):
    await asyncio.Event().wait()


def taking(clock, seconds):
    async def poll(ts):
        await clock.sleep_until(ts + seconds)
        return Batch("fake", ts, (), ())

    return poll


class Rig:
    """A Polling on a clock that stands still, and what it hands on."""

    def __init__(self, *collectors, seed=1):
        self.clock, self.sink = FakeClock(), ListSink()
        self.polling = Polling(self.clock, self.sink, random=Random(seed))
        for each in collectors:
            self.polling.add(each)

    async def __aenter__(self):
        self.task = asyncio.create_task(self.polling.run())
        return self

    async def __aexit__(self, *_):
        closing = asyncio.create_task(self.polling.close())
        while not closing.done():
            await self.clock.advance(0.5)
        await closing
        await asyncio.wait_for(self.task, 1)

    def health(self, name="fake"):
        return [each for each in self.sink.healths if each.source == name][-1]


def gaps(collector):
    return [later - earlier for earlier, later in zip(collector.polled, collector.polled[1:], strict=False)]


# Pace.


async def test_every_source_is_polled_within_half_a_second_of_the_start_and_not_all_at_once():
    sources = [ScriptedCollector(f"source {n}", interval=60) for n in range(50)]
    async with Rig(*sources) as rig:
        await rig.clock.advance(0.5)
        firsts = [each.polled[0] - START for each in sources]
    assert max(firsts) <= 0.5
    assert len({round(first, 2) for first in firsts}) > 20


async def test_polls_follow_at_the_interval_and_are_spread_over_it():
    sources = [ScriptedCollector(f"source {n}", interval=10) for n in range(50)]
    async with Rig(*sources) as rig:
        await rig.clock.advance(60)
    for each in sources:
        assert 5 <= gaps(each)[0] <= 15
        assert gaps(each)[1:] == pytest.approx([10] * (len(each.polled) - 2), abs=1e-3)
    seconds = {int(each.polled[-1]) % 10 for each in sources}
    assert len(seconds) >= 8


async def test_a_poll_longer_than_the_interval_skips_and_does_not_burst():
    rig = Rig()
    slow = ScriptedCollector(script=[OK, taking(rig.clock, 3.5), OK])
    rig.polling.add(slow)
    async with rig:
        await rig.clock.advance(10)
    assert max(gaps(slow)) == pytest.approx(4, abs=0.01)
    assert min(gaps(slow)) >= 0.5
    assert not slow.overlapped


async def test_after_a_suspended_machine_polls_go_on_without_a_burst():
    source = ScriptedCollector()
    async with Rig(source) as rig:
        await rig.clock.advance(5)
        before = len(source.polled)
        rig.clock.jump(600)
        await rig.clock.advance(3)
    assert len(source.polled) - before <= 4


async def test_a_changed_interval_holds_at_once():
    source = ScriptedCollector(interval=60)
    async with Rig(source) as rig:
        await rig.clock.advance(1)
        rig.polling.set_interval("fake", 2)
        await rig.clock.advance(10)
        assert len(source.polled) >= 5
        assert rig.health().interval_seconds == 2
        rig.polling.set_interval("fake", 30)
        count = len(source.polled)
        await rig.clock.advance(14)
        assert len(source.polled) == count


async def test_a_source_that_charges_per_call_can_wait_for_its_time():
    source = ScriptedCollector(interval=60)
    async with Rig() as rig:
        rig.polling.add(source, not_before=START + 45)
        await rig.clock.advance(44)
        assert source.polled == []
        await rig.clock.advance(2)
        assert source.polled == [pytest.approx(START + 45, abs=1e-3)]


async def test_sources_come_and_go_while_polling():
    first, second = ScriptedCollector("first"), ScriptedCollector("second")
    async with Rig(first) as rig:
        await rig.clock.advance(3)
        rig.polling.add(second)
        with pytest.raises(ValueError, match="polled already"):
            rig.polling.add(ScriptedCollector("second"))
        await rig.clock.advance(0.5)
        assert len(second.polled) == 1
        await rig.polling.remove("first")
        assert first.closed
        count = len(first.polled)
        await rig.clock.advance(5)
        assert len(first.polled) == count
        await rig.polling.remove("first")
        assert rig.polling.names == ("second",)
    assert second.closed


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
    assert detail.startswith("internal error: ZeroDivisionError in engine/test_run.py:")
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


# One poll more, and the end.


async def test_all_sources_can_be_polled_once_without_loops():
    sources = [ScriptedCollector("a"), ScriptedCollector("b"), ScriptedCollector("c")]
    rig = Rig(*sources)
    await rig.polling.poll_once_all(5)
    await rig.polling.poll_once_all(5, names=["a", "c"])
    assert [len(each.polled) for each in sources] == [2, 1, 2]
    assert len(rig.sink.batches) == 5
    await rig.polling.close()
    assert all(each.closed for each in sources)


async def test_polling_once_waits_no_longer_than_it_is_given():
    stuck = ScriptedCollector("stuck", [hang])
    rig = Rig(stuck, ScriptedCollector("good"))
    polling = asyncio.create_task(rig.polling.poll_once_all(2))
    await rig.clock.advance(2.1)
    assert polling.done()
    assert rig.health("stuck").detail == "no answer within 2 s"
    assert rig.health("good").state is State.UP


async def test_polling_once_waits_for_a_poll_under_way_instead_of_doubling_it():
    rig = Rig()
    slow = ScriptedCollector(script=[taking(rig.clock, 2)])
    rig.polling.add(slow)
    async with rig:
        await rig.clock.advance(1)
        once = asyncio.create_task(rig.polling.poll_once_all(4))
        await rig.clock.advance(0.1)
        assert not once.done()
        await rig.clock.advance(1.4)
        assert once.done()
        assert len(slow.polled) == 1


async def test_closing_ends_polls_under_way_and_survives_a_collector_that_cannot_close():
    class Clumsy(ScriptedCollector):
        async def close(self):
            raise RuntimeError("no")

    clumsy, stuck = Clumsy("clumsy"), ScriptedCollector("stuck", [hang])
    async with Rig(clumsy, stuck) as rig:
        await rig.clock.advance(1)
    assert stuck.closed
    assert rig.polling.names == ()


async def test_cancelling_run_stops_the_polls():
    source = ScriptedCollector()
    rig = Rig(source)
    task = asyncio.create_task(rig.polling.run())
    await rig.clock.advance(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    count = len(source.polled)
    await rig.clock.advance(5)
    assert len(source.polled) == count
    await rig.polling.close()
    assert source.closed


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

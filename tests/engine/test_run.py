"""The polling loops: when sources are polled, and how polling ends."""

import asyncio

import pytest

from infertop.engine.collector import State
from infertop.readings.model import Batch
from tests.engine.looped import OK, Rig, gaps, hang, taking
from tests.fakes import START, ScriptedCollector

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


async def test_a_source_with_more_to_tell_is_polled_again_at_once_until_it_has_told_all():
    more = Batch("fake", 0.0, (), (), again_seconds=0.5)
    source = ScriptedCollector(interval=60, script=[more, more, OK])
    async with Rig(source) as rig:
        await rig.clock.advance(0.4)
        assert rig.polling.unfinished == {"fake"}
        await rig.clock.advance(29.6)
        assert len(source.polled) == 3
        assert rig.polling.unfinished == frozenset()
    assert gaps(source) == pytest.approx([0.5, 0.5])


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

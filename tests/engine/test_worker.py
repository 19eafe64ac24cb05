import asyncio
import gc
import threading

import pytest

from infertop.engine.worker import Stuck, Worker


@pytest.fixture
def worker():
    made = Worker("test")
    yield made
    made.close()


async def test_a_job_runs_in_a_thread_of_its_own_which_stays(worker):
    first = await worker.call(threading.current_thread, 5)
    second = await worker.call(threading.current_thread, 5)
    assert first is second
    assert first is not threading.current_thread()
    assert first.daemon


async def test_what_a_job_raises_is_raised_to_whoever_asked(worker):
    with pytest.raises(ZeroDivisionError):
        await worker.call(lambda: 1 // 0, 5)
    assert await worker.call(lambda: 1, 5) == 1


async def test_while_a_job_hangs_every_call_says_for_how_long_and_runs_nothing(worker):
    release, ran = threading.Event(), []
    with pytest.raises(Stuck) as first:
        await worker.call(lambda: release.wait(30), 0.05)
    with pytest.raises(Stuck) as second:
        await worker.call(lambda: ran.append(1), 5)
    assert 0.04 < first.value.seconds <= second.value.seconds < 5
    release.set()
    assert await eventually(worker) == "free"
    assert ran == []


async def test_a_cancelled_call_holds_the_thread_until_its_job_is_done(worker):
    release = threading.Event()
    call = asyncio.create_task(worker.call(lambda: release.wait(30), 30))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(Stuck):
        await worker.call(lambda: None, 5)
    release.set()
    assert await eventually(worker) == "free"


async def eventually(worker):
    async with asyncio.timeout(10):
        while True:
            try:
                return await worker.call(lambda: "free", 5)
            except Stuck:
                await asyncio.sleep(0.001)


def test_a_job_that_outlives_its_loop_disturbs_nobody(worker, caplog):
    release, done = threading.Event(), threading.Event()

    def job():
        release.wait(30)
        done.set()

    async def ask():
        with pytest.raises(Stuck):
            await worker.call(job, 0.01)

    asyncio.run(ask())
    release.set()
    assert done.wait(10)
    assert asyncio.run(eventually(worker)) == "free"
    assert caplog.records == []


async def test_what_a_late_job_raises_is_dropped(worker, caplog):
    release = threading.Event()

    def job():
        release.wait(30)
        raise ValueError

    with pytest.raises(Stuck):
        await worker.call(job, 0.01)
    release.set()
    await eventually(worker)
    gc.collect()
    await asyncio.sleep(0)
    assert caplog.records == []


async def test_a_call_that_is_given_up_before_the_thread_comes_to_it_holds_it_too(worker, monkeypatch):
    monkeypatch.setattr(worker, "_start", lambda: None)  # a thread that is slow to begin
    done = threading.Event()
    with pytest.raises(Stuck):
        await worker.call(done.set, 0)
    with pytest.raises(Stuck):
        await worker.call(lambda: None, 5)
    assert not done.is_set()
    monkeypatch.undo()
    worker._start()
    assert await asyncio.to_thread(done.wait, 10)
    assert await eventually(worker) == "free"


async def test_a_closed_worker_lets_its_thread_end(worker):
    thread = await worker.call(threading.current_thread, 5)
    worker.close()
    thread.join(10)
    assert not thread.is_alive()

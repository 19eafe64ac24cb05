"""Blocking libraries (NVML, psutil) off the loop: one thread each, a deadline a call, and never a second thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[Future[Any], Callable[[], Any]]


class Stuck(Exception):  # noqa: N818 - a state of the worker, turned into a sentence by whoever asked
    """A call has not come back; `seconds` is for how long it has been running."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"a blocking call has not come back for {seconds:.0f} s")
        self.seconds = seconds


class Worker:
    """Runs one blocking call at a time in a daemon thread of its own, which starts with the first call.

    A thread cannot be ended from outside: a call that passes its deadline, or whose caller is cancelled, goes on, its
    result is dropped, and until it is back every further call raises `Stuck` at once. That holds from the moment of
    the call, whether the thread has come to it yet or not.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._current: Future[Any] | None = None
        self._since = 0.0

    async def call(self, job: Callable[[], T], deadline: float) -> T:
        """Return what `job` returns or raise what it raises; raise `Stuck` after `deadline` seconds."""
        loop = asyncio.get_running_loop()
        if self._current is not None and not self._current.done():
            raise Stuck(loop.time() - self._since)
        future: Future[T] = Future()
        finished = asyncio.Event()
        future.add_done_callback(lambda _: _wake(loop, finished))
        self._current, self._since = future, loop.time()
        self._start()
        self._jobs.put((future, job))
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await finished.wait()
        if not future.done():
            raise Stuck(loop.time() - self._since)
        return future.result()

    def close(self) -> None:
        """Let the thread end after the call that it may be in."""
        self._jobs.put(None)
        self._thread = None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=_run, args=(self._jobs,), name=self._name, daemon=True)
            self._thread.start()


def _wake(loop: asyncio.AbstractEventLoop, finished: asyncio.Event) -> None:
    """Tell the loop that asked, unless it has been closed by now."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(finished.set)


def _run(jobs: SimpleQueue[_Job | None]) -> None:
    while (each := jobs.get()) is not None:
        future, job = each
        try:
            result = job()
        except BaseException as problem:  # noqa: BLE001 - it is raised again where the call was made
            future.set_exception(problem)
        else:
            future.set_result(result)

"""Blocking libraries (NVML, psutil) off the loop: one thread each, a deadline a call, and never a second thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(Exception):  # noqa: N818 - a state of the worker, turned into a sentence by whoever asked
    """A call has not come back; `seconds` is for how long it has been running."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"a blocking call has not come back for {seconds:.0f} s")
        self.seconds = seconds


class Worker:
    """Runs one blocking call at a time in a daemon thread of its own, which starts with the first call.

    A thread cannot be ended from outside: a call that passes its deadline goes on, its result is dropped, and until
    it is back every further call raises `Stuck` at once.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._current: Future[Any] | None = None
        self._since = 0.0

    async def call(self, job: Callable[[], T], deadline: float) -> T:
        """Return what `job` returns or raise what it raises; raise `Stuck` after `deadline` seconds."""
        loop = asyncio.get_running_loop()
        if self._current is not None and not self._current.done():
            raise Stuck(loop.time() - self._since)
        future: Future[T] = Future()
        self._current, self._since = future, loop.time()
        self._start()
        self._jobs.put((future, job))
        waiting = asyncio.wrap_future(future)
        try:
            await asyncio.wait({waiting}, timeout=deadline)
            if waiting.done():
                return waiting.result()
            raise Stuck(loop.time() - self._since)
        finally:
            waiting.cancel()  # so that a late result is not handed to a loop that may be closed by then

    def close(self) -> None:
        """Let the thread end after the call that it may be in."""
        self._jobs.put(None)
        self._thread = None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=_run, args=(self._jobs,), name=self._name, daemon=True)
            self._thread.start()


def _run(jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]) -> None:
    while (each := jobs.get()) is not None:
        future, job = each
        if not future.set_running_or_notify_cancel():
            continue
        try:
            result = job()
        except BaseException as problem:  # noqa: BLE001 - it is raised again where the call was made
            future.set_exception(problem)
        else:
            future.set_result(result)

"""The vendors' libraries that find credentials: optional, and imported at the first request, off the screen's loop."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from infertop.engine.collector import State, Unavailable
from infertop.engine.worker import Stuck, Worker
from infertop.readings.safe import safe

AGAIN_SECONDS = 60.0
"""When credentials that are missing are looked for again; until then nothing else of the account is tried."""

_T = TypeVar("_T")
_LOOK_UP_SECONDS = 30.0
_PACKAGES = {"aws": "botocore", "azure": "azure-identity", "google": "google-auth"}


def library(name: str, extra: str, kind: str) -> Any:
    """Return a module of one of infertop's extras; raise Unavailable with what to install where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        absent = (problem.name or "").partition(".")[0] == name.partition(".")[0]
        why = "is not installed" if absent else f"cannot be loaded ({safe(problem, 80)})"
    sentence = f'{kind} finds its credentials through {_PACKAGES[extra]}, which {why}: pip install "infertop[{extra}]"'
    raise Unavailable(sentence, state=State.ABSENT, retry_seconds=AGAIN_SECONDS)


class LookUp:
    """Runs what finds credentials in a thread of its own, one call after the other, with a deadline.

    It reads files, asks the machine's metadata or runs the vendor's program: nothing here waits for it at the end.
    """

    def __init__(self, whose: str, seconds: float = _LOOK_UP_SECONDS) -> None:
        self._whose = whose
        self._seconds = seconds
        self._worker = Worker(f"{whose} credentials")
        self._lock = asyncio.Lock()
        self._closed = False

    async def call(self, work: Callable[[], _T]) -> _T:
        """Return what `work` returns or raise what it raises; raise Unavailable where it does not come back."""
        async with self._lock:
            try:
                return await self._worker.call(work, self._seconds)
            except Stuck as stuck:
                seconds = stuck.seconds
        sentence = f"the look-up of {self._whose} credentials has not come back for {seconds:.0f} s"
        raise Unavailable(sentence, state=State.STALE, retry_seconds=AGAIN_SECONDS)

    def close(self) -> None:
        """Let the thread end."""
        if not self._closed:
            self._closed = True
            self._worker.close()

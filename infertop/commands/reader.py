"""`infertop reader`: this machine's GPUs as JSON lines, for an infertop elsewhere that reads them over ssh.

It keeps nothing, listens nowhere, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import Namespace
from collections.abc import Iterable
from contextlib import suppress

from collectors._ssh_reader import PROTOCOL, object_line, shape_line, values_line
from infertop.commands.sources import collector, configured
from infertop.engine.clock import Clock, SystemClock
from infertop.engine.collector import Collector, State, Unavailable
from infertop.readings.model import Batch, Series


def run(options: Namespace) -> int:
    """Print lines until nobody reads them any more."""
    return asyncio.run(_read(options.interval or 1.0))


async def _read(seconds: float) -> int:
    clock = SystemClock()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), _look_for_end, ended)
    meters = [collector(config, clock) for config in configured((), (), None) if config.kind != "host"]
    said = Said()
    _print(object_line({"reader": PROTOCOL}))
    try:
        while not ended.is_set():
            for line in said.lines(await _collect(meters, clock)):
                _print(line)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await ended.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
        for meter in meters:
            await meter.close()
    return 0


class Said:
    """Turns readings into lines; what series there are is said again only when that changed."""

    def __init__(self) -> None:
        self._shape: tuple[Series, ...] = ()

    def lines(self, read: Iterable[Batch | Unavailable]) -> Iterable[str]:
        """Yield the lines of one round."""
        read = list(read)
        rows = [pair for each in read if isinstance(each, Batch) for pair in zip(each.series, each.values, strict=True)]
        if not rows:
            problems = [each for each in read if isinstance(each, Unavailable)]
            absent = all(each.state is State.ABSENT for each in problems)
            yield object_line({"problem": _worst(problems), "absent": absent})
            return
        shape = tuple(series for series, _ in rows)
        if shape != self._shape:
            self._shape = shape
            yield shape_line(shape)
        yield values_line(value for _, value in rows if isinstance(value, int | float))


async def _collect(meters: Iterable[Collector], clock: Clock) -> list[Batch | Unavailable]:
    read: list[Batch | Unavailable] = []
    for meter in meters:
        try:
            read.append(await meter.collect(clock.now()))
        except Unavailable as problem:
            read.append(problem)
    return read


def _worst(problems: Iterable[Unavailable]) -> str:
    """Return the sentence of a meter that should answer, else of one that is not there."""
    found = sorted(problems, key=lambda each: each.state is State.ABSENT)
    return found[0].sentence if found else "there is no meter of GPUs"


def _look_for_end(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        ended.set()


def _print(line: str) -> None:
    print(line, flush=True)

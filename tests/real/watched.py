"""infertop beside a real server: asking the server over HTTP, and waiting until infertop has read it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from tests.acceptance.program import Program
from tests.acceptance.replayed import wait_for

PRICING = """\
[host]
usd_per_hour = 36
"""


def post(url: str, body: dict[str, Any]) -> bytes:
    """Send one request as JSON and return the whole answer."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return bytes(reply.read())


def polled_after(infertop: Program, source: str, ts: float) -> bool:
    """Say whether the tape has a poll of a source later than `ts`."""
    if not infertop.database.exists():
        return False
    query = "SELECT max(ts) FROM polls JOIN sources ON sources.id = source WHERE name = ?"
    try:
        with closing(sqlite3.connect(f"file:{infertop.database}?mode=ro", uri=True)) as connection:
            newest = connection.execute(query, (source,)).fetchone()[0]
    except sqlite3.OperationalError:  # the tables are being made
        return False
    return newest is not None and newest / 1000 > ts


def wait_until_read(infertop: Program, source: str, process: subprocess.Popen[str]) -> None:
    """Wait until infertop has read what the source says now."""
    now = time.time()

    def done() -> bool:
        assert process.poll() is None, process.communicate()
        return polled_after(infertop, source, now)

    wait_for(done)


@contextmanager
def under_load(ask: Callable[[int], None]) -> Iterator[None]:
    """Send requests one after the other while the block runs; enter it after the first."""
    stop, begun = threading.Event(), threading.Event()

    def run() -> None:
        number = 0
        while not stop.is_set():
            ask(number)
            number += 1
            begun.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert begun.wait(30)
        yield
    finally:
        stop.set()
        thread.join()

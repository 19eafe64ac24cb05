"""Telling a program: the alert as JSON on its standard input, in a process group of its own, for a limited time.

No shell reads its words. It gets the environment without whatever may be a key.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath

from infertop.alerts.form import Alert
from infertop.alerts.outcome import Outcome
from infertop.engine.secrets import redact
from infertop.readings.safe import safe

LIMIT_SECONDS = 30.0
_END_SECONDS = 2.0
_LAST_SECONDS = 0.5
_OUTPUT_BYTES = 4096
_KEYS = re.compile(r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|WEBHOOK|BEARER|COOKIE", re.IGNORECASE)
_log = logging.getLogger(__name__)


def shown(words: tuple[str, ...]) -> str:
    """Return the program's name: its arguments may be anybody's secret."""
    return safe(PurePath(words[0]).name or words[0], 80)


def missing(words: tuple[str, ...]) -> str:
    """Return as a sentence that the program of a command cannot be started, "" where it can; it reads the disk."""
    if not words or shutil.which(words[0]) is not None:
        return ""
    return f"there is no program {shown(words)} that can be started"


def environment(alert: Alert, environ: Mapping[str, str], secret: Collection[str] = ()) -> dict[str, str]:
    """Return what the program finds in its environment: no variable that is named `secret`, or as a key would be."""
    kept = {
        name: value
        for name, value in environ.items()
        if name not in secret and not _KEYS.search(name) and redact(value) == value
    }
    own = {
        "ID": alert["id"],
        "INCIDENT": alert["incident"],
        "STATUS": alert["status"],
        "KIND": alert["kind"],
        "SEVERITY": alert["severity"],
        "SUMMARY": alert["summary"],
        "CAUSE": alert["cause"],
        "SINCE": alert["since"],
    }
    return kept | {f"INFERTOP_ALERT_{name}": value for name, value in own.items()}


async def run(
    words: tuple[str, ...], alert: Alert, environ: Mapping[str, str], *, limit_seconds: float = LIMIT_SECONDS
) -> Outcome:
    """Run the program once and return what came of it; its group is ended where it takes too long, or nobody waits.

    What it leaves running behind it is its own affair.
    """
    name = shown(words)
    content = json.dumps(alert, allow_nan=False).encode("ascii") + b"\n"
    loop = asyncio.get_running_loop()
    starting = asyncio.ensure_future(
        loop.subprocess_exec(_Running, *words, stderr=subprocess.STDOUT, env=dict(environ), start_new_session=True)
    )
    try:
        transport, running = await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _abandon(starting)
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "bad name"
        return Outcome(False, f"{name} cannot be started: {reason.lower()}")
    try:
        async with asyncio.timeout(limit_seconds):
            _give(transport, content)
            await running.ended.wait()
        await running.finish()
    except TimeoutError:
        return Outcome(False, f"{name} did not end within {limit_seconds:g} s, and was ended", again=True)
    finally:
        if not running.ended.is_set():
            await _end(transport, running)
        transport.close()
    output = redact(running.said.decode("utf-8", "replace"))
    if output:
        _log.info("%s: %s", name, output)
    return replace(_outcome(name, transport.get_returncode() or 0), output=output)


class _Running(asyncio.SubprocessProtocol):
    """What a program says, as far as it is kept, and whether it has ended, whoever holds its output still."""

    def __init__(self) -> None:
        self.said = b""
        self.ended = asyncio.Event()
        self._silent = asyncio.Event()

    async def finish(self) -> None:
        """Wait a moment for the last that it said, which may come after it ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await self._silent.wait()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep the beginning; the rest is read and forgotten, so that the program can go on."""
        self.said += data[: _OUTPUT_BYTES - len(self.said)]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note that it says no more."""
        if fd == 1:
            self._silent.set()

    def process_exited(self) -> None:
        """Note that it ended."""
        self.ended.set()


def _give(transport: asyncio.SubprocessTransport, content: bytes) -> None:
    pipe = transport.get_pipe_transport(0)
    assert isinstance(pipe, asyncio.WriteTransport)
    pipe.write(content)
    pipe.close()


async def _abandon(starting: asyncio.Future[tuple[asyncio.SubprocessTransport, _Running]]) -> None:
    """End a program that may have begun already: asyncio itself would end it alone, and wait for its children."""
    with suppress(OSError, ValueError):
        transport, running = await starting
        await _end(transport, running)
        transport.close()


async def _end(transport: asyncio.SubprocessTransport, running: _Running) -> None:
    """End a program and its group: first they are asked to."""
    group = transport.get_pid()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGTERM)
    try:
        async with asyncio.timeout(_END_SECONDS):
            await running.ended.wait()
    except TimeoutError:
        pass
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _outcome(name: str, status: int) -> Outcome:
    if status == 0:
        return Outcome(True, "exit status 0")
    how = f"ended with status {status}" if status > 0 else f"was ended by {_signal(-status)}"
    return Outcome(False, f"{name} {how}", again=True)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

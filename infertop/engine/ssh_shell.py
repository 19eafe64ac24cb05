"""A shell on another machine, over an ssh process of this one: it is told what to run on its standard input.

So nothing is quoted for a shell on the way, and the shell over there ends when this process does, however it ends: its
standard input does. ssh has a session of its own and no terminal, so that it can neither ask on the screen nor be ended
by a key. What comes back is read between two marks that the other side cannot have known before.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from infertop.engine.ssh_lines import FloodError, Lines

_MOST_LINES = 50_000
_SAID_LINES, _SAID_LENGTH = 40, 500
_GRACE_SECONDS, _END_SECONDS = 0.2, 0.5


class EndedError(Exception):
    """The shell has ended, or sends what cannot be meant."""


class Shell:
    """One ssh process. `said` are the last lines that came from it besides answers, for whoever has to say why."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("a shell needs pipes")
        self._process = process
        self._stdin = process.stdin
        self._lines = Lines(process.stdout)
        self._mark = f"infertop-{secrets.token_hex(8)}"
        self._asked = 0
        self._busy = asyncio.Lock()
        self.said: deque[str] = deque(maxlen=_SAID_LINES)
        self.complaints = 0
        self._listening = asyncio.create_task(self._listen(Lines(process.stderr)))

    @classmethod
    async def start(cls, command: Sequence[str]) -> Shell:
        """Start ssh; raise FileNotFoundError where there is none."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, env=environment()
        )
        return cls(process)

    @property
    def status(self) -> int | None:
        """The exit status of ssh, None while it runs."""
        return self._process.returncode

    @property
    def running(self) -> bool:
        """Whether the shell can still be asked."""
        return self._process.returncode is None and not self._lines.ended

    async def ask(self, script: str, seconds: float) -> list[str]:
        """Run a script and return its lines, not those of one before; raise TimeoutError or EndedError."""
        async with self._busy, asyncio.timeout(seconds):
            begin, end = f"{self._mark}+{self._asked}", f"{self._mark}-{self._asked}"
            self._asked += 1
            await self.tell(f"echo {begin}\n{{\n{script}\n}} </dev/null 2>/dev/null\necho; echo {end}\n")
            while (line := await self._next()) != begin:
                self.said.append(line[:_SAID_LENGTH])
            answer: list[str] = []
            while (line := await self._next()) != end:
                answer.append(line)
                if len(answer) > _MOST_LINES:
                    raise self._endless()
            return answer if answer[-1:] != [""] else answer[:-1]  # the end of a last line that had one

    async def tell(self, script: str) -> None:
        """Hand the shell something to run; raise EndedError where it is gone."""
        try:
            self._stdin.write(script.encode())
            await self._stdin.drain()
        except (OSError, RuntimeError):
            await self._last_words()
            raise EndedError from None

    async def next(self) -> str:
        """Return the next line of a script that goes on and on; raise EndedError when it has ended."""
        return await self._next()

    async def close(self) -> None:
        """End ssh, and with it what runs over there."""
        with suppress(OSError, RuntimeError):
            self._stdin.close()
        for seconds, number in ((_GRACE_SECONDS, signal.SIGTERM), (_END_SECONDS, signal.SIGKILL)):
            if await self._has_ended(seconds):
                break
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
        await self._has_ended(_END_SECONDS)
        self._listening.cancel()

    async def _next(self) -> str:
        try:
            line = await self._lines.next()
        except FloodError:
            raise self._endless() from None
        if line is None:
            await self._last_words()
            raise EndedError
        return line

    def _endless(self) -> EndedError:
        self.said.append("it sends without end")
        self._lines.ended = True
        return EndedError()

    async def _last_words(self) -> None:
        """Wait a moment for why ssh ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await asyncio.wait([self._listening])
                await self._process.wait()

    async def _has_ended(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()
        return self._process.returncode is not None

    async def _listen(self, lines: Lines) -> None:
        with suppress(FloodError):
            while (line := await lines.next()) is not None:
                self.said.append(line[:_SAID_LENGTH])
                self.complaints += 1


async def command(words: Sequence[str], seconds: float) -> tuple[int, list[str]]:
    """Run ssh for something short; return its status and what it said; raise TimeoutError or FileNotFoundError."""
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *words, stdin=nothing, stdout=nothing, stderr=pipe, start_new_session=True, env=environment()
    )
    try:
        async with asyncio.timeout(seconds):
            said = await process.stderr.read(4096) if process.stderr else b""
            status = await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return status, said.decode("utf-8", "replace").splitlines()


def environment() -> dict[str, str]:
    """Return what ssh is started with: it may not ask through a window, and speaks English, which is read."""
    return {**os.environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}

"""The connection to another machine through the user's own ssh: one that is shared, shells and port forwards over it.

The control connection is an ssh process with a shell over there. It lives as long as that shell's standard input, so
that it ends with infertop, even where that is killed. ssh itself notices after 15 s that the other side is gone.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from infertop.engine import ssh_fault
from infertop.engine.collector import State, Unavailable
from infertop.engine.ssh_folder import NoFolderError, make_folder, remove_folder
from infertop.engine.ssh_shell import EndedError, Shell, command
from infertop.engine.ssh_target import Target
from infertop.readings.safe import safe

MOST_FORWARDS = 256
# A login may take longer than one poll waits for it: the poll says so, and a later one has it.
_PATIENCE_SECONDS = 4.0
_LOGIN_SECONDS = 20.0
_ASK_SECONDS = 4.0
_COMMAND_SECONDS = 4.0
_TRIES = 3

Place = tuple[str, int]


class Link:
    """A connection that is opened where it is needed, and again after it was lost; `generation` counts them."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.generation = 0
        self.closed = False
        self._folder: Path | None = None
        self._shell: Shell | None = None
        self._opening: asyncio.Task[None] | None = None
        self._ways: dict[Place, int] = {}
        self._open_ways: set[Place] = set()
        self._forwarding = asyncio.Lock()

    @property
    def up(self) -> bool:
        """Whether the connection stands."""
        return self._shell is not None and self._shell.running

    @property
    def host(self) -> str:
        """The machine's name, fit for a terminal."""
        return safe(self.target.host, 80)

    @property
    def complaints(self) -> int:
        """How many lines ssh has said so far; `said_since` has them."""
        return self._shell.complaints if self._shell else 0

    def said_since(self, complaints: int) -> list[str]:
        """Return what ssh said since it had said so many lines."""
        fresh = self.complaints - complaints
        return list(self._shell.said)[-fresh:] if self._shell and fresh > 0 else []

    async def open(self) -> None:
        """Return once the connection stands; raise Unavailable with why it does not."""
        if self.up and self._opening is None:
            return
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        task = self._opening
        await asyncio.wait([task], timeout=_PATIENCE_SECONDS)
        if not task.done():
            raise Unavailable(f"still waiting for {self.host} to let ssh in", state=State.STARTING)
        if self._opening is task:
            self._opening = None
        await task

    async def settled(self) -> bool:
        """Wait for a connection that is being opened, and say whether one stands; why not is for `open` to say."""
        if self._opening is not None:
            await asyncio.wait([self._opening], timeout=_PATIENCE_SECONDS)
        return self.up

    async def ask(self, script: str) -> list[str]:
        """Run a script over there and return its lines; raise Unavailable."""
        shell = self._standing()
        try:
            return await shell.ask(script, _ASK_SECONDS)
        except TimeoutError:
            raise Unavailable(f"{self.host} has not answered for {_ASK_SECONDS:g} s", state=State.STALE) from None
        except EndedError:
            raise self._lost() from None

    async def session(self) -> Shell:
        """Return one more shell over there; raise Unavailable."""
        self._standing()
        shell = await Shell.start(self.target.session(self._control()))
        try:
            await shell.ask(":", _ASK_SECONDS)
        except asyncio.CancelledError:
            await shell.close()
            raise
        except (TimeoutError, EndedError):
            await shell.close()
            last = safe(shell.said[-1], 120) if shell.said else "no answer"
            raise Unavailable(f"{self.host} opens no further session (MaxSessions of its sshd?): {last}") from None
        return shell

    async def forward(self, host: str, port: int) -> int:
        """Return a port of this machine's loopback that leads to one over there, the same each time if it is free."""
        async with self._forwarding:
            return await self._forward((host, port), lambda: self._ways.pop((host, port), None) or _free_port())

    async def forward_two(self, host: str, port: int, off: int) -> int:
        """Return a port that leads to one over there, while the one `off` from it leads to the one `off` over there."""
        place, beside = (host, port), (host, port + off)
        async with self._forwarding:
            if {place, beside} <= self._open_ways and self._ways[beside] == self._ways[place] + off:
                return self._ways[place]
            await self._cancel(place)
            await self._cancel(beside)
            local = await self._forward(place, lambda: _free_port(off))
            await self._forward(beside, lambda: local + off)
            return local

    async def cancel(self, host: str, port: int) -> None:
        """End a forward that is not needed."""
        async with self._forwarding:
            await self._cancel((host, port))

    async def close(self) -> None:
        """End the connection, and everything over it."""
        self.closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        await self._drop()
        if self._folder is not None:
            await asyncio.to_thread(remove_folder, self._folder)
            self._folder = None

    async def _open(self) -> None:
        await self._drop()
        if self.closed:
            raise Unavailable(f"the connection to {self.host} was closed")
        if self._folder is None:
            try:
                self._folder = await asyncio.to_thread(make_folder)
            except NoFolderError as problem:
                raise Unavailable(f"there is no folder for ssh's control socket: {safe(problem, 200)}") from None
        self.generation += 1
        try:
            shell = await Shell.start(self.target.connect(self._control()))
        except FileNotFoundError:
            raise ssh_fault.missing() from None
        try:
            await shell.ask(":", _LOGIN_SECONDS)
        except (TimeoutError, EndedError) as problem:
            await shell.close()
            if isinstance(problem, EndedError):
                raise ssh_fault.from_ssh(self.target, shell.said, shell.status) from None
            noise = f", but says: {safe(shell.said[-1], 120)}" if shell.said else ""
            raise Unavailable(f"{self.host} gives ssh no shell within {_LOGIN_SECONDS:g} s{noise}") from None
        except asyncio.CancelledError:
            await shell.close()
            raise
        self._shell = shell

    async def _drop(self) -> None:
        shell, self._shell = self._shell, None
        self._open_ways.clear()
        if shell is not None:
            await shell.close()

    async def _forward(self, place: Place, choose: Callable[[], int]) -> int:
        self._standing()
        if place in self._open_ways:
            return self._ways[place]
        if len(self._open_ways) >= MOST_FORWARDS:
            raise Unavailable(f"more than {MOST_FORWARDS} ports of {self.host} are not forwarded")
        said: list[str] = []
        for _ in range(_TRIES):
            local = choose()
            status, said = await self._control_command("forward", local, place)
            if status == 0:
                self._ways[place] = local
                self._open_ways.add(place)
                return local
        last = safe(said[-1], 120) if said else "ssh does not say why"
        raise Unavailable(f"no way to port {place[1]} of {self.host} could be opened: {last}")

    async def _cancel(self, place: Place) -> None:
        local = self._ways.pop(place, None)
        if place in self._open_ways and local is not None:
            self._open_ways.discard(place)
            if self.up:
                await self._control_command("cancel", local, place)

    def _standing(self) -> Shell:
        if self._shell is None:
            raise Unavailable(f"there is no ssh connection to {self.host}", state=State.STALE)
        if not self._shell.running:
            raise self._lost()
        return self._shell

    def _lost(self) -> Unavailable:
        return Unavailable(f"the ssh connection to {self.host} was lost", state=State.STALE)

    def _control(self) -> Path:
        if self._folder is None:
            raise Unavailable(f"there is no ssh connection to {self.host}", state=State.STALE)
        return self._folder / f"c{self.generation % 100}"

    async def _control_command(self, what: str, local: int, place: Place) -> tuple[int, list[str]]:
        words = self.target.forward(self._control(), what, local, *place)
        try:
            return await command(words, _COMMAND_SECONDS)
        except TimeoutError:
            return 1, [f"ssh has not answered for {_COMMAND_SECONDS:g} s"]


def _free_port(off: int = 0) -> int:
    """Return a port of the loopback that nobody has now, nor the one `off` from it."""
    for _ in range(_TRIES):
        with socket.socket() as probe, socket.socket() as beside:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with suppress(OSError, OverflowError):
                if off:
                    beside.bind(("127.0.0.1", port + off))
                return port
    raise Unavailable("no port of this machine is free for ssh to forward", state=State.STALE)

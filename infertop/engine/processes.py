"""Processes of this machine: who started whom with which command, and who listens where. Everything here blocks.

What may not be read, has ended, or is a zombie is unknown, not an error: another user's command line, a process that
ended between two looks. Nothing is kept between two scans, because a command line changes while a process runs: a
shell becomes its server (`exec`), and workers give themselves titles (`VLLM::EngineCore`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import psutil

    from infertop.engine.network import Network

Matches = Callable[[Sequence[str]], bool]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"})
_REACHED_BY_LOOPBACK = ("0.0.0.0", "::", "127.0.0.1", "::ffff:127.0.0.1")
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Process:
    """One process; `argv` is empty where it may not be read, `started` (epoch seconds) None where it is not known.

    `user` is the number of whoever runs it, None where that is not known.
    """

    pid: int
    parent: int | None = None
    started: float | None = None
    name: str = ""
    argv: tuple[str, ...] = ()
    user: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP port that is listened on. `pid` is None where its owner may not be seen, as with another user's.

    `user` is the number of that user, None where it is not known.
    """

    host: str
    port: int
    pid: int | None
    user: int | None = field(default=None, compare=False)

    @property
    def authority(self) -> str:
        """`host:port` as a client on this machine reaches it, loopback spelt 127.0.0.1."""
        if self.host in _REACHED_BY_LOOPBACK:
            return f"127.0.0.1:{self.port}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_process(pid: int) -> Process | None:
    """Return the process `pid` as far as this user may see it, None where there is none."""
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            parent = process.ppid()
            return Process(pid, parent or None, process.create_time(), process.name(), _argv(process))
    except psutil.NoSuchProcess:
        return None
    except (psutil.Error, OSError):
        return Process(pid)


def _argv(process: psutil.Process) -> tuple[str, ...]:
    import psutil

    try:
        # Whoever sets a title leaves empty arguments behind it.
        return tuple(argument for argument in process.cmdline() if argument)
    except (psutil.Error, OSError):
        return ()


def _none_swept(_matches: Matches) -> Iterable[int]:
    return ()


def _no_network(_pid: int) -> Network | None:
    return None


@dataclass(slots=True)
class Scan:
    """One look at the processes; each process is read once.

    `listeners` is None where ports cannot be listed, `names` are the addresses and names of this machine. `sweep` goes
    through all processes for commands that match, as far as that can be done; `network` is that of a process that has
    one of its own. `boxed` says that processes are numbered as in a container: the GPU's driver may mean others.
    """

    listeners: tuple[Listener, ...] | None = None
    names: frozenset[str] = LOOPBACK
    read: Callable[[int], Process | None] = read_process
    sweep: Callable[[Matches], Iterable[int]] = _none_swept
    network: Callable[[int], Network | None] = _no_network
    boxed: bool = False
    _seen: dict[int, Process | None] = field(default_factory=dict)

    def process(self, pid: int) -> Process | None:
        """Return the process `pid`, None where there is none."""
        if pid not in self._seen:
            self._seen[pid] = self.read(pid)
        return self._seen[pid]

    def chain(self, pid: int) -> tuple[Process, ...]:
        """Return the process `pid` and its ancestors, the nearest first; the first process of a container may serve."""
        found: list[Process] = []
        at: int | None = pid
        while at is not None and len(found) < _DEEPEST:
            process = self.process(at)
            if process is None:
                break
            found.append(process)
            at = process.parent
        return tuple(found)

    def port_here(self, url: str) -> int | None:
        """Return the port of `url` where its host is this machine, else None."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return None
        if host not in self.names:
            return None
        return port or (443 if parts.scheme == "https" else 80)

    def at(self, port: int) -> tuple[Listener, ...]:
        """Return who listens on `port`: one, or several that share it or listen on different addresses."""
        return tuple(each for each in self.listeners or () if each.port == port)

    @property
    def looked_at(self) -> int:
        """How many processes this scan read."""
        return sum(process is not None for process in self._seen.values())


def scan() -> Scan:
    """Look at the listening ports now; processes are read as they are asked for."""
    return Scan(_listeners(), own_names())


def own_names() -> frozenset[str]:
    """Return the addresses and names under which this machine reaches itself, in lower case."""
    import psutil

    names = {socket.gethostname().lower()}
    try:
        for addresses in psutil.net_if_addrs().values():
            names.update(address.address.split("%")[0].lower() for address in addresses)
    except (psutil.Error, OSError):
        pass
    return LOOPBACK | names


def _listeners() -> tuple[Listener, ...] | None:
    import psutil

    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return _own_listeners()
    found = {
        Listener(each.laddr.ip, each.laddr.port, each.pid)
        for each in connections
        if each.status == psutil.CONN_LISTEN and each.laddr
    }
    return tuple(sorted(found, key=lambda each: (each.port, each.host, each.pid or 0)))


def _own_listeners() -> tuple[Listener, ...] | None:
    """Look process by process, as systems want it where ports of all users may not be listed."""
    import psutil

    found: set[Listener] = set()
    readable = False
    for process in psutil.process_iter():
        try:
            connections = process.net_connections(kind="tcp")
        except (psutil.Error, OSError):
            continue
        readable = True
        for each in connections:
            if each.status == psutil.CONN_LISTEN and each.laddr:
                found.add(Listener(each.laddr.ip, each.laddr.port, process.pid))
    return tuple(sorted(found, key=lambda each: (each.port, each.host, each.pid or 0))) if readable else None

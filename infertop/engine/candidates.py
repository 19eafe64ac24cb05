"""Which local ports may be an engine's: from listening ports, GPU processes and commands, before anything is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infertop.engine.pattern import Pattern, server_of
from infertop.engine.processes import Listener, Process, Scan

_ENGINE_LIKE = re.compile(
    r"python|pypy|llama|vllm|triton|sglang|trtllm|lmdeploy|text-generation|uvicorn|gunicorn|hypercorn", re.IGNORECASE
)
# These hold a port for a container, whose own processes listen where this machine's list does not reach.
_FORWARDERS = frozenset(
    {"docker-proxy", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "pasta.avx2", "conmon", "containerd"}
)


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a port the same as at the last look: its address, and the process behind it."""

    authority: str
    pid: int | None
    started: float | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A port to ask and the patterns that may confirm it.

    `expected` says that an engine's command leads to this very port; `model` is what that command serves.
    """

    key: Key
    port: int
    patterns: tuple[Pattern, ...]
    expected: bool = False
    model: str | None = None
    gpus: tuple[str, ...] = ()


@dataclass(slots=True)
class _Server:
    process: Process
    pattern: Pattern
    listeners: list[Listener] = field(default_factory=list)
    gpus: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may be asked, and how much was looked at: `listeners` is None where ports cannot be listed."""

    ports: tuple[Candidate, ...]
    listeners: int | None
    processes: int


def candidates(
    scan: Scan, patterns: Sequence[Pattern], gpu_processes: Mapping[int, Sequence[str]], own_pid: int
) -> Candidates:
    """Return what may be an engine. `gpu_processes` are the UUIDs of the GPUs that each process is on."""
    servers: dict[int, _Server] = {}
    loose: list[tuple[Listener, tuple[Process, ...]]] = []
    for listener in _listening(scan, patterns):
        chain = scan.chain(listener.pid) if listener.pid is not None else ()
        if chain and _is_infertop(chain[0], own_pid):
            continue
        if (server := _server(servers, chain, patterns)) is not None:
            server.listeners.append(listener)
        else:
            loose.append((listener, chain))
    for pid, gpus in gpu_processes.items():
        if (server := _server(servers, scan.chain(pid), patterns)) is not None:
            server.gpus.update(gpus)
    ports: dict[str, Candidate] = {}
    for server in servers.values():
        for each in _of_server(server, scan):
            ports.setdefault(each.key.authority, each)
    for listener, chain in loose:
        if listener.authority not in ports and _may_be_engine(listener, chain, patterns, gpu_processes):
            key = _key(listener, chain[0] if chain else None)
            gpus = tuple(gpu_processes.get(chain[0].pid, ())) if chain else ()
            ports[listener.authority] = Candidate(key, listener.port, tuple(patterns), gpus=gpus)
    count = None if scan.listeners is None else len(scan.listeners)
    return Candidates(tuple(ports.values()), count, scan.looked_at)


def _listening(scan: Scan, patterns: Sequence[Pattern]) -> Sequence[Listener]:
    if scan.listeners is not None:
        return scan.listeners
    return [Listener("127.0.0.1", port, None) for port in _default_ports(patterns)]


def _server(servers: dict[int, _Server], chain: Sequence[Process], patterns: Sequence[Pattern]) -> _Server | None:
    match = server_of(chain, patterns)
    if match is None:
        return None
    process, pattern = match
    return servers.setdefault(process.pid, _Server(process, pattern))


def _of_server(server: _Server, scan: Scan) -> list[Candidate]:
    """Return the ports of a server that are worth asking: the one it should have, else all that it itself has."""
    process, pattern = server.process, server.pattern
    said = pattern.port(process.argv)
    usual = (said,) if said is not None else pattern.default_ports
    expected = [each for port in usual for each in server.listeners if each.port == port][:1]
    others: list[Listener] = []
    if not expected and server.listeners and said is None:
        others = [each for each in server.listeners if each.pid == process.pid] or server.listeners
    elif not expected and usual:
        # Its port is forwarded (a container's), or it is not open yet: then the question is refused at once.
        expected = [*scan.at(usual[0])[:1]] or [Listener("127.0.0.1", usual[0], None)]
    model, gpus = pattern.model(process.argv), tuple(sorted(server.gpus))
    return [
        Candidate(_key(each, process), each.port, (pattern,), expected=bool(expected), model=model, gpus=gpus)
        for each in expected or others
    ]


def _may_be_engine(
    listener: Listener,
    chain: Sequence[Process],
    patterns: Sequence[Pattern],
    gpu_processes: Mapping[int, Sequence[str]],
) -> bool:
    """Say whether a port without an engine's command is worth one question; databases and the like are left alone."""
    usual = listener.port in _default_ports(patterns)
    if not chain:
        return usual
    owner = chain[0]
    if owner.pid in gpu_processes or _ENGINE_LIKE.search(_program(owner)):
        return True
    return usual and (owner.name in _FORWARDERS or not (owner.name or owner.argv))


def _default_ports(patterns: Sequence[Pattern]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(port for pattern in patterns for port in pattern.default_ports))


def _program(process: Process) -> str:
    return f"{process.name} {_base(process.argv[0]) if process.argv else ''}"


def _is_infertop(process: Process, own_pid: int) -> bool:
    return process.pid == own_pid or any(_base(argument) == "infertop" for argument in process.argv[:3])


def _base(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _key(listener: Listener, process: Process | None) -> Key:
    return Key(listener.authority, process.pid if process else None, process.started if process else None)

"""Which ports may be an engine's, before anything is asked: by ports, GPU processes, commands and containers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infertop.engine.candidate import Candidate, Key, Server, key_of
from infertop.engine.containers import Container, Inside, forwarded
from infertop.engine.in_containers import of_containers, ports_inside
from infertop.engine.pattern import Pattern, default_ports, program, server_of
from infertop.engine.processes import Listener, Process, Scan

__all__ = ["Candidate", "Candidates", "Key", "candidates"]

_ENGINE_LIKE = re.compile(
    r"python|pypy|llama|vllm|triton|sglang|trtllm|lmdeploy|text-generation|text-embeddings|uvicorn|gunicorn|hypercorn"
    r"|litellm|raylet|dcgm-exporter",
    re.IGNORECASE,
)
_MOST_OF_A_USER = 8
# These hold a port for a container, whose own processes listen where this machine's list does not reach.
_FORWARDERS = frozenset(
    {"docker-proxy", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "pasta.avx2", "conmon", "containerd"}
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may be asked, and how much was looked at: `listeners` is None where ports cannot be listed.

    `strays` are the processes on GPUs that lead to no engine's command, each with its ancestors; without any where the
    process is not to be seen from here. `servers` are the processes with an engine's command. `boxed` is that
    of the scan.
    """

    ports: tuple[Candidate, ...]
    listeners: int | None
    processes: int
    strays: Mapping[int, tuple[Process, ...]] = field(default_factory=dict)
    servers: tuple[Server, ...] = ()
    boxed: bool = False


def candidates(
    scan: Scan,
    patterns: Sequence[Pattern],
    gpu_processes: Mapping[int, Sequence[str]],
    own_pid: int,
    containers: Sequence[Container] = (),
) -> Candidates:
    """Return what may be an engine. `gpu_processes` are the UUIDs of the GPUs that each process is on."""
    servers: dict[int, Server] = {}
    loose: list[tuple[Listener, tuple[Process, ...]]] = []
    for listener in _listening(scan, patterns):
        chain = scan.chain(listener.pid) if listener.pid is not None else ()
        if chain and _is_infertop(chain[0], own_pid):
            continue
        if (server := _server(servers, chain, patterns)) is not None:
            server.listeners.append(listener)
        else:
            loose.append((listener, chain))
    strays: dict[int, tuple[Process, ...]] = {}
    for pid, gpus in gpu_processes.items():
        chain = scan.chain(pid)
        if (server := _server(servers, chain, patterns)) is not None:
            server.gpus.update(gpus)
        else:
            strays[pid] = chain
    for chain in _swept(scan, patterns, own_pid):
        _server(servers, chain, patterns)
    ways = forwarded(scan, containers)
    ports: dict[str, Candidate] = {}
    for each in _of_servers(tuple(servers.values()), scan, ways):
        ports.setdefault(each.key.authority, each)
    for each in of_containers(containers, servers.values(), scan, patterns, gpu_processes):
        ports.setdefault(each.key.authority, each)
    for listener, chain in loose:
        if listener.authority not in ports and _may_be_engine(listener, chain, patterns, gpu_processes):
            ports[listener.authority] = _of_unknown(listener, chain[0] if chain else None, patterns, gpu_processes)
    count = None if scan.listeners is None else len(scan.listeners)
    return Candidates(tuple(ports.values()), count, scan.looked_at, strays, tuple(servers.values()), scan.boxed)


def _of_unknown(
    listener: Listener,
    process: Process | None,
    patterns: Sequence[Pattern],
    gpu_processes: Mapping[int, Sequence[str]],
) -> Candidate:
    """Return the port of a process that no pattern names: any engine may be behind it."""
    on = tuple(gpu_processes.get(process.pid, ())) if process else ()
    called = f"process {process.pid} ({program(process)})" if process else "a process of somebody else"
    return Candidate(key_of(listener, process), listener.port, tuple(patterns), gpus=on, where=called)


def _listening(scan: Scan, patterns: Sequence[Pattern]) -> Sequence[Listener]:
    if scan.listeners is not None:
        return scan.listeners
    return [Listener("127.0.0.1", port, None) for port in default_ports(patterns)]


def _swept(scan: Scan, patterns: Sequence[Pattern], own_pid: int) -> Iterator[tuple[Process, ...]]:
    """Yield the processes whose command is an engine's, with their ancestors: without a GPU, of another user."""

    def matches(argv: Sequence[str]) -> bool:
        # Not an editor, a pager, a shell with an engine's command among its words.
        return bool(argv) and any(
            each.matches(argv) and (_is_engine_like(argv[0]) or each.matches(argv[:1])) for each in patterns
        )

    for pid in scan.sweep(matches):
        chain = scan.chain(pid)
        if chain and not _is_infertop(chain[0], own_pid):
            yield chain


def _server(servers: dict[int, Server], chain: Sequence[Process], patterns: Sequence[Pattern]) -> Server | None:
    match = server_of(chain, patterns)
    if match is None:
        return None
    process, pattern = match
    return servers.setdefault(process.pid, Server(process, pattern))


def _of_servers(servers: Sequence[Server], scan: Scan, ways: Mapping[Inside, str]) -> Iterator[Candidate]:
    """Yield the ports of the servers, those with ports of their own first: another may only name the same one."""
    taken = {each: server.process.pid for server in servers for each in server.listeners}
    for server in sorted(servers, key=lambda each: not each.listeners):
        yield from _of_server(server, scan, ways, taken)


def _of_server(
    server: Server, scan: Scan, ways: Mapping[Inside, str], taken: Mapping[Listener, int]
) -> list[Candidate]:
    """Return the ports of a server that are worth asking: the one it should have, else all that it itself has."""
    process, pattern = server.process, server.pattern
    said = pattern.port(process.argv)
    usual = (said,) if said is not None else pattern.default_ports
    expected = [each for port in usual for each in server.listeners if each.port == port][:1]
    if expected:
        return server.at(expected, expected=True, open_ports=(each.port for each in server.listeners))
    if server.listeners and said is None:
        own = [each for each in server.listeners if each.pid == process.pid] or server.listeners
        return server.at(own, expected=len(own) == 1, open_ports=(each.port for each in own))
    server.network = scan.network(process.pid)
    there = scan.at(usual[0]) if usual else ()
    free = [each for each in there if each not in taken][:1]
    if server.network is not None:
        # A forwarder that does not say where it leads may lead here: of both ports that answer, one is the engine's.
        led = [each for each in free if each.authority not in ways.values() and _is_forwarder(scan, each)]
        return server.at(led, expected=True) + ports_inside(server, server.network, usual, ways)
    if there and not free:
        return []  # another server's: this one is a wrapper around it, or could not have its port
    if not there and said is None and process.user:
        # Another user's, told its port by a file or its environment: the ports of that user are few, unless it is root.
        theirs = [each for each in scan.listeners or () if (each.pid, each.user) == (None, process.user)]
        if 0 < len(theirs) <= _MOST_OF_A_USER:
            return server.at(theirs, expected=len(theirs) == 1, open_ports=(each.port for each in theirs))
    # Its port is forwarded (a container's), or it is not open yet: then the question is refused at once.
    seen = [each.port for each in scan.listeners or ()] if free and free[0].pid is None else ()
    return server.at(free or [Listener("127.0.0.1", port, None) for port in usual[:1]], expected=True, open_ports=seen)


def _is_forwarder(scan: Scan, listener: Listener) -> bool:
    owner = scan.process(listener.pid) if listener.pid is not None else None
    return owner is None or owner.name in _FORWARDERS


def _may_be_engine(
    listener: Listener,
    chain: Sequence[Process],
    patterns: Sequence[Pattern],
    gpu_processes: Mapping[int, Sequence[str]],
) -> bool:
    """Say whether a port without an engine's command is worth one question; databases and the like are left alone."""
    usual = listener.port in default_ports(patterns)
    if not chain:
        return usual
    owner = chain[0]
    if owner.pid in gpu_processes or _is_engine_like(f"{owner.name} {owner.argv[0] if owner.argv else ''}"):
        return True
    return usual and (owner.name in _FORWARDERS or not (owner.name or owner.argv))


def _is_engine_like(path: str) -> bool:
    name, _, rest = path.partition(" ")
    return _ENGINE_LIKE.search(f"{name.rsplit('/', 1)[-1]} {rest.rsplit('/', 1)[-1]}") is not None


def _is_infertop(process: Process, own_pid: int) -> bool:
    return process.pid == own_pid or any(_base(argument) == "infertop" for argument in process.argv[:3])


def _base(path: str) -> str:
    return path.rsplit("/", 1)[-1]

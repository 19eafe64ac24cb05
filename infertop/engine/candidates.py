"""Which ports may be an engine's, before anything is asked: by ports, GPU processes, commands and containers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infertop.engine.containers import Container, Inside, forwarded
from infertop.engine.network import Network
from infertop.engine.pattern import Pattern, program, server_of
from infertop.engine.processes import Listener, Process, Scan

_ENGINE_LIKE = re.compile(
    r"python|pypy|llama|vllm|triton|sglang|trtllm|lmdeploy|text-generation|text-embeddings|uvicorn|gunicorn|hypercorn"
    r"|litellm|raylet|dcgm-exporter",
    re.IGNORECASE,
)
_ENGINE_IMAGE = re.compile(
    r"vllm|text-generation-inference|text-embeddings-inference|triton|sglang|ollama|llama|lmdeploy|trtllm|tensorrt|litellm"
    r"|\bnim\b|dynamo|dcgm-exporter",
    re.IGNORECASE,
)
# These hold a port for a container, whose own processes listen where this machine's list does not reach.
_FORWARDERS = frozenset(
    {"docker-proxy", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "pasta.avx2", "conmon", "containerd"}
)
_MOST_INSIDE = 8


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a port the same as at the last look: its address, and the process behind it."""

    authority: str
    pid: int | None
    started: float | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A port to ask and the patterns that may confirm it.

    `expected` says that an engine's command leads to this very port; `model` is what that command serves. `inside` says
    that the address is a container's own, `argv` is the command, and `where` what to call its process.
    """

    key: Key
    port: int
    patterns: tuple[Pattern, ...]
    expected: bool = False
    model: str | None = None
    gpus: tuple[str, ...] = ()
    inside: bool = False
    argv: tuple[str, ...] = ()
    where: str = ""


@dataclass(slots=True)
class _Server:
    process: Process
    pattern: Pattern
    listeners: list[Listener] = field(default_factory=list)
    gpus: set[str] = field(default_factory=set)
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may be asked, and how much was looked at: `listeners` is None where ports cannot be listed.

    `strays` are the processes on GPUs that lead to no engine's command, each with its ancestors; without any where the
    process is not to be seen from here.
    """

    ports: tuple[Candidate, ...]
    listeners: int | None
    processes: int
    strays: Mapping[int, tuple[Process, ...]] = field(default_factory=dict)


def candidates(
    scan: Scan,
    patterns: Sequence[Pattern],
    gpu_processes: Mapping[int, Sequence[str]],
    own_pid: int,
    containers: Sequence[Container] = (),
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
    for each in _of_containers(containers, servers.values(), scan, patterns, gpu_processes):
        ports.setdefault(each.key.authority, each)
    for listener, chain in loose:
        if listener.authority not in ports and _may_be_engine(listener, chain, patterns, gpu_processes):
            first = chain[0] if chain else None
            on = tuple(gpu_processes.get(first.pid, ())) if first else ()
            called = f"process {first.pid} ({program(first)})" if first else "a process of somebody else"
            key = _key(listener, first)
            ports[listener.authority] = Candidate(key, listener.port, tuple(patterns), gpus=on, where=called)
    count = None if scan.listeners is None else len(scan.listeners)
    return Candidates(tuple(ports.values()), count, scan.looked_at, strays)


def _listening(scan: Scan, patterns: Sequence[Pattern]) -> Sequence[Listener]:
    if scan.listeners is not None:
        return scan.listeners
    return [Listener("127.0.0.1", port, None) for port in _default_ports(patterns)]


def _swept(scan: Scan, patterns: Sequence[Pattern], own_pid: int) -> Iterator[tuple[Process, ...]]:
    """Yield the processes whose command is an engine's, with their ancestors: without a GPU, of another user."""

    def matches(argv: Sequence[str]) -> bool:
        return bool(argv) and _is_engine_like(argv[0]) and any(each.matches(argv) for each in patterns)

    for pid in scan.sweep(matches):
        chain = scan.chain(pid)
        if chain and not _is_infertop(chain[0], own_pid):
            yield chain


def _server(servers: dict[int, _Server], chain: Sequence[Process], patterns: Sequence[Pattern]) -> _Server | None:
    match = server_of(chain, patterns)
    if match is None:
        return None
    process, pattern = match
    return servers.setdefault(process.pid, _Server(process, pattern))


def _of_servers(servers: Sequence[_Server], scan: Scan, ways: Mapping[Inside, str]) -> Iterator[Candidate]:
    """Yield the ports of the servers, those with ports of their own first: another may only name the same one."""
    taken = {each: server.process.pid for server in servers for each in server.listeners}
    for server in sorted(servers, key=lambda each: not each.listeners):
        yield from _of_server(server, scan, ways, taken)


def _of_server(
    server: _Server, scan: Scan, ways: Mapping[Inside, str], taken: Mapping[Listener, int]
) -> list[Candidate]:
    """Return the ports of a server that are worth asking: the one it should have, else all that it itself has."""
    process, pattern = server.process, server.pattern
    said = pattern.port(process.argv)
    usual = (said,) if said is not None else pattern.default_ports
    expected = [each for port in usual for each in server.listeners if each.port == port][:1]
    if expected:
        return _asked(server, expected, expected=True)
    if server.listeners and said is None:
        own = [each for each in server.listeners if each.pid == process.pid] or server.listeners
        return _asked(server, own, expected=len(own) == 1)
    server.network = scan.network(process.pid)
    if server.network is not None:
        return _inside(server, server.network, usual, ways)
    there = scan.at(usual[0]) if usual else ()
    free = [each for each in there if each not in taken][:1]
    if there and not free:
        return []  # another server's: this one is a wrapper around it, or could not have its port
    # Its port is forwarded (a container's), or it is not open yet: then the question is refused at once.
    return _asked(server, free or [Listener("127.0.0.1", port, None) for port in usual[:1]], expected=True)


def _inside(server: _Server, network: Network, usual: Sequence[int], ways: Mapping[Inside, str]) -> list[Candidate]:
    """Return the ports of a server in a network of its own, at the address by which this machine reaches them."""
    reachable = network.reachable()
    found = [port for port in usual if port in reachable][:1]
    if not found and server.pattern.port(server.process.argv) is None:
        found = sorted(reachable)[:_MOST_INSIDE]
    address = next(iter(network.addresses))
    made: list[Candidate] = []
    for port in found or usual[:1]:
        way = ways.get((reachable.get(port, address), port))
        host, _, public = way.rpartition(":") if way else (reachable.get(port, address), "", str(port))
        listener = Listener(host, int(public), None)
        made += _asked(server, [listener], expected=len(found) <= 1, inside=way is None)
    return made


def _asked(server: _Server, listeners: Iterable[Listener], *, expected: bool, inside: bool = False) -> list[Candidate]:
    process, pattern = server.process, server.pattern
    model, gpus = pattern.model(process.argv), tuple(sorted(server.gpus))
    return [
        Candidate(
            _key(each, process), each.port, (pattern,), expected, model, gpus, inside, process.argv,
            f"process {process.pid}",
        )
        for each in listeners
    ]  # fmt: skip


def _of_containers(
    containers: Iterable[Container],
    servers: Iterable[_Server],
    scan: Scan,
    patterns: Sequence[Pattern],
    gpu_processes: Mapping[int, Sequence[str]],
) -> Iterator[Candidate]:
    """Yield the ports of containers whose image or command is an engine's, and whose processes did not lead there."""
    known = {address for server in servers if server.network for address in server.network.addresses}
    pids = {process.pid for server in servers for process in scan.chain(server.process.pid)}
    for each in containers:
        if each.pid in pids or known.intersection(each.addresses) or not is_engine_container(each, patterns):
            continue
        fits = tuple(pattern for pattern in patterns if each.command and pattern.matches(each.command))[:1]
        places = [(f"{host}:{public}", public, False) for _, host, public in each.published if host in scan.names]
        ports = each.exposed or _ports_inside(each, fits or patterns)
        if not places:
            places = [(f"{address}:{port}", port, True) for address in each.addresses[:1] for port in ports]
        root = scan.process(each.pid) if each.pid is not None else None
        on = {gpu for pid, of in gpu_processes.items() if _is_below(scan, pid, each.pid) for gpu in of}
        model = fits[0].model(each.command) if fits else None
        for authority, port, inside in places[:_MOST_INSIDE]:
            key = Key(authority, root.pid if root else None, root.started if root else None)
            gpus, where = tuple(sorted(on)), f"container {each.name}"
            yield Candidate(
                key, port, fits or tuple(patterns), len(places) == 1, model, gpus, inside, each.command, where
            )


def is_engine_container(container: Container, patterns: Sequence[Pattern]) -> bool:
    """Say whether a container's image or command is an engine's."""
    command = container.command
    return bool(_ENGINE_IMAGE.search(container.image)) or any(command and each.matches(command) for each in patterns)


def _ports_inside(container: Container, patterns: Sequence[Pattern]) -> tuple[int, ...]:
    said = [port for each in patterns if container.command and (port := each.port(container.command)) is not None]
    return tuple(dict.fromkeys(said)) or _default_ports(patterns)


def _is_below(scan: Scan, pid: int, root: int | None) -> bool:
    return root is not None and any(process.pid == root for process in scan.chain(pid))


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
    if owner.pid in gpu_processes or _is_engine_like(f"{owner.name} {owner.argv[0] if owner.argv else ''}"):
        return True
    return usual and (owner.name in _FORWARDERS or not (owner.name or owner.argv))


def _default_ports(patterns: Sequence[Pattern]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(port for pattern in patterns for port in pattern.default_ports))


def _is_engine_like(path: str) -> bool:
    name, _, rest = path.partition(" ")
    return _ENGINE_LIKE.search(f"{name.rsplit('/', 1)[-1]} {rest.rsplit('/', 1)[-1]}") is not None


def _is_infertop(process: Process, own_pid: int) -> bool:
    return process.pid == own_pid or any(_base(argument) == "infertop" for argument in process.argv[:3])


def _base(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _key(listener: Listener, process: Process | None) -> Key:
    return Key(listener.authority, process.pid if process else None, process.started if process else None)

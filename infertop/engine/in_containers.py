"""Which ports of containers may be an engine's, and at which address of this machine each is reached."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from infertop.engine.candidate import Candidate, Key, Server
from infertop.engine.containers import Container, Inside
from infertop.engine.network import Network
from infertop.engine.pattern import Pattern, default_ports
from infertop.engine.processes import Listener, Scan

_ENGINE_IMAGE = re.compile(
    r"vllm|text-generation-inference|text-embeddings-inference|triton|sglang|ollama|llama|lmdeploy|trtllm|tensorrt|litellm"
    r"|\bnim\b|dynamo|dcgm-exporter",
    re.IGNORECASE,
)
_MOST_INSIDE = 8


def ports_inside(server: Server, network: Network, usual: Sequence[int], ways: Mapping[Inside, str]) -> list[Candidate]:
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
        made += server.at([listener], expected=len(found) <= 1, inside=way is None, open_ports=() if way else reachable)
    closed = not found and any(("127.0.0.1", port) in network.listens for port in usual)
    return [replace(each, closed=closed) for each in made]


def of_containers(
    containers: Iterable[Container],
    servers: Iterable[Server],
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
        ports = each.exposed or _named_ports(each, fits or patterns)
        if not places:
            places = [(f"{address}:{port}", port, True) for address in each.addresses[:1] for port in ports]
        root = scan.process(each.pid) if each.pid is not None else None
        on = {gpu for pid, of in gpu_processes.items() if _is_below(scan, pid, each.pid) for gpu in of}
        model = fits[0].model(each.command) if fits else None
        for authority, port, inside in places[:_MOST_INSIDE]:
            key = Key(authority, root.pid if root else None, root.started if root else None)
            gpus, where = tuple(sorted(on)), f"container {each.name}"
            yield Candidate(key, port, fits or tuple(patterns), len(places) == 1, model, gpus, inside, where)


def is_engine_container(container: Container, patterns: Sequence[Pattern]) -> bool:
    """Say whether a container's image or command is an engine's."""
    command = container.command
    return bool(_ENGINE_IMAGE.search(container.image)) or any(command and each.matches(command) for each in patterns)


def _named_ports(container: Container, patterns: Sequence[Pattern]) -> tuple[int, ...]:
    said = [port for each in patterns if container.command and (port := each.port(container.command)) is not None]
    return tuple(dict.fromkeys(said)) or default_ports(patterns)


def _is_below(scan: Scan, pid: int, root: int | None) -> bool:
    return root is not None and any(process.pid == root for process in scan.chain(pid))

"""Which source a process on a GPU belongs to, by the process tree. Everything here blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infertop.engine.pattern import Pattern, first_alike, server_of
from infertop.engine.processes import Scan


@dataclass(frozen=True, slots=True)
class Holder:
    """A running source that may hold GPUs.

    `pids` are its server processes where discovery knows them. `gpus` are what its [[source]] says it runs on (UUIDs,
    their beginnings, or indices): these are then held by it, and no others. `named` are the UUIDs of those for which
    it gives its GPU time itself: they say where it is if none of its processes can be found, as in a container.
    """

    source: str
    kind: str = ""
    url: str = ""
    pids: tuple[int, ...] = ()
    gpus: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


def attribute(
    scan: Scan, pids: Iterable[int], holders: Sequence[Holder], patterns: Sequence[Pattern]
) -> dict[int, str]:
    """Return the source of each process that descends from the server of one; the nearest server wins."""
    roots: dict[int, str] = {}
    for holder in holders:
        for pid in _servers(scan, holder, patterns):
            roots.setdefault(pid, holder.source)
    chains = {pid: scan.chain(pid) for pid in pids}
    owners: dict[int, str] = {}
    for pid, chain in chains.items():
        root = next((process.pid for process in chain if process.pid in roots), None)
        if root is not None:
            owners[pid] = roots[root]
    idle = [holder for holder in holders if holder.source not in owners.values()]
    for pid, chain in chains.items():
        if pid not in owners:
            match = server_of(chain, patterns)
            named = [each.source for each in idle if match and _is_command_of(scan, each, match[0].argv, match[1])]
            if len(named) == 1:
                owners[pid] = named[0]
    return owners


def _servers(scan: Scan, holder: Holder, patterns: Sequence[Pattern]) -> Iterable[int]:
    """Yield the server processes of a source: those that are known, and whoever has its port if that is on here."""
    yield from holder.pids
    port = scan.port_here(holder.url)
    own = [pattern for pattern in patterns if pattern.kind == holder.kind]
    for listener in scan.at(port) if port is not None else ():
        if listener.pid is None:
            continue
        chain = scan.chain(listener.pid)
        match = server_of(chain, own)
        if match is not None:
            yield match[0].pid
        elif chain:
            yield first_alike(chain).pid


def _is_command_of(scan: Scan, holder: Holder, argv: Sequence[str], pattern: Pattern) -> bool:
    """Say whether a command is that of a source whose process has no visible port here, as in a container."""
    port = scan.port_here(holder.url)
    said = pattern.port(argv)
    return (
        pattern.kind == holder.kind and port is not None and (port == said if said else port in pattern.default_ports)
    )

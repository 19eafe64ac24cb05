"""How a kind of engine is recognised, and which process of a chain is its server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from infertop.engine.processes import Process

# These take an engine's command to another machine or into a container, and hold a port for it at most.
_CARRIERS = frozenset({"ssh", "autossh", "docker", "podman", "nerdctl", "kubectl"})
_REMEMBERED = 4_000


class Pattern(Protocol):
    """How one kind of engine is recognised. A frozen dataclass with callables as fields fits.

    `argv` is a command line without empty arguments, as the process shows it now: the server's own, or that of a
    shell around it. `headers` have lower-case names. `body` is at most the first 256 KiB.
    """

    @property
    def kind(self) -> str:
        """The kind that a source of this pattern gets: a key of the collectors' KINDS."""
        ...

    @property
    def default_ports(self) -> tuple[int, ...]:
        """Ports that the engine listens on where its command does not say, the usual one first."""
        ...

    @property
    def probe_paths(self) -> tuple[str, ...]:
        """Paths (`/metrics`) that are fetched with GET, in order, until one answer is confirmed."""
        ...

    @property
    def runs(self) -> tuple[str, ...]:
        """Kinds whose servers it starts itself as its workers: below it they are no sources of their own."""
        ...

    @property
    def fronts(self) -> tuple[str, ...]:
        """Kinds whose servers work for it though it does not start them: those that cannot be read are its own."""
        ...

    def matches(self, argv: Sequence[str]) -> bool:
        """Say whether this command starts the engine's server (not a worker that the server starts)."""
        ...

    def port(self, argv: Sequence[str]) -> int | None:
        """Return the port in a matching command on which the source is read, None where it does not say."""
        ...

    def model(self, argv: Sequence[str]) -> str | None:
        """Return the name under which a matching command serves its model, None where it does not say."""
        ...

    def further(self, argv: Sequence[str]) -> Mapping[str, int]:
        """Return the further ports of a server with this command, by the options of its source that name them."""
        ...

    @property
    def confirm(self) -> Confirm:
        """Say whether this answer can only have come from this kind of engine."""
        ...


class Confirm(Protocol):
    """Judges an answer by its status, its headers (lower-case names) and its body."""

    def __call__(self, status: int, headers: Mapping[str, str], body: bytes, /) -> bool:
        """Say whether only this kind of engine answers so."""
        ...


class Patterns(tuple[Pattern, ...]):
    """Patterns that remember which of them match a command: most commands are those of the last look."""

    _known: dict[tuple[str, ...], tuple[Pattern, ...]]

    def __new__(cls, patterns: Iterable[Pattern]) -> Patterns:
        """Make a tuple of them that has compared nothing yet."""
        made = super().__new__(cls, patterns)
        made._known = {}
        return made

    def matching(self, argv: tuple[str, ...]) -> tuple[Pattern, ...]:
        """Return the patterns that match, in their order."""
        known = self._known
        if argv not in known:
            if len(known) >= _REMEMBERED:
                known.clear()
            known[argv] = tuple(pattern for pattern in self if pattern.matches(argv))
        return known[argv]


def server_of(chain: Sequence[Process], patterns: Sequence[Pattern]) -> tuple[Process, Pattern] | None:
    """Return the server in `chain` (a process and its ancestors, the nearest first) and its pattern, None without one.

    The deepest match wins, as a shell around a server matches too, but for one that another server `runs`. A server
    that forks has children with its own command line: the first of such a run is the server.
    """
    matching = patterns.matching if isinstance(patterns, Patterns) else Patterns(patterns).matching
    found: tuple[Process, Pattern] | None = None
    for depth, process in enumerate(chain):
        if not process.argv or program(process) in _CARRIERS:
            continue
        for pattern in matching(process.argv):
            if found is None or found[1].kind in pattern.runs:
                found = first_alike(chain[depth:]), pattern
                break
    return found


def default_ports(patterns: Sequence[Pattern]) -> tuple[int, ...]:
    """Return the ports that are usual for any of them."""
    return tuple(dict.fromkeys(port for pattern in patterns for port in pattern.default_ports))


def program(process: Process) -> str:
    """Return what a process is called: the program of its command, else its name, else nothing."""
    return process.argv[0].rsplit("/", 1)[-1] if process.argv else process.name


def first_alike(chain: Sequence[Process]) -> Process:
    """Return the last of the processes at the start of `chain` that share one command line."""
    server = chain[0]
    for ancestor in chain[1:]:
        if not server.argv or ancestor.argv != server.argv:
            break
        server = ancestor
    return server

"""A port that may be an engine's, and the server that is expected there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from infertop.engine.network import Network
from infertop.engine.pattern import Pattern
from infertop.engine.processes import Listener, Process


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
    that the address is a container's own, `where` is what to call its process, and `options` are those of its source
    that the command says. `closed` says that the server listens on the loopback of its container alone.
    """

    key: Key
    port: int
    patterns: tuple[Pattern, ...]
    expected: bool = False
    model: str | None = None
    gpus: tuple[str, ...] = ()
    inside: bool = False
    where: str = ""
    options: Mapping[str, int] = field(default_factory=dict)
    closed: bool = False


@dataclass(slots=True)
class Server:
    """A process with an engine's command, where it listens, the GPUs it is on, and its network if that is its own."""

    process: Process
    pattern: Pattern
    listeners: list[Listener] = field(default_factory=list)
    gpus: set[str] = field(default_factory=set)
    network: Network | None = None

    def at(
        self, listeners: Iterable[Listener], *, expected: bool, inside: bool = False, open_ports: Iterable[int] = ()
    ) -> list[Candidate]:
        """Return the candidates at these places; what else its collector asks is named where it is among the ports."""
        argv, where = self.process.argv, f"process {self.process.pid}"
        model, gpus, reachable = self.pattern.model(argv), tuple(sorted(self.gpus)), frozenset(open_ports)
        options = {name: port for name, port in self.pattern.further(argv).items() if port in reachable}
        keys = [(key_of(each, self.process), each.port) for each in listeners]
        return [
            Candidate(key, port, (self.pattern,), expected, model, gpus, inside, where, options) for key, port in keys
        ]


def key_of(listener: Listener, process: Process | None) -> Key:
    """Return what tells a port of a process from that of the next one there."""
    return Key(listener.authority, process.pid if process else None, process.started if process else None)

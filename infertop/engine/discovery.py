"""Finding this machine's engines: by GPU processes and ports, recognised by command, confirmed by endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


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

    def matches(self, argv: Sequence[str]) -> bool:
        """Say whether this command starts the engine's server (not a worker that the server starts)."""
        ...

    def port(self, argv: Sequence[str]) -> int | None:
        """Return the port in a matching command on which the source is read, None where it does not say."""
        ...

    def model(self, argv: Sequence[str]) -> str | None:
        """Return the name under which a matching command serves its model, None where it does not say."""
        ...

    def confirm(self, status: int, headers: Mapping[str, str], body: bytes) -> bool:
        """Say whether this answer can only have come from this kind of engine."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """An engine on this machine that answered. `name` is its stable source id, `url` the base of its endpoint.

    `pid` is its server process and `gpus` the UUIDs its processes are on, as far as both are known. `detail` is a
    sentence where something is odd (it asks for a key), else empty.
    """

    name: str
    kind: str
    url: str
    pid: int | None = None
    model: str | None = None
    gpus: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Searched:
    """One thing that was looked for: what, where, whether it was found, and what to do next where it was not."""

    what: str
    where: str
    found: bool
    detail: str = ""

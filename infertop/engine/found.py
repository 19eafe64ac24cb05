"""What discovery brings: the engines that were found, and the report of what was looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Found:
    """An engine on this machine that answered. `name` is its stable source id, `url` the base of its endpoint.

    `pid` is its server process and `gpus` the UUIDs its processes are on, as far as both are known. `detail` is a
    sentence where something is odd (it asks for a key), else empty. `options` are those of its kind that its command
    says. `workers` are servers that work for it without being its children, and cannot be read themselves.
    """

    name: str
    kind: str
    url: str
    pid: int | None = None
    model: str | None = None
    gpus: tuple[str, ...] = ()
    detail: str = ""
    options: Mapping[str, int] = field(default_factory=dict)
    workers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """One thing that was looked for: what, where, whether it was found, and what is known or to be done about it."""

    what: str
    where: str
    found: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What one look found: the engines that are here now, and the report of the search."""

    found: tuple[Found, ...]
    searched: tuple[Searched, ...]

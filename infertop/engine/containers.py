"""Containers as Docker's API lists them, and where a port inside one can be reached from this machine.

Wire format: GET /containers/json and /containers/{id}/json of the Docker Engine API (since 1.24), which Podman serves
too. What cannot be read is left out; nothing here is trusted further than that a port on this machine is asked.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address
from itertools import pairwise, product
from typing import Any

from infertop.engine.network import ANY
from infertop.engine.processes import Process, Scan

_PROXY = "docker-proxy"
_SHARED = IPv4Network("100.64.0.0/10")  # some clusters give their containers addresses of it
_MOST = 500
_MOST_TEXT = 4096
Inside = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Container:
    """A running container: `pid` is that of its first process, `published` its ports with those of this machine."""

    id: str
    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    pid: int | None = None
    addresses: tuple[str, ...] = ()
    published: tuple[tuple[int, str, int], ...] = ()
    exposed: tuple[int, ...] = ()


def parse_list(body: bytes) -> tuple[Container, ...]:
    """Return the containers of an answer to /containers/json; raise ValueError where it is none."""
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list):
        raise ValueError("no list of containers")
    return tuple(each for row in rows[:_MOST] if isinstance(row, dict) and (each := _container(row)) is not None)


def parse_pid(body: bytes) -> int | None:
    """Return the pid of a container's first process in an answer to /containers/{id}/json, None where it has none."""
    try:
        state = _object(json.loads(body), "State")
    except (ValueError, RecursionError):
        return None
    pid = state.get("Pid")
    return pid if isinstance(pid, int) and not isinstance(pid, bool) and 0 < pid < 2**31 else None


def forwarded(scan: Scan, containers: Iterable[Container]) -> dict[Inside, str]:
    """Return where on this machine a (container's address, port in it) is reached, as far as someone says so."""
    ways: dict[Inside, str] = {}
    for listener in scan.listeners or ():
        process = scan.process(listener.pid) if listener.pid is not None else None
        inside = _proxied(process) if process is not None else None
        if inside is not None and ":" not in listener.host:
            ways.setdefault(inside, listener.authority)
    for each in containers:
        for (private, host, public), address in product(each.published, each.addresses):
            if host in scan.names:
                ways.setdefault((address, private), f"{host}:{public}")
    return ways


def _proxied(process: Process) -> Inside | None:
    """Return where one of Docker's own forwarders leads: `-container-ip 172.17.0.2 -container-port 80`."""
    if not process.argv or process.argv[0].rsplit("/", 1)[-1] != _PROXY:
        return None
    said = dict(pairwise(process.argv[1:]))
    address, port = said.get("-container-ip", ""), said.get("-container-port", "")
    return (address, int(port)) if _is_address(address) and port.isascii() and port.isdigit() else None


def _container(row: Mapping[str, Any]) -> Container | None:
    name = _text(row, "Id")
    if not name.isalnum() or len(name) > 128:  # it becomes part of a path
        return None
    networks = _object(_object(row, "NetworkSettings"), "Networks")
    addresses = (_text(each, "IPAddress") for each in networks.values() if isinstance(each, dict))
    names = row.get("Names")
    first = names[0] if isinstance(names, list) and names and isinstance(names[0], str) else ""
    ports = row.get("Ports")
    said = [each for each in ports[:_MOST] if isinstance(each, dict)] if isinstance(ports, list) else []
    tcp = [each for each in said if each.get("Type") == "tcp" and _port(each, "PrivatePort")]
    return Container(
        id=name,
        name=first.lstrip("/")[:200],
        image=_text(row, "Image"),
        command=_words(_text(row, "Command")),
        addresses=tuple(dict.fromkeys(each for each in addresses if _is_address(each))),
        published=tuple(dict.fromkeys(_published(each) for each in tcp if _port(each, "PublicPort"))),
        exposed=tuple(dict.fromkeys(_port(each, "PrivatePort") for each in tcp if not _port(each, "PublicPort"))),
    )


def _published(port: Mapping[str, Any]) -> tuple[int, str, int]:
    host = _text(port, "IP")
    return _port(port, "PrivatePort"), "127.0.0.1" if host in ("", *ANY) else host, _port(port, "PublicPort")


def _words(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return tuple(command.split())


def _object(of: object, name: str) -> Mapping[str, Any]:
    found = of.get(name) if isinstance(of, dict) else None
    return found if isinstance(found, dict) else {}


def _text(of: Mapping[str, Any], name: str) -> str:
    found = of.get(name)
    return found[:_MOST_TEXT] if isinstance(found, str) else ""


def _port(of: Mapping[str, Any], name: str) -> int:
    """Return a port, 0 where there is none."""
    found = of.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 65536 else 0


def _is_address(text: str) -> bool:
    """Say whether this is an address of the kind that containers have, and none that leads elsewhere."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if address.version != 4 or address.is_loopback or address.is_link_local or address.is_unspecified:
        return False
    return address.is_private or address in _SHARED

"""Ports and addresses as Linux lists them: this machine's, and those of a process in a network of its own.

Wire format: /proc/net/tcp, tcp6 and fib_trie (proc_pid_net(5)); they need no rights, whoever runs the process. What
listens is listed before all connections, so that reading ends where those begin.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LISTENS = "0A"
_LOCAL = re.compile(r"\|-- (\d{1,3}(?:\.\d{1,3}){3})\s+/32 host LOCAL")
_MOST_BYTES = 2**20
_MOST_PORTS = 4096
ANY = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class Socket:
    """A TCP port that is listened on, the number (inode) by which its process holds it, and that of its user."""

    host: str
    port: int
    inode: int
    user: int


@dataclass(frozen=True, slots=True)
class Network:
    """The network of a process: its addresses without loopback, and where it is listened in it."""

    addresses: tuple[str, ...]
    listens: tuple[tuple[str, int], ...]

    def reachable(self) -> dict[int, str]:
        """Return the ports that can be reached from outside, each with its address."""
        found: dict[int, str] = {}
        for host, port in self.listens:
            address = host if host in self.addresses else next(iter(self.addresses), "") if host in ANY else ""
            if address:
                found.setdefault(port, address)
        return found


def sockets(root: Path) -> tuple[Socket, ...] | None:
    """Return what is listened on, by `root`/net (`/proc` or `/proc/PID`); None where that cannot be read."""
    found: list[Socket] = []
    readable = False
    for name in ("tcp", "tcp6"):
        try:
            with (root / "net" / name).open(encoding="ascii", errors="replace") as lines:
                found += _listening(lines)
            readable = True
        except OSError:
            continue
    return tuple(found) if readable else None


def network(root: Path) -> Network | None:
    """Return the network of the process at `root` (`/proc/PID`), None where it cannot be read."""
    try:
        with (root / "net/fib_trie").open(encoding="ascii", errors="replace") as file:
            addresses = local_addresses(file.read(_MOST_BYTES))
    except OSError:
        return None
    listens = sockets(root)
    return None if listens is None else Network(addresses, tuple((each.host, each.port) for each in listens))


def local_addresses(fib_trie: str) -> tuple[str, ...]:
    """Return the addresses that a network has itself, without loopback."""
    found = dict.fromkeys(_LOCAL.findall(fib_trie))
    return tuple(each for each in found if not each.startswith("127."))


def _listening(lines: Iterable[str]) -> Iterator[Socket]:
    rows = iter(lines)
    next(rows, None)
    for _, line in zip(range(_MOST_PORTS), rows, strict=False):
        fields = line.split(None, 10)
        if len(fields) < 10 or fields[3] != _LISTENS:
            return
        address, _, port = fields[1].partition(":")
        if (host := _host(address)) is not None:
            yield Socket(host, int(port, 16), int(fields[9]), int(fields[7]))


def _host(address: str) -> str | None:
    """Return an address that is written as words of 32 bits in this machine's order of bytes."""
    try:
        raw = bytes.fromhex(address)
    except ValueError:
        return None
    words = [int.from_bytes(raw[at : at + 4], "big").to_bytes(4, sys.byteorder) for at in range(0, len(raw), 4)]
    packed = b"".join(words)
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    return socket.inet_ntop(socket.AF_INET6, packed) if len(packed) == 16 else None

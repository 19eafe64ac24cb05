"""Looking at one machine again and again: what does not change between two looks is not read twice.

A look at the ports and processes of a busy machine costs tens of milliseconds (docs/architecture.md); this is done
every few seconds for as long as infertop runs. So the owner of a port is looked for once and checked with one
`readlink` from then on, and commands are read of new processes, of those that matched, and of all at times, as they
change while a process runs. Without /proc, psutil does all of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from infertop.engine.network import Network, Socket, local_addresses, network, sockets
from infertop.engine.proc import content, reader
from infertop.engine.processes import Listener, Matches, Scan, own_names, scan

_PROC = Path("/proc")
_COMMAND_BYTES = 4096
_REMEMBERED = 4_000
_FIRST_NAMESPACE = "pid:[4026531836]"  # PROC_PID_INIT_INO of Linux
_LOOKS = 6  # until an owner that could not be seen is looked for again
_YOUNG = 3  # looks, in which a process may still become another: a shell that becomes its server
_SWEEP = 5  # looks, until all commands are read again


class Machine:
    """This machine, or the one whose /proc is at `proc`. Everything here blocks; one thread at a time may ask."""

    def __init__(self, proc: Path = _PROC) -> None:
        self._proc = proc
        self._owners: dict[Socket, tuple[int, str]] = {}
        self._unseen: dict[Socket, int] = {}
        self._verdicts: dict[bytes, bool] = {}
        self._addresses: frozenset[str] = frozenset()
        self._ages: dict[int, int] = {}
        self._matched: set[int] = set()
        self._looks = 0
        self._read = reader(proc)

    def scan(self) -> Scan:
        """Look now; processes are read as they are asked for."""
        found = sockets(self._proc)
        if found is None:
            return scan()
        with suppress(OSError):
            self._addresses = frozenset(local_addresses((self._proc / "net/fib_trie").read_text("ascii", "replace")))
        return Scan(self._listeners(found), own_names(), self._read, self._sweep, self._network, is_boxed(self._proc))

    def _listeners(self, found: Iterable[Socket]) -> tuple[Listener, ...]:
        here = dict.fromkeys(found)
        self._owners = {
            each: owner for each, owner in self._owners.items() if each in here and self._holds(each, owner)
        }
        self._unseen = {each: left - 1 for each, left in self._unseen.items() if each in here and left > 1}
        missing = {each.inode: each for each in here if each not in self._owners and each not in self._unseen}
        if missing:
            self._find_owners(missing)
            self._unseen |= dict.fromkeys(missing.values(), _LOOKS)
        rows = (Listener(each.host, each.port, self._owners.get(each, (None, ""))[0], each.user) for each in here)
        return tuple(sorted(set(rows), key=lambda each: (each.port, each.host, each.pid or 0)))

    def _holds(self, each: Socket, owner: tuple[int, str]) -> bool:
        try:
            return os.readlink(owner[1]) == f"socket:[{each.inode}]"
        except OSError:
            return False

    def _find_owners(self, missing: dict[int, Socket]) -> None:
        """Go through the open files of all processes for these sockets, the oldest process that holds one owns it."""
        for pid in self._pids():
            folder = f"{self._proc}/{pid}/fd"
            try:
                names = os.listdir(folder)
            except OSError:
                continue
            for name in names:
                path = f"{folder}/{name}"
                try:
                    target = os.readlink(path)
                except OSError:
                    continue
                if target.startswith("socket:[") and (each := missing.pop(int(target[8:-1]), None)) is not None:
                    self._owners[each] = (pid, path)
            if not missing:
                return

    def _pids(self) -> list[int]:
        try:
            return sorted(int(name) for name in os.listdir(self._proc) if name.isdecimal())
        except OSError:
            return []

    def _sweep(self, matches: Matches) -> Iterator[int]:
        """Yield the processes whose command matches; for all calls that is the same question."""
        if len(self._verdicts) > _REMEMBERED:
            self._verdicts.clear()
        pids = self._pids()
        self._ages = {pid: self._ages.get(pid, 0) + 1 for pid in pids}
        everything = self._looks % _SWEEP == 0
        self._looks += 1
        for pid in pids:
            if not (everything or self._ages[pid] <= _YOUNG or pid in self._matched):
                continue
            self._matched.discard(pid)
            command = self._command(pid).strip(b"\0")
            if not command:
                continue
            verdict = self._verdicts.get(command)
            if verdict is None:
                words = command.decode("utf-8", "replace").split("\0")
                verdict = self._verdicts[command] = matches(tuple(word for word in words if word))
            if verdict:
                self._matched.add(pid)
                yield pid

    def _command(self, pid: int) -> bytes:
        return content(f"{self._proc}/{pid}/cmdline", _COMMAND_BYTES)

    def _network(self, pid: int) -> Network | None:
        """Return the network of a process that has one of its own, None where it is this machine's or not known."""
        found = network(self._proc / str(pid))
        return found if found and not self._addresses.issuperset(found.addresses) else None


def is_boxed(proc: Path = _PROC) -> bool:
    """Say whether this process is in a process namespace that is not the machine's own, whose number never changes."""
    try:
        return os.readlink(proc / "self/ns/pid") != _FIRST_NAMESPACE
    except OSError:
        return False

"""Who listens on another machine, and which processes those and its GPUs' are: asked of its /proc by a shell.

It costs the other side a `cat` of two small files as long as nothing changed: listening sockets have an inode each, and
another process has others. Else `ss` names the owners (without it, the links in /proc/*/fd do) and awk keeps, of all
processes, the wanted ones and their ancestors; nvidia-smi is asked for those on GPUs as long as nobody else told.
Nothing is written there, and nothing else is run than what every Linux has.
Where there is no /proc, ports cannot be listed: the usual ones are then asked.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infertop.engine.processes import LOOPBACK, Listener, Process, Scan

SAME = "#same"
_MOST_NAMES, _MOST_LISTENERS, _MOST_PROCESSES = 256, 4_000, 4_000
_MOST_ARGUMENTS = 512
_TICKS = 100.0  # of a process's start, a second; only told apart from another start
_SS = re.compile(r"LISTEN\s+\d+\s+\d+\s+(\S+):(\d{1,5})\s")
_SS_PID = re.compile(r"pid=(\d{1,10})")
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_HEADER = re.compile(r"==> /proc/(\d{1,10})/cmdline <==")

# %s: the processes on its GPUs, and how many looks in a row may say that nothing changed.
_SCRIPT = r"""
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
wanted="%s"
sockets=$(for f in /proc/net/tcp /proc/net/tcp6; do
  awk 'FNR > 1 { if ($4 != "0A") exit; print $2, $10 }' "$f"; done)
if [ -n "$sockets" ] && [ "$sockets $wanted" = "$infertop_seen" ] && [ "${infertop_same:-0}" -lt %d ]; then
  infertop_same=$((infertop_same + 1)); echo "#same"
else
  infertop_seen="$sockets $wanted"; infertop_same=0
  [ -n "$wanted" ] || wanted=$(timeout 2 nvidia-smi --query-compute-apps=pid --format=csv,noheader | tr '\n' ' ')
  echo "#system"; cat /proc/sys/kernel/random/boot_id; readlink /proc/self/ns/net
  echo "#names"; hostname || cat /etc/hostname; hostname -I
  echo "#tcp"; printf '%%s\n' "$sockets"
  owners=$(ss -ltnp | grep '^LISTEN')
  if [ -n "$owners" ]; then echo "#ss"; else echo "#fd"
    owners=$(ls -l /proc/[0-9]*/fd | awk '/^\/proc/ { split($1, p, "/"); pid = p[3] }
      / socket:\[/ { print "pid=" pid ", " $NF }' | grep -F "$(printf '%%s\n' "$sockets" | awk '{ print "[" $2 "]" }')")
  fi
  printf '%%s\n' "$owners"
  echo "#stat"
  tree=$({ printf '%%s\n--\n' "$owners"; cat /proc/[0-9]*/stat; } | awk -v gpus="$wanted" '
    BEGIN { n = split(gpus, g, " "); for (i = 1; i <= n; i++) want[g[i]] }
    !stats { if ($0 == "--") stats = 1
      while (match($0, /pid=[0-9]+/)) { want[substr($0, RSTART + 4, RLENGTH - 4)]; $0 = substr($0, RSTART + RLENGTH) }
      next }
    { pid = $1; name = $0; sub(/^[0-9]+ \(/, "", name); sub(/\) [^)]*$/, "", name)
      sub(/^.*\) /, ""); parent[pid] = $2; line[pid] = pid " " $2 " " $20 " " name }
    END { for (p in want) for (q = p; (q in parent) && !(q in done); q = parent[q]) { done[q]; print line[q] } }')
  printf '%%s\n' "$tree"
  echo "#cmd"
  head -c 4096 /dev/null $(printf '%%s\n' "$tree" | awk 'NF { print "/proc/" $1 "/cmdline" }') | tr '\000' '\037'
  echo
fi
"""


def script(gpu_processes: Iterable[int], most_same: int) -> str:
    """Return what the shell over there is to run. `gpu_processes` are pids of it, of which ancestors are wanted."""
    return _SCRIPT % (" ".join(str(int(pid)) for pid in sorted(gpu_processes)), most_same)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look saw. `system` is what tells one running system, and one network on it, from another."""

    scan: Scan
    system: str = ""


def own_system() -> str:
    """Return what `system` would be of this machine, empty where that cannot be known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/net')}"
    except OSError:
        return ""


def parse(lines: Sequence[str], host: str) -> Seen | None:
    """Turn an answer into what was seen of that machine, known as `host` too; None where nothing changed.

    What cannot be read of it is left out: a line that is not as expected, an address that is none.
    """
    parts = _parts(lines)
    if SAME in parts:
        return None
    names = LOOPBACK | {host.lower()} | {name.lower() for line in parts.get("#names", ()) for name in line.split()}
    listeners = _by_ss(parts["#ss"]) if "#ss" in parts else _by_inode(parts.get("#tcp", ()), parts.get("#fd", ()))
    processes = _processes(parts.get("#stat", ()), parts.get("#cmd", ()))
    found = tuple(sorted(listeners, key=lambda each: (each.port, each.host, each.pid or 0)))
    scan = Scan(found[:_MOST_LISTENERS] or None, frozenset(sorted(names)[:_MOST_NAMES]), processes.get)
    return Seen(scan, " ".join(line.strip() for line in parts.get("#system", ())[:2]))


def _parts(lines: Sequence[str]) -> dict[str, list[str]]:
    """Return the lines of each part; a command line cannot begin one, as its part is the last."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        if "#cmd" not in parts and line in (SAME, "#system", "#names", "#tcp", "#ss", "#fd", "#stat", "#cmd"):
            current = parts.setdefault(line, [])
        else:
            current.append(line)
    return parts


def _by_ss(lines: Iterable[str]) -> set[Listener]:
    found: set[Listener] = set()
    for line in lines:
        match = _SS.match(line)
        address = _address(match[1]) if match else None
        if match and address and 0 < int(match[2]) < 65536:
            pids: list[int | None] = [*sorted({int(pid) for pid in _SS_PID.findall(line)})] or [None]
            found.update(Listener(address, int(match[2]), pid) for pid in pids[:16])
    return found


def _address(text: str) -> str | None:
    """Return an address as ss spells it (`*`, `[::1]`, `127.0.0.53%lo`) as others do, None where it is none."""
    plain = text.strip("[]").partition("%")[0]
    if plain in ("*", ""):
        return "0.0.0.0"
    try:
        return _spelt(ipaddress.ip_address(plain))
    except ValueError:
        return None


def _spelt(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return an address, one of IPv4 as that also where it is written as one of IPv6."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _by_inode(tcp: Iterable[str], links: Iterable[str]) -> set[Listener]:
    owners: dict[str, int] = {}
    for line in links:
        pid, socket = _SS_PID.search(line), _SOCKET.search(line)
        if pid and socket:
            owners.setdefault(socket[1], int(pid[1]))
    found: set[Listener] = set()
    for line in tcp:
        local, _, inode = line.partition(" ")
        digits, _, port = local.partition(":")
        address = _of_hex(digits)
        if address and re.fullmatch(r"[0-9A-F]{4}", port) and int(port, 16):
            found.add(Listener(address, int(port, 16), owners.get(inode.strip())))
    return found


def _of_hex(digits: str) -> str | None:
    """Return an address of /proc/net/tcp: words of 32 bits in the machine's order, which is little-endian."""
    if not re.fullmatch(r"(?:[0-9A-F]{8}){1,4}", digits) or len(digits) not in (8, 32):
        return None
    words = (bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8))
    return _spelt(ipaddress.ip_address(b"".join(words)))


def _processes(stats: Iterable[str], commands: Iterable[str]) -> dict[int, Process]:
    argvs = _commands(commands)
    found: dict[int, Process] = {}
    for line in stats:
        words = line.split(" ", 3)
        if len(words) == 4 and all(re.fullmatch(r"\d{1,18}", word, re.ASCII) for word in words[:3]):
            pid, parent, start = map(int, words[:3])
            found[pid] = Process(pid, parent or None, start / _TICKS, words[3][:64], argvs.get(pid, ()))
            if len(found) == _MOST_PROCESSES:
                break
    return found


def _commands(lines: Iterable[str]) -> dict[int, tuple[str, ...]]:
    texts: dict[int, list[str]] = {}
    current: list[str] = []
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match:
            current = texts.setdefault(int(match[1]), [])
        else:
            current.append(line)
    argvs = {pid: " ".join(text).strip().split("\x1f") for pid, text in texts.items()}
    return {pid: tuple(word for word in words if word)[:_MOST_ARGUMENTS] for pid, words in argvs.items()}

"""What ssh said when it failed, as a sentence for the person at the screen."""

from __future__ import annotations

import re
from collections.abc import Iterable

from infertop.engine.collector import State, Unavailable
from infertop.engine.ssh_target import Target
from infertop.readings.safe import safe

# In this order, as the first may stand before another one of them; {ssh} is what logs in by hand.
_SAID = (
    (
        re.compile(r"IDENTIFICATION HAS CHANGED|differs from the key|REVOKED HOST KEY", re.IGNORECASE),
        State.AUTH,
        "the host key of {host} is not the one that you accepted before: if the machine was made anew, "
        "`ssh-keygen -R {known}` and then `{ssh}`; if not, somebody may be in between",
    ),
    (
        re.compile(r"host key (?:is|was) known|Host key verification failed|No .{1,80} host key is known"),
        State.AUTH,
        "the host key of {host} is not known here yet: log in once with `{ssh}` and accept it",
    ),
    (
        re.compile(r"Permission denied|Too many authentication failures|No supported authentication methods"),
        State.AUTH,
        "{host} refuses your key{how}: `{ssh}` must log in without asking; infertop never asks for a password, so name"
        " the key in ~/.ssh/config or add it to your agent (ssh-add)",
    ),
    (
        re.compile(r"Could not resolve hostname|Name or service not known|nodename nor servname"),
        State.DOWN,
        "there is no host {host}: is the name spelt right, and does DNS or ~/.ssh/config know it?",
    ),
    (
        re.compile(
            r"Timeout, server .{0,260} not responding|client_loop: send disconnect|Read from remote host"
            r"|Connection to .{0,260} closed by remote host"
        ),
        State.STALE,
        "the ssh connection to {host} was lost",
    ),
    (
        re.compile(r"connect to host .*: Connection refused|Connection refused"),
        State.DOWN,
        "{host} refuses ssh on port {port}: does sshd run there, and is the port right?",
    ),
    (
        re.compile(r"timed out|Operation timed out", re.IGNORECASE),
        State.DOWN,
        "{host} does not answer ssh on port {port}: is it up, and is the way to it open?",
    ),
    (
        re.compile(r"No route to host|Network is unreachable|Host is down"),
        State.DOWN,
        "no way to {host}: is the host up?",
    ),
    (
        re.compile(r"kex_exchange_identification|Connection (?:closed|reset) by|Connection closed|banner exchange"),
        State.DOWN,
        "{host} closed the connection on port {port} before the login: is it sshd, and does it let more users in?",
    ),
    (
        re.compile(r"no matching (?:host key|key exchange|cipher|mac)[^.]*", re.IGNORECASE),
        State.DOWN,
        "ssh and {host} have no algorithm in common: `{ssh}` says which are offered",
    ),
)
_METHODS = re.compile(r"Permission denied \(([a-z0-9,-]{1,80})\)")
# What ssh itself says to do about a key that changed: the name is that of known_hosts, which may not be the one given.
_KNOWN_AS = re.compile(r"""ssh-keygen .{0,300}-R ['"]?([\w.:\[\]%-]{1,120})""")
_REFUSED_FORWARD = re.compile(r"open failed: administratively prohibited")
_REFUSED_PORT = re.compile(r"open failed: connect failed: Connection refused")


def from_ssh(target: Target, said: Iterable[str], status: int | None) -> Unavailable:
    """Say why ssh ended: by what it wrote to stderr, else by its exit status."""
    lines = list(said)
    text = "\n".join(lines)
    for pattern, state, sentence in _SAID:
        if pattern.search(text):
            methods = _METHODS.search(text)
            known = _KNOWN_AS.search(text)
            words = {
                "host": safe(target.host, 80),
                "port": target.port or 22,
                "ssh": f"ssh {safe(target.shown, 160)}",
                "known": f"'{safe(known[1], 120)}'" if known else safe(target.host, 80),
                "how": f" ({methods[1]})" if methods else "",
            }
            return Unavailable(sentence.format(**words), state=state)
    last = next((line for line in reversed(lines) if line.strip()), "")
    ended = f"with status {status}" if status is not None else "before it was ready"
    tail = f": {safe(last.strip(), 200)}" if last else ""
    return Unavailable(f"ssh to {safe(target.host, 80)} ended {ended}{tail}")


def missing() -> Unavailable:
    """Say that there is no ssh on this machine."""
    return Unavailable("ssh is not installed here (no `ssh` in PATH): install openssh-client", state=State.ABSENT)


def forwards_refused(said: Iterable[str]) -> bool:
    """Say whether the other side allows no port to be forwarded (AllowTcpForwarding no)."""
    return any(_REFUSED_FORWARD.search(line) for line in said)


def no_forwards(host: str) -> str:
    """Say what to do about that."""
    return f"{host} lets ssh forward no ports: its engines cannot be read without AllowTcpForwarding in its sshd_config"


def port_refused(said: Iterable[str]) -> bool:
    """Say whether nobody listened on a port over there when it was asked."""
    return any(_REFUSED_PORT.search(line) for line in said)

"""Whom `ssh://USER@HOST:PORT` means, and with which arguments ssh is asked for it. Nothing here reaches a local shell.

What a user or a host may be is narrower than what ssh takes: it puts both into ProxyCommand and `Match exec` of the
user's configuration, which shells read (CVE-2023-51385), and takes a host that begins with `-` for an option.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

EXAMPLE = "ssh://user@host or ssh://host:2222"
_USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.+-]{0,63}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,252}", re.ASCII)
_CONNECT_SECONDS = 5
_ALIVE_SECONDS = 5
_ALIVE_MISSES = 3

# For every ssh that talks over a connection that is there: it reads no configuration, and where there is no connection
# it makes none of its own.
_OVER = ("-F", "/dev/null", "-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", "ProxyCommand=false")


@dataclass(frozen=True, slots=True)
class Target:
    """A machine as its URL names it: `user` and `port` are None where ssh's own configuration is to say."""

    host: str
    user: str | None = None
    port: int | None = None

    @classmethod
    def parse(cls, url: str) -> Target:
        """Read an ssh URL; raise ValueError with a sentence that repeats nothing from it."""
        if any(not "!" <= letter <= "~" or letter == "%" for letter in url):
            raise ValueError("the url has blanks, control characters, % or non-ASCII characters in it")
        try:
            parts = urlsplit(url)
            host, user, port = parts.hostname or "", parts.username, parts.port
        except ValueError:
            raise ValueError(f"the url is not valid: expected {EXAMPLE}") from None
        if parts.scheme != "ssh" or not host:
            raise ValueError(f"the url must be {EXAMPLE}")
        if parts.password is not None:
            raise ValueError("the url has a password in it: take it out; ssh is given a key or an agent")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError(f"the url must end with its host or port, as in {EXAMPLE}")
        if user is not None and not _USER.fullmatch(user):
            raise ValueError("the url's user may have letters, digits and . _ + - in it, and must not begin with -")
        # urlsplit makes hosts lower case; an alias of ~/.ssh/config is told apart by case.
        spelt = parts.netloc.rpartition("@")[2].removesuffix(f":{port}")
        if not (_is_address(host) or (_HOST.fullmatch(spelt) and spelt.lower() == host)):
            raise ValueError("the url's host must be a name or an address, and must not begin with -")
        return cls(host if _is_address(host) else spelt, user or None, port)

    @property
    def shown(self) -> str:
        """The machine as a person would type it behind `ssh `."""
        host = f"{self.user}@{self.host}" if self.user else self.host
        return f"-p {self.port} {host}" if self.port else host

    @property
    def label(self) -> str:
        """What stands for the machine in names of sources and GPUs: its host, and its port where that is not 22."""
        host = self.host.replace(":", "-").lower()
        return host if self.port in (None, 22) else f"{host}-{self.port}"

    def connect(self, control: Path) -> list[str]:
        """Return the command that opens a connection, controlled at `control`, with a shell over it."""
        # All of these are known to OpenSSH since 7.6 (2017); one that is not would end it.
        options = (
            "ControlMaster=yes",
            f"ControlPath={_unexpanded(control)}",
            "ControlPersist=no",
            "BatchMode=yes",
            f"ConnectTimeout={_CONNECT_SECONDS}",
            f"ServerAliveInterval={_ALIVE_SECONDS}",
            f"ServerAliveCountMax={_ALIVE_MISSES}",
            "ClearAllForwardings=yes",
            "ForwardAgent=no",
            "ForwardX11=no",
            "PermitLocalCommand=no",
            "RequestTTY=no",
            "RemoteCommand=none",
            "LogLevel=INFO",
        )
        user = ["-l", self.user] if self.user else []
        port = ["-p", str(self.port)] if self.port else []
        return ["ssh", *_as_options(options), *user, *port, "--", self.host, "exec sh"]

    def session(self, control: Path) -> list[str]:
        """Return the command that opens one more shell over the connection at `control`."""
        return ["ssh", *_OVER, "-S", _unexpanded(control), "-T", "--", self.host, "exec sh"]

    def forward(self, control: Path, what: str, local: int, host: str, port: int) -> list[str]:
        """Return the command that makes (`forward`) or ends (`cancel`) the way from a port here to one over there."""
        there = f"[{host}]" if ":" in host else host
        way = f"127.0.0.1:{local}:{there}:{port}"
        return ["ssh", *_OVER, "-S", _unexpanded(control), "-O", what, "-L", way, "--", self.host]


def _as_options(options: tuple[str, ...]) -> list[str]:
    return [word for option in options for word in ("-o", option)]


def _unexpanded(path: Path) -> str:
    """Return a path in which ssh finds no token to expand."""
    return str(path).replace("%", "%%")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

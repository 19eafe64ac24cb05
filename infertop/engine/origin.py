"""Where a source is: what a URL may be, and where a key may go."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from infertop.readings.safe import safe

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL, and the path that everything on it begins with (without a slash at the end)."""

    scheme: str
    host: str
    port: int
    base: str = ""

    @classmethod
    def parse(cls, url: str) -> Origin:
        """Read a source's URL; raise ValueError with a sentence that repeats nothing secret from it."""
        if any(not "!" <= ch <= "~" for ch in url) or "\\" in url:
            raise ValueError("the url has blanks, control or non-ASCII characters in it")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("the url is not valid: expected something like http://127.0.0.1:8000") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("the url must begin with http:// or https:// and name a host")
        if "@" in parts.netloc:
            raise ValueError("the url has a user name or password in it: take it out, and use key_env or key_file")
        if port == 0:
            raise ValueError("the url's port must be between 1 and 65535")
        if parts.query or parts.fragment:
            raise ValueError("the url must end with its path: take out what follows ? or #")
        return cls(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/"))

    @property
    def address(self) -> str:
        """HOST:PORT, fit for a terminal."""
        return f"{safe(self._netloc_host)}:{self.port}"

    @property
    def url(self) -> str:
        """The URL without a path."""
        return f"{self.scheme}://{self._netloc_host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether nothing sent there leaves this machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def _netloc_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def same_place(self, other: Origin) -> bool:
        """Whether scheme, host and port are the same."""
        return (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)

    def resolve(self, path_or_url: str) -> str:
        """Return the URL of a path under this origin; raise ValueError where it leads to another one.

        The text may carry a query. It is not quoted: names from outside must have gone through `urllib.parse.quote`.
        """
        if any(not "!" <= ch <= "~" for ch in path_or_url):
            raise ValueError("the path asked for has blanks, control or non-ASCII characters in it")
        if "://" not in path_or_url.partition("?")[0]:
            return f"{self.url}{self.base}/{path_or_url.removeprefix('/')}"
        target = Origin.parse(path_or_url.partition("#")[0].partition("?")[0])
        if not self.same_place(target):
            raise ValueError(f"asked for {target.address}, but only {self.address} is read here")
        return path_or_url


def key_refusal(origin: Origin) -> str:
    """Return why a key may not be sent to `origin`, or an empty string: https, or http that stays on this machine."""
    if origin.scheme == "https" or origin.loopback:
        return ""
    return f"the key is not sent to {origin.address} over plain http, where anyone can read it: use https"


def shown_address(url: str) -> str:
    """Return a source's URL fit to be shown, without what may be secret in it; empty where there is none."""
    if url.startswith("ssh:") and url.count("@") < 2 and ":" not in url.removeprefix("ssh://").rpartition("@")[0]:
        return safe(url, 120)
    try:
        origin = Origin.parse(url)
    except ValueError:
        return ""
    return f"{safe(origin.url)}{safe(origin.base)}"

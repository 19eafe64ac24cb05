"""Who may read the exporter's page: where it listens, the token, and by which name it may be asked."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from infertop.commands.sources import WrongUseError
from infertop.engine.collector import Unavailable
from infertop.engine.secrets import Secret, load_secret
from infertop.engine.serve import Refused
from infertop.readings.safe import safe

DEFAULT = "127.0.0.1:9109"
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[^\[\]:/@\s]*)):(?P<port>[0-9]{1,5})")
_LOCALHOST = "localhost"


@dataclass(frozen=True, slots=True)
class Access:
    """Where the page is served, and the token that is asked for (None: none)."""

    host: str
    port: int
    token: Secret | None = None

    @classmethod
    def of(cls, listen: str, token_file: Path | None) -> Access:
        """Read the options; raise WrongUseError with what to do."""
        found = _ADDRESS.fullmatch(listen)
        if found is None or int(found["port"]) > 65535:
            raise WrongUseError(f'--listen "{safe(listen, 80)}" must be HOST:PORT, like {DEFAULT} or [::1]:9109')
        host, port = found["six"] or found["host"] or "0.0.0.0", int(found["port"])
        try:
            token = load_secret("", str(token_file)) if token_file else None
        except Unavailable as error:
            raise WrongUseError(f"--token-file: {error}") from None
        if token is None and not _is_loopback(host):
            raise WrongUseError(
                f"--listen {safe(listen, 80)} can be reached from other machines, and what the page tells is not for"
                " everybody: give a --token-file, or listen on 127.0.0.1"
            )
        return cls(host, port, token)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise Refused where a request may not be answered."""
        if self.token is not None:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            ours = self.token.reveal().encode()
            if not hmac.compare_digest(given.strip().encode("latin-1"), ours) or scheme.lower() != "bearer":
                raise Refused(HTTPStatus.UNAUTHORIZED, "a bearer token is asked for", **{"WWW-Authenticate": "Bearer"})
        elif not self._is_own_name(headers.get("host", _LOCALHOST)):
            # A page of a browser on this machine, whose name was made to point here, would read what is served here.
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "ask by the address, or by the name localhost")

    def _is_own_name(self, host: str) -> bool:
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) and not host.endswith("]") else host
        name = name.strip("[]").lower()
        if name in (_LOCALHOST, self.host.lower()):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def shown(host: str, port: int) -> str:
    """Return an address as one writes it."""
    return f"http://[{host}]:{port}/metrics" if ":" in host else f"http://{host}:{port}/metrics"


def _is_loopback(host: str) -> bool:
    if host.lower() == _LOCALHOST:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

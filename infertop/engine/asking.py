"""Asking a port whether an engine answers there: with GET, a short deadline, and no more often than is of use.

An answer settles a port for as long as the same process listens there; without an answer it is asked three times at
most, unless its command is an engine's, which may still be loading. Only http is asked for: on loopback no certificate
can hold, so what speaks TLS is named and left to the configuration.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from infertop.engine.candidates import Candidate
from infertop.engine.collector import Unavailable
from infertop.engine.found import Found
from infertop.engine.http import Http
from infertop.engine.pattern import Pattern

PROBE_SECONDS = 1.5
_PROBE_BYTES = 4 * 2**20
_TRIES = 3
_KEY_WANTED = "it asks for a key: name it in a [[source]] with its url and key_env"

Answer = tuple[int, Mapping[str, str], bytes]
Probe = Callable[[str], Awaitable[Answer]]
Tls = Callable[[str, int], Awaitable[bool]]


@dataclass(slots=True)
class Outcome:
    """What asking a port brought: the engine, or how often it was asked in vain and whether it is settled.

    `said` is what came last: "HTTP 404", "nothing", "TLS".
    """

    found: Found | None = None
    settled: bool = False
    tries: int = 0
    said: str = ""


async def http_probe(url: str) -> Answer:
    """Ask a URL of this machine once: (status, headers, body); raise `Unavailable` where no HTTP comes back."""
    parts = urlsplit(url)
    http = Http(f"{parts.scheme}://{parts.netloc}", timeout_seconds=PROBE_SECONDS, max_bytes=_PROBE_BYTES)
    try:
        reply = await http.get(parts.path, accept_status=range(100, 600))
    finally:
        await http.close()
    return reply.status, reply.headers, reply.body


async def speaks_tls(host: str, port: int) -> bool:
    """Say whether TLS is spoken there, whoever's the certificate is: nothing is asked, and nothing is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLError as error:
        return error.reason not in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING")
    except (OSError, TimeoutError):
        return False
    finally:
        if writer is not None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    return True


async def ask(candidate: Candidate, outcome: Outcome, probe: Probe, tls: Tls | None) -> None:
    """Ask a port once, and put what came into `outcome`."""
    base = f"http://{candidate.key.authority}"
    final, loading = True, False
    for path in dict.fromkeys(path for pattern in candidate.patterns for path in pattern.probe_paths):
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                status, headers, body = await probe(base + path)
        except (Unavailable, OSError, TimeoutError):
            outcome.said = await _instead_of_http(candidate, tls)
            final = outcome.said == "TLS"
            break
        outcome.said = f"HTTP {status}"
        for pattern in candidate.patterns:
            if path in pattern.probe_paths and pattern.confirm(status, headers, body):
                outcome.found, outcome.settled = found(candidate, pattern, base), True
                return
        if candidate.expected and status in (401, 403):
            outcome.found = found(candidate, candidate.patterns[0], base, _KEY_WANTED)
        loading = loading or status >= 500
        final = final and status < 500
    outcome.tries += 1  # at the end: one that was cut short is asked again as if it had not been
    waits = candidate.expected or (loading and len(candidate.patterns) == 1)
    outcome.settled = final or (outcome.tries >= _TRIES and not waits)


def found(candidate: Candidate, pattern: Pattern, base: str, detail: str = "") -> Found:
    """Return what was found at a candidate's port, without a name as yet."""
    return Found("", pattern.kind, base, candidate.key.pid, candidate.model, candidate.gpus, detail, candidate.options)


async def _instead_of_http(candidate: Candidate, tls: Tls | None) -> str:
    """Say what a port does that answers no HTTP; only that of an engine's command is looked at closely."""
    if candidate.expected and tls is not None:
        host = candidate.key.authority.rpartition(":")[0].strip("[]")
        if await tls(host, candidate.port):
            return "TLS"
    return "nothing"

"""JSON APIs of clouds that take a token: each request has a fresh one, and goes to one origin alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from collectors._provider_pages import document
from infertop.engine.collector import State, Unavailable
from infertop.engine.http import Http, Params, Reply
from infertop.engine.origin import Origin, key_refusal
from infertop.readings.safe import safe

if TYPE_CHECKING:
    import httpx

_TIMEOUT_SECONDS = 30.0
_TOO_MANY = 429
_TOLD_HERE = (401, 403, _TOO_MANY)
_MOST_WAIT_SECONDS = 3600.0


class Access(Protocol):
    """Who asks."""

    async def headers(self) -> Mapping[str, str]:
        """Return the headers that carry a token which holds now."""
        ...

    def close(self) -> None:
        """Let go of what finds tokens."""
        ...


class CloudApi:
    """Asks one origin; `service` is what it is called in sentences, `advice` what to do where it refuses."""

    def __init__(
        self,
        url: str,
        access: Access,
        service: str,
        advice: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url
        self._access = access
        self._service = service
        self._advice = advice
        self._http = Http(url, timeout_seconds=_TIMEOUT_SECONDS, transport=transport)

    async def get(self, path: str, params: Params) -> dict[str, Any]:
        """Return what is answered to GET, a JSON object; raise Unavailable where there is none."""
        headers = await self._headers()
        return self._read(await self._http.get(path, params, headers, accept_status=_TOLD_HERE))

    async def post(self, path: str, asked: Mapping[str, Any], params: Params | None = None) -> dict[str, Any]:
        """Return what is answered to a question by POST, as `get` does."""
        headers = {**await self._headers(), "Content-Type": "application/json"}
        body = json.dumps(asked).encode()
        return self._read(await self._http.post(path, body, params, headers, accept_status=_TOLD_HERE))

    async def close(self) -> None:
        """Close the connection."""
        self._access.close()
        await self._http.close()

    async def _headers(self) -> Mapping[str, str]:
        check_origin(self._url)
        return await self._access.headers()

    def _read(self, reply: Reply) -> dict[str, Any]:
        if reply.status == _TOO_MANY:
            raise Unavailable(
                f"{self._service} asks for fewer requests (HTTP 429)",
                status=_TOO_MANY,
                retry_seconds=longest_wait(reply),
            )
        if reply.status in _TOLD_HERE:
            said = f": {found}" if (found := _error(reply)) else ""
            raise Unavailable(
                f"{self._service} refuses these credentials (HTTP {reply.status}){said}; {self._advice}",
                state=State.AUTH,
                status=reply.status,
            )
        return document(reply.body, self._service)


def check_origin(url: str) -> None:
    """Raise Unavailable where a token may not be sent to a url: https, or what stays on this machine."""
    try:
        reason = key_refusal(Origin.parse(url))
    except ValueError as error:
        reason = str(error)
    if reason:
        raise Unavailable(reason)


def longest_wait(reply: Reply) -> float | None:
    """Return the longest time that any header asks to wait, in seconds; clouds have several, each of its own limit."""
    said = [value for name, value in reply.headers.items() if name.endswith("retry-after")]
    seconds = [float(value) for value in said if value.isascii() and value.isdigit() and len(value) < 9]
    return min(max(1.0, *seconds), _MOST_WAIT_SECONDS) if seconds else None


def hush(*names: str) -> None:
    """Keep what a library logs off the screen: without a handler Python writes warnings to stderr."""
    for name in names:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _error(reply: Reply) -> str:
    try:
        said = document(reply.body, "").get("error")
    except Unavailable:
        return ""
    text = said.get("message") if isinstance(said, dict) else None
    return safe(text.split("\n")[0], 200) if isinstance(text, str) else ""

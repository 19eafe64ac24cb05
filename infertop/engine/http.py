"""The one way out to the network: GET and POST to one origin, within bounds, every failure a sentence.

What answers may be hostile, broken or slow. An answer has a total deadline and a size cap, before and after
decompression; redirects are not followed; proxies and netrc files of the environment are not used; a key goes to the
origin it was configured for and nowhere else. httpx is loaded at the first request, so that the first paint does not
wait for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from infertop import __version__
from infertop.engine import faults
from infertop.engine.answer import checked_headers, read, read_error, read_shortly
from infertop.engine.body import BodyError, Sift
from infertop.engine.collector import State, Unavailable
from infertop.engine.origin import Origin, key_refusal
from infertop.engine.secrets import Secret
from infertop.engine.tls import load_libraries
from infertop.engine.transport import answer_of, new_transport
from infertop.readings.safe import safe

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 16 * 2**20
MAX_SIFTED_BYTES = 256 * 2**20
TOO_LARGE = 413
"""The status of an answer whose body was larger than what is taken."""
_AGENT = f"infertop/{__version__}"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_ANY = range(200, 600)
_REFUSED = (401, 403)

Params = Mapping[str, str | int | float | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `headers` have lower-case names, `body` is inflated, `seconds` is the time until its last byte.

    Headers and body are not in its `repr`: a server may echo a key.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float


class _Ask(NamedTuple):
    """What a caller asks for."""

    method: str
    path: str
    params: Params | None
    headers: Mapping[str, str] | None
    body: bytes = b""

    @property
    def repeated(self) -> bool:
        """Whether the next one is likely to be the same: a meter is asked the same every second."""
        return self.method == "GET" and not self.params


class _Sifting(NamedTuple):
    """How a body is read that is too large to be kept; its deadline is `patience` times the usual one."""

    sift: Sift
    max_bytes: int = MAX_SIFTED_BYTES
    patience: int = 3


class Http:
    """A connection to one origin. Making one never fails: what is wrong with the URL or key is said by the request.

    `origin_url` may have a path ("https://api.openai.com/v1"), put before every path asked for. The key is sent with
    its `key_scheme` where `key_header` is Authorization, else as it is. `transport` stands in for the network.
    """

    def __init__(
        self,
        origin_url: str,
        *,
        key: Secret | None = None,
        key_header: str = "Authorization",
        key_scheme: str = "Bearer",
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 5.0,
        max_bytes: int = MAX_BYTES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._key = key
        self._key_header = key_header
        self._key_scheme = key_scheme
        self._headers = dict(headers or {})
        self._timeout = timeout_seconds
        self._max_bytes = max_bytes
        self._given = transport
        self._transport: httpx.AsyncBaseTransport | None = None
        self._reused = False
        self._built: tuple[_Ask, httpx.Request] | None = None
        self._refusal = ""
        self.origin: Origin | None = None
        try:
            self.origin = Origin.parse(origin_url)
            self._refusal = key_refusal(self.origin) if key else ""
        except ValueError as error:
            self._refusal = str(error)

    async def get(
        self,
        path_or_url: str,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        accept_status: Collection[int] = (),
    ) -> Reply:
        """Return the answer where its status is 2xx or in `accept_status`; raise Unavailable for everything else."""
        return await self._ask(_Ask("GET", path_or_url, params, headers), accept_status)

    async def sifted(
        self,
        path_or_url: str,
        sift: Sift,
        params: Params | None = None,
        *,
        form: Params | None = None,
        headers: Mapping[str, str] | None = None,
        accept_status: Collection[int] = (),
    ) -> Reply:
        """Like `get`, for a body too large to be kept: of a 2xx `sift` is given it piece by piece as it comes.

        The last piece is whole where this returns; where it raises, any part of the body may have been given. `form` is
        for queries too long for a URL: it is sent by POST, and must only ask, as it may be sent a second time.
        """
        ask = _Ask("GET", path_or_url, params, headers)
        if form is not None:
            both = {**(headers or {}), **_FORM}
            ask = _Ask("POST", path_or_url, params, both, urlencode(form, doseq=True).encode())
        return await self._ask(ask, accept_status, _Sifting(sift))

    async def post(
        self,
        path_or_url: str,
        body: bytes = b"",
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        accept_status: Collection[int] = (),
    ) -> Reply:
        """Like `get`, for the few APIs that are asked by POST."""
        return await self._ask(_Ask("POST", path_or_url, params, headers, body), accept_status)

    async def tell(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """POST what is to be known over there, whatever is answered; no sentence repeats the path: it may be secret."""
        return await self._ask(_Ask("POST", path, None, headers, body), _ANY)

    async def close(self) -> None:
        """Close the connection; a later request would open a new one."""
        transport, self._transport, self._reused = self._transport, None, False
        if transport is not None:
            await transport.aclose()

    async def _ask(self, ask: _Ask, accept_status: Collection[int], sifting: _Sifting | None = None) -> Reply:
        origin = self.origin
        if self._refusal or origin is None:
            raise Unavailable(self._refusal)
        await load_libraries(tls=origin.scheme == "https" and self._given is None)
        request = self._request(origin, ask)
        reply = await self._exchange(origin, request, accept_status, sifting)
        if reply.status in _REFUSED and self._key is not None and self._key.renewed():
            self._built = None  # another key is in its file by now
            reply = await self._exchange(origin, self._request(origin, ask), accept_status, sifting)
        if _good(reply.status, accept_status):
            return reply
        about = {"where": origin.address, "path": _shown_path(request)}
        raise faults.from_status(reply.status, reply.headers, reply.body, **about, has_key=self._key is not None)

    def _request(self, origin: Origin, ask: _Ask) -> httpx.Request:
        """Make the request, or take the last one again where it is the same."""
        if self._built and self._built[0] == ask and ask.repeated:
            return self._built[1]
        request = self._new_request(origin, ask)
        if ask.repeated:
            kept = dict(ask.headers) if ask.headers is not None else None
            self._built = (ask._replace(headers=kept), request)
        return request

    def _new_request(self, origin: Origin, ask: _Ask) -> httpx.Request:
        import httpx

        try:
            text = origin.resolve(ask.path)
            if ask.params:
                text += ("&" if "?" in text else "?") + urlencode(ask.params, doseq=True)
            url = httpx.URL(text)
        except ValueError as error:
            sentence = str(error)
        except httpx.InvalidURL:
            sentence = "the url asked for is not valid"
        else:
            sent = self._all_headers(origin, ask.headers)
            return httpx.Request(ask.method, url, headers=sent, content=ask.body or None)
        raise Unavailable(sentence)

    def _all_headers(self, origin: Origin, headers: Mapping[str, str] | None) -> dict[str, str]:
        # Compressing a page costs the engine more than it saves where nothing leaves the machine.
        everything = {
            "User-Agent": _AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "identity" if origin.loopback else "gzip",
            "Connection": "keep-alive",
        }
        everything.update(self._headers)
        everything.update(headers or {})
        if self._key:
            scheme = f"{self._key_scheme} " if self._key_header.lower() == "authorization" else ""
            everything[self._key_header] = scheme + self._key.reveal()
        return everything

    async def _exchange(
        self, origin: Origin, request: httpx.Request, accept_status: Collection[int], sifting: _Sifting | None
    ) -> Reply:
        import httpx

        failure: Unavailable
        asked = "an alert" if accept_status is _ANY else _shown_path(request)
        seconds = self._timeout * (sifting.patience if sifting else 1)
        try:
            async with asyncio.timeout(seconds):
                try:
                    return await self._send(request, accept_status, sifting)
                except _Stale:
                    await self.close()
                    return await self._send(request, accept_status, sifting)
        except TimeoutError:
            failure = Unavailable(f"{origin.address} did not answer {asked} within {seconds:g} s", state=State.STALE)
        except BodyError as error:
            sentence = f"the answer of {origin.address} to {asked} {error}"
            failure = Unavailable(sentence, status=TOO_LARGE if error.too_large else None)
        except _Stale as error:
            failure = faults.from_exception(error, origin.address)
        except httpx.RemoteProtocolError:
            failure = Unavailable(f"the answer of {origin.address} is broken off or not HTTP: is the port right?")
        except (httpx.HTTPError, httpx.StreamError, OSError, UnicodeError) as error:
            failure = faults.from_exception(error, origin.address)
        await self.close()
        # Raised out here, so that the exception does not hold on to the ones above and what they quote.
        raise failure

    async def _send(self, request: httpx.Request, accept_status: Collection[int], sifting: _Sifting | None) -> Reply:
        import httpx

        began = time.perf_counter()
        reused = self._reused
        transport = self._open()
        try:
            answer = await answer_of(transport, request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            if reused and (request.method == "GET" or sifting):
                raise _Stale from error
            raise
        try:
            headers = checked_headers(answer.headers)
            if accept_status is _ANY:
                body = await read_shortly(answer.body, headers)
            elif sifting and _good(answer.status, ()):
                body = await read(answer.body, headers, sifting.max_bytes, sifting.sift)
            elif _good(answer.status, accept_status):
                body = await read(answer.body, headers, self._max_bytes)
            else:
                body = await read_error(answer.body, headers)
        finally:
            await answer.body.aclose()
        self._reused = True
        return Reply(answer.status, headers, body, time.perf_counter() - began)

    def _open(self) -> httpx.AsyncBaseTransport:
        if self._transport is None:
            self._transport = self._given or new_transport(self.origin is not None and self.origin.scheme == "https")
        return self._transport


class _Stale(Exception):  # noqa: N818 - a state of the connection, not of the source
    """A connection that was kept open turned out to be closed by the other side: worth one new one."""


def _good(status: int, accept_status: Collection[int]) -> bool:
    return 200 <= status < 300 or status in accept_status


def _shown_path(request: httpx.Request) -> str:
    return safe(request.url.path, 120)

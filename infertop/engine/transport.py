"""What carries requests: infertop's own transport where nothing is encrypted, else httpx's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from infertop.engine.tls import tls_context

if TYPE_CHECKING:
    import httpx

    from infertop.engine.plain import Answer


class Streamed(NamedTuple):
    """An answer of httpx, whose body is still to come."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: httpx.AsyncByteStream


def new_transport(tls: bool) -> httpx.AsyncBaseTransport:
    """Return a transport that uses neither proxies nor netrc files of the environment."""
    import httpx

    from infertop.engine.plain import PlainTransport  # which loads httpx

    if not tls:
        return PlainTransport()
    limits = httpx.Limits(max_connections=4, max_keepalive_connections=2)
    return httpx.AsyncHTTPTransport(verify=tls_context(), trust_env=False, limits=limits)


async def answer_of(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> Answer | Streamed:
    """Send a request and return what the transport has of the answer, in the leanest form that it has."""
    from infertop.engine.plain import PlainTransport

    if isinstance(transport, PlainTransport):
        return await transport.answer(request)
    response = await transport.handle_async_request(request)
    return Streamed(response.status_code, response.headers.raw, cast("httpx.AsyncByteStream", response.stream))

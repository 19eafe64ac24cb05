"""The small HTTP server, and what peers may not do to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest

from infertop.engine.serve import Limits, Refused, Request, Response, Server

BODY = b"hello\n"


async def hello(request: Request) -> Response:
    if request.path != "/here":
        raise Refused(HTTPStatus.NOT_FOUND, "not here")
    return Response(HTTPStatus.OK, BODY, headers={"X-Asked": request.headers.get("accept", "")})


@asynccontextmanager
async def listening(
    answer: Callable[[Request], Awaitable[Response]] = hello, limits: Limits | None = None
) -> AsyncIterator[int]:
    server = Server(answer, limits)
    ((_, port),) = await server.listen("127.0.0.1", 0)
    try:
        yield port
    finally:
        await server.close()


async def ask(port: int, said: bytes) -> bytes:
    """Return all that is answered to `said`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(said)
        return await reader.read()
    finally:
        writer.close()


async def test_a_get_is_answered_and_the_connection_ends() -> None:
    async with listening() as port:
        head, _, body = (await ask(port, b"GET /here?x=1 HTTP/1.1\r\nHost: a\r\nACCEPT: b\r\n\r\n")).partition(
            b"\r\n\r\n"
        )
    lines = head.decode().split("\r\n")
    assert (lines[0], body) == ("HTTP/1.1 200 OK", BODY)
    assert {"Content-Length: 6", "Connection: close", "X-Asked: b", "X-Content-Type-Options: nosniff"} <= set(lines)


async def test_a_head_has_the_length_and_no_body() -> None:
    async with listening() as port:
        said = await ask(port, b"HEAD /here HTTP/1.0\r\n\r\n")
    assert b"Content-Length: 6\r\n" in said
    assert said.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /else HTTP/1.1\r\n\r\n", 404),
        (b"POST /here HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", 405),
        (b"GET /here HTTP/2.0\r\n\r\n", 505),
        (b"GET http://other/here HTTP/1.1\r\n\r\n", 400),
        (b"GET /h\x00re HTTP/1.1\r\n\r\n", 400),
        (b"GET  /here HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"GET /here HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET /here HTTP/1.1\r\n folded: 1\r\n\r\n", 400),
        (b"GET /here HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400),
        (b"GET /here HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400),
        (b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /here HTTP/1.1\r\n" + b"A: 1\r\n" * 65 + b"\r\n", 431),
        (b"GET /here HTTP/1.1\r\nA: " + b"a" * 9000 + b"\r\n\r\n", 431),
    ],
)
async def test_what_is_no_such_request_is_refused_with_a_sentence(said: bytes, status: int) -> None:
    async with listening() as port:
        head, _, body = (await ask(port, said)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert body.endswith(b"\n")
    assert b"\x00" not in body


async def test_a_peer_that_says_nothing_and_one_that_says_too_little_are_let_go() -> None:
    async with listening(limits=Limits(seconds=0.05)) as port:
        assert await asyncio.gather(ask(port, b""), ask(port, b"GET /he")) == [b"", b""]


async def test_those_who_say_nothing_are_let_in_up_to_a_number_and_the_next_after_they_are_gone() -> None:
    async with listening(limits=Limits(connections=2)) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        assert await asked_again(port) == b""
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        async with asyncio.timeout(5):
            while BODY not in await asked_again(port):
                pass


async def asked_again(port: int) -> bytes:
    """Return what is answered, nothing where the connection is refused in whatever way."""
    try:
        return await ask(port, b"GET /here HTTP/1.1\r\n\r\n")
    except ConnectionError:
        return b""


async def test_a_mistake_of_our_own_is_told_to_the_peer_without_what_it_was_and_to_us_with_it() -> None:
    async def wrong(_request: Request) -> Response:
        raise ValueError("the inner reason")

    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context.get("exception")))
    async with listening(wrong) as port:
        said = await ask(port, b"GET / HTTP/1.1\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 500 ")
    assert b"inner" not in said
    assert [str(each) for each in told] == ["the inner reason"]


async def test_a_peer_that_does_not_read_its_answer_is_let_go() -> None:
    async def much(_request: Request) -> Response:
        return Response(HTTPStatus.OK, b"x" * 50_000_000)

    async with listening(much, Limits(seconds=0.1, connections=1)) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await writer.drain()
        async with asyncio.timeout(5):
            while len(await asked_again(port)) < 50_000_000:
                pass
        writer.transport.abort()


async def test_the_end_lets_go_of_everybody_and_of_the_port() -> None:
    async with listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        try:
            assert await reader.read() == b""
        except ConnectionError:
            assert reader.at_eof() or reader.exception()
    writer.transport.abort()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_an_address_that_is_taken_is_said() -> None:
    async with listening() as port:
        with pytest.raises(OSError, match="address already in use"):
            await Server(hello).listen("127.0.0.1", port)

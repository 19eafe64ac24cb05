"""HTTP over a plain connection: how answers are framed, and when a connection is used again."""

import asyncio
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.engine.collector import Unavailable
from infertop.engine.http import Http
from infertop.engine.plain import PlainTransport
from tests.engine.servers import answer, refused, serve, then_close, then_hang

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def bodies(*answers, count: int) -> tuple[list[bytes], int]:
    """Ask `count` times; return the bodies, and how many connections that took."""
    async with serve(*answers) as server:
        http = Http(server.url)
        found = [(await http.get("/metrics")).body for _ in range(count)]
        await http.close()
    return found, server.connections


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (CHUNKED + b"3;name=value\r\nabc\r\n0;last\r\nTrailer: yes\r\n\r\n", b"abc"),
        (CHUNKED.replace(b"chunked", b"Chunked") + b"00A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"HTTP/1.1 200 OK\nContent-Length: 3\nX-Empty:\n\nabc", b"abc"),
        (b"HTTP/1.1 200\r\ncontent-length: 3, 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + answer(b"abc"), b"abc"),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["chunks", "extensions", "case", "bare line feeds", "a length twice", "interim", "HTTP/1.0", "no content"],
)
async def test_an_answer_is_read_to_its_end_and_the_connection_used_again(reply, body):
    assert await bodies(reply, count=3) == ([body] * 3, 1)


@pytest.mark.parametrize(
    "reply",
    [
        then_close(b"HTTP/1.1 200 OK\r\n\r\nabc"),
        then_close(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
        answer(b"abc", Connection="Close"),
    ],
    ids=["until the end", "HTTP/1.0", "close"],
)
async def test_a_connection_that_ends_with_its_answer_is_not_used_again(reply):
    assert await bodies(reply, count=2) == ([b"abc"] * 2, 2)


async def test_what_comes_without_being_asked_for_is_no_answer_to_the_next_question():
    injected = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"
    assert await bodies(answer(b"abc") + injected, answer(b"def"), count=2) == ([b"abc", b"def"], 2)


async def test_a_page_larger_than_what_is_read_at_once_comes_whole():
    page = bytes(range(256)) * 8192
    assert await bodies(answer(page), count=2) == ([page] * 2, 1)


@pytest.mark.parametrize(
    "reply",
    [
        CHUNKED + b"3\r\nabcde\r\n0\r\n\r\n",
        CHUNKED + b"-1\r\na\r\n",
        CHUNKED + b"ffffffffffffffffff\r\n",
        CHUNKED.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n folded\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nab",
        b"HTTP/2 200 OK\r\n\r\n",
        b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
    ],
    ids=["longer", "negative", "huge", "coding", "upgrade", "length", "fold", "blank", "version", "nothing", "many"],
)
async def test_what_is_not_http_is_refused(reply):
    async with serve(reply) as server:
        error = await refused(Http(server.url))
    assert str(error).endswith("is broken off or not HTTP: is the port right?")


async def test_questions_asked_together_have_a_connection_each_and_two_of_them_are_kept():
    async with serve(answer(b"abc")) as server:
        http = Http(server.url)
        await asyncio.gather(*(http.get("/metrics") for _ in range(5)))
        assert server.connections == 5
        await asyncio.gather(*(http.get("/metrics") for _ in range(2)))
        await http.close()
    assert server.connections == 5


async def test_a_body_that_is_not_wanted_is_not_left_in_the_connection():
    async with serve(answer(b"a" * 100_000, "500 Oops"), answer(b"abc")) as server:
        http = Http(server.url)
        with pytest.raises(Unavailable, match="500"):
            await http.get("/metrics")
        assert (await http.get("/metrics")).body == b"abc"
        await http.close()
    assert server.connections == 2


async def test_closing_ends_what_is_under_way():
    async with serve(then_hang()) as server:
        transport = PlainTransport()
        http = Http(server.url, transport=transport)
        asking = asyncio.create_task(http.get("/metrics"))
        await server.asked.wait()
        await transport.aclose()
        with pytest.raises(Unavailable, match="broken off"):
            await asking


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_is_answered_is_a_body_or_a_sentence(junk, started):
    async def ask() -> None:
        async with serve(then_close((CHUNKED if started else b"") + junk)) as server:
            http = Http(server.url, timeout_seconds=2.0)
            with contextlib.suppress(Unavailable):
                assert isinstance((await http.get("/metrics")).body, bytes)
            await http.close()

    asyncio.run(ask())

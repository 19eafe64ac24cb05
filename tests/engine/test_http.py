"""HTTP: what a good server gets and gives, and what every bad one comes to."""

import asyncio
import gzip
import subprocess
import sys
import tracemalloc
import zlib

import httpx
import pytest

from infertop.engine.collector import State, Unavailable
from infertop.engine.http import Http
from tests.engine.servers import answer, forever, mocked, refused, serve, then_close, then_hang

MIB = 2**20


# What works.


async def test_an_answer_has_status_headers_body_and_time():
    async with serve(answer(b"up 1\n", Content_Type="text/plain", X_Odd="Yes")) as server:
        http = Http(server.url)
        reply = await http.get("/metrics", headers={"Accept": "text/plain;version=0.0.4"})
        await http.close()
    assert (reply.status, reply.body) == (200, b"up 1\n")
    assert reply.headers["content-type"] == "text/plain"
    assert reply.headers["x-odd"] == "Yes"
    assert 0 < reply.seconds < 5
    head = server.requests[0].lower()
    assert head.startswith(b"get /metrics http/1.1\r\n")
    assert b"accept: text/plain;version=0.0.4\r\n" in head
    assert b"accept-encoding: identity\r\n" in head


async def test_a_connection_is_kept_and_used_again():
    async with serve(answer(b"a"), answer(b"b")) as server:
        http = Http(server.url)
        bodies = [(await http.get("/metrics")).body for _ in range(3)]
        await http.close()
    assert bodies == [b"a", b"b", b"b"]
    assert server.connections == 1


async def test_a_kept_connection_that_the_server_closed_is_opened_anew_without_a_failure():
    async with serve(answer(b"a"), then_close(b""), answer(b"c")) as server:
        http = Http(server.url)
        bodies = [(await http.get("/metrics")).body for _ in range(2)]
        await http.close()
    assert bodies == [b"a", b"c"]
    assert server.connections == 2


async def test_paths_and_parameters_stand_under_the_base_of_the_url():
    seen = []

    def handler(request):
        seen.append(str(request.url))
        return httpx.Response(200)

    http = mocked(handler)
    await http.get("usage")
    await http.get("/usage", {"group_by": ["model", "key"], "limit": 7})
    await http.get("/usage?page=a", {"limit": 7})
    await http.get("https://api.example.com/v1/usage?page=b")
    assert seen == [
        "https://api.example.com/v1/usage",
        "https://api.example.com/v1/usage?group_by=model&group_by=key&limit=7",
        "https://api.example.com/v1/usage?page=a&limit=7",
        "https://api.example.com/v1/usage?page=b",
    ]


async def test_the_same_question_with_other_headers_is_another_request():
    seen = []

    def handler(request):
        seen.append(request.headers["x-part"])
        return httpx.Response(200)

    http, headers = mocked(handler), {"X-Part": "1"}
    await http.get("/usage", headers=headers)
    headers["X-Part"] = "2"
    await http.get("/usage", headers=headers)
    assert seen == ["1", "2"]


async def test_a_question_can_be_posted():
    async with serve(answer(b"[]")) as server:
        http = Http(server.url)
        assert (await http.post("/v2/repository/index", b"{}")).body == b"[]"
        await http.close()
    assert server.requests[0].startswith(b"POST /v2/repository/index ")


async def test_gzip_is_asked_for_where_the_answer_crosses_a_network_and_is_inflated():
    def handler(request):
        assert request.headers["accept-encoding"] == "gzip"
        return httpx.Response(200, content=gzip.compress(b"up 1\n"), headers={"Content-Encoding": "gzip"})

    assert (await mocked(handler).get("/metrics")).body == b"up 1\n"


async def test_a_status_can_be_taken_as_an_answer():
    async with serve(answer(b"no", "501 Not Implemented")) as server:
        http = Http(server.url)
        reply = await http.get("/metrics", accept_status=(501,))
        await http.close()
    assert (reply.status, reply.body) == (501, b"no")


async def test_the_proxies_of_the_environment_are_not_used(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serve(answer(b"ok")) as server:
        http = Http(server.url)
        assert (await http.get("/")).body == b"ok"
        await http.close()


async def test_a_request_that_was_cancelled_leaves_the_connection_usable():
    async with serve(then_hang(), answer(b"ok")) as server:
        http = Http(server.url)
        task = asyncio.create_task(http.get("/metrics"))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await http.get("/metrics")).body == b"ok"
        await http.close()


def test_httpx_is_not_loaded_before_the_first_request():
    code = "import sys, infertop.engine.http as h; h.Http('https://a'); sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Bodies, headers and silences of hostile servers.


async def test_an_endless_body_is_refused_at_the_cap():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serve(forever(head, b"10000\r\n" + b"a" * 65536 + b"\r\n")) as server:
        error = await refused(Http(server.url, max_bytes=MIB))
    assert str(error) == f"the answer of {server.where} to /metrics is larger than 1 MiB"


async def test_a_body_said_to_be_too_large_is_not_read():
    async with serve(then_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")) as server:
        error = await refused(Http(server.url))
    assert "is larger than 16 MiB" in str(error)


async def test_a_body_of_exactly_the_cap_is_read():
    async with serve(answer(b"a" * MIB)) as server:
        http = Http(server.url, max_bytes=MIB)
        assert len((await http.get("/")).body) == MIB
        await http.close()


async def test_a_gzip_bomb_is_refused_at_the_cap_and_fills_no_memory():
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(bytes(MIB)) for _ in range(256)) + bomb.flush()
    async with serve(answer(packed, Content_Encoding="gzip")) as server:
        http = Http(server.url, max_bytes=4 * MIB)
        await refused(Http("http://127.0.0.1:1"))  # so that loading httpx is not counted
        tracemalloc.start()
        error = await refused(http)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "is larger than 4 MiB" in str(error)
    assert peak < 12 * MIB


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (gzip.compress(b"a" * 1000)[:-9], "gzip", "ends in the middle"),
        (gzip.compress(b"a") + b"more", "gzip", "goes on after its end"),
        (b"not gzip at all", "gzip", "is not valid gzip"),
        (b"?", "br", "is in an encoding that was not asked for"),
        (b"?", "gzip, gzip", "is in an encoding that was not asked for"),
    ],
)
async def test_an_encoding_that_cannot_be_read_is_said(body, encoding, reason):
    async with serve(answer(body, Content_Encoding=encoding)) as server:
        error = await refused(Http(server.url))
    assert str(error) == f"the answer of {server.where} to /metrics {reason}"


@pytest.mark.parametrize(
    "silence",
    [
        then_hang(),
        then_hang(b"HTTP/1.1 200 OK\r\n"),
        then_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"),
        forever(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n", 0.02),
        forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", 0.02),
        forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
    ],
    ids=["nothing", "half a head", "half a body", "slow headers", "slow body", "endless interim answers"],
)
async def test_a_slow_server_is_given_up_at_the_deadline(silence):
    async with serve(silence) as server:
        error = await asyncio.wait_for(refused(Http(server.url, timeout_seconds=0.2)), 5)
    assert str(error) == f"{server.where} did not answer /metrics within 0.2 s"
    assert error.state is State.STALE


@pytest.mark.parametrize(
    "reply",
    [
        then_close(b""),
        then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"),
        then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        then_close(b"SSH-2.0-OpenSSH_9.2p1\r\nInvalid SSH identification string.\r\n"),
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
        forever(b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 4096),
    ],
    ids=["empty", "short", "cut chunk", "bad chunk", "ssh", "bad status", "negative", "two lengths", "endless header"],
)
async def test_a_broken_answer_is_refused_whole(reply):
    async with serve(reply) as server:
        error = await refused(Http(server.url))
    assert server.where in str(error)
    assert str(error).endswith("is broken off or not HTTP: is the port right?")
    assert error.state is State.DOWN


async def test_headers_beyond_64_kib_are_refused():
    async with serve(answer(b"", X_A="a" * 70_000)) as server:
        error = await refused(Http(server.url))
    assert str(error) == f"the answer of {server.where} to /metrics has headers of more than 64 KiB"


async def test_a_source_recovers_after_every_kind_of_failure():
    bad = [then_close(b""), b"junk\r\n\r\n", answer(b"", "500 Oops"), then_hang(b"HTTP/1.1 200 OK\r\n")]
    async with serve(*bad, answer(b"ok")) as server:
        http = Http(server.url, timeout_seconds=0.2)
        for _ in bad:
            with pytest.raises(Unavailable):
                await http.get("/metrics")
        assert (await http.get("/metrics")).body == b"ok"
        await http.close()

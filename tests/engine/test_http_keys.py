"""HTTP: where a connection, a redirect and a key may lead."""

import ssl
from pathlib import Path

import httpx
import pytest

from infertop.engine.http import Http
from infertop.engine.secrets import Secret, load_secret, redact
from tests.engine.servers import answer, mocked, refused, serve, then_close

PAYLOADS = Path(__file__).parent.parent / "payloads"

# Connections that cannot be made.


async def test_a_refused_connection_says_where_and_what_to_check():
    async with serve() as server:
        pass
    error = await refused(Http(server.url))
    assert str(error) == f"connection refused at {server.where}: is it running, and is the port right?"


async def test_a_name_that_does_not_resolve_is_said():
    error = await refused(Http("http://nowhere.invalid:8000"))
    assert str(error) == "the name of nowhere.invalid:8000 cannot be resolved: is it spelt right, and does DNS work?"


async def test_a_certificate_that_is_not_trusted_is_refused_with_its_reason():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PAYLOADS / "tls" / "self_signed.pem")
    async with serve(answer(b"secret"), tls=context) as server:
        error = await refused(Http(server.url.replace("http:", "https:"), key=Secret("sk-canary-tls")))
    assert str(error) == f"the TLS certificate of {server.where} is not accepted: self-signed certificate"
    assert server.requests == []


async def test_https_to_a_port_that_speaks_plain_http_is_said():
    async with serve(then_close(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        server.answers = (answer(b""),)
        error = await refused(Http(server.url.replace("http:", "https:"), timeout_seconds=1))
    assert server.where in str(error)


# Redirects and keys.


async def test_a_redirect_is_not_followed_and_the_other_host_sees_nothing():
    async with serve(answer(b"x")) as other:
        location = f"http://u:hunter2@{other.where}/take?token=abc"
        async with serve(answer(b"", "302 Found", Location=location)) as server:
            error = await refused(Http(server.url, key=Secret("sk-canary-redirect"), key_header="x-api-key"))
    assert other.connections == 0
    expected = f"http://***@{other.where}/take (HTTP 302), which is not followed: correct the url"
    assert str(error) == f"{server.where}/metrics redirects to {expected}"


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "http://169.254.169.254/latest", "\x1b]52;c;AA\x07"])
async def test_no_redirect_is_followed_wherever_it_leads(location):
    def handler(request):
        return httpx.Response(307, headers={"Location": location})

    error = await refused(mocked(handler))
    assert "is not followed" in str(error)
    assert str(error).isprintable()


async def test_a_key_is_sent_as_bearer_or_as_it_is():
    seen = []

    def handler(request):
        seen.append(request.headers.get("authorization") or request.headers.get("x-api-key"))
        return httpx.Response(200)

    await mocked(handler, key=Secret("sk-canary-1")).get("/a")
    await mocked(handler, key=Secret("sk-canary-1"), key_header="x-api-key").get("/a")
    assert seen == ["Bearer sk-canary-1", "sk-canary-1"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.8.8"])
async def test_a_key_may_go_over_plain_http_on_this_machine(host):
    http = mocked(lambda request: httpx.Response(200), f"http://{host}:4000", key=Secret("sk-canary-2"))
    assert (await http.get("/")).status == 200


@pytest.mark.parametrize("url", ["http://10.0.0.5:8000", "http://localhost.example.com", "http://127.0.0.1.nip.io"])
async def test_a_key_is_never_sent_over_plain_http_to_another_machine(url):
    asked = []
    error = await refused(mocked(asked.append, url, key=Secret("sk-canary-3")))
    assert "over plain http" in str(error)
    assert asked == []


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example.com/v1/x",
        "http://api.example.com/v1/x",
        "https://api.example.com:444/x",
        "https://api.example.com@evil.example.com/x",
        "ftp://api.example.com/x",
        "https://",
        "/a\r\nX-Injected: 1",
        "/ü",
    ],
)
async def test_a_next_page_elsewhere_is_refused_unasked(path):
    asked = []
    error = await refused(mocked(asked.append, key=Secret("sk-canary-4")), path)
    assert asked == []
    assert "canary" not in str(error)


async def test_a_path_cannot_become_a_host():
    hosts = []

    def handler(request):
        hosts.append(request.url.host)
        return httpx.Response(200)

    http = mocked(handler, "https://api.example.com")
    for path in ("//evil.example.com/x", "@evil.example.com/", ".evil.example.com/", ":80@evil.example.com"):
        await http.get(path)
    assert set(hosts) == {"api.example.com"}


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("127.0.0.1:8000", "begin with http:// or https://"),
        ("file:///etc/passwd", "begin with http:// or https://"),
        ("http://", "name a host"),
        ("http://user:hunter2@host/", "user name or password"),
        ("http://host:99999", "not valid"),
        ("http://host:0", "between 1 and 65535"),
        ("http://host/?api_key=hunter2", "what follows ?"),
        ("http://ho st", "blanks, control"),
        ("http://host\x1b[2J", "blanks, control"),
        ("http://[::1", "not valid"),
    ],
)
async def test_a_url_that_cannot_be_used_is_said_without_repeating_its_secrets(url, part):
    error = await refused(Http(url))
    assert part in str(error)
    assert "hunter2" not in str(error)
    assert str(error).isprintable()


# Keys that are replaced while infertop runs.


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_refused_is_read_anew_from_its_file(tmp_path, status):
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_text("sk-canary-first")
    asked = []

    def answer(request):
        asked.append(request.headers["authorization"])
        return httpx.Response(200 if asked[-1].endswith("second") else status, text="{}")

    http = mocked(answer, key=load_secret("", str(file)))
    error = await refused(http)
    assert error.status == status
    assert len(asked) == 1
    file.write_text("sk-canary-second\n")
    reply = await http.get("/metrics")
    assert reply.status == 200
    assert asked == ["Bearer sk-canary-first"] * 2 + ["Bearer sk-canary-second"]
    assert "second" not in redact("is sk-canary-second known")
    await http.close()


async def test_a_key_file_that_others_may_read_by_now_gives_no_key(tmp_path):
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_text("sk-canary-first")
    http = mocked(lambda _request: httpx.Response(401), key=load_secret("", str(file)))
    file.write_text("sk-canary-second")
    file.chmod(0o644)
    assert (await refused(http)).status == 401


def test_of_a_key_that_begins_as_another_does_nothing_is_left():
    Secret("canary-of-two")
    Secret("canary-of-two-and-more")
    assert redact("is canary-of-two-and-more known, and canary-of-two") == "is *** known, and ***"

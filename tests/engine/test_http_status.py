"""HTTP: what the statuses of an answer come to."""

import httpx
import pytest

from infertop.engine.collector import State
from infertop.engine.secrets import Secret
from tests.engine.servers import mocked, refused


def always(status: int, headers=None, **more):
    return lambda request: httpx.Response(status, headers=headers, **more)


async def test_401_without_a_key_says_to_set_one():
    error = await refused(mocked(always(401)))
    assert str(error) == "api.example.com:443 asks for a key (HTTP 401): set key_env or key_file"
    assert error.state is State.AUTH


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_accepted_is_shown_with_the_providers_reason_and_without_the_key(status):
    key = "sk-admin-canary-5"
    page = {"error": {"message": f"You have insufficient permissions. Key {key}. Missing scopes: api.usage.read"}}
    error = await refused(mocked(always(status, json=page), key=Secret(key)))
    assert error.state is State.AUTH
    assert "Missing scopes: api.usage.read" in str(error)
    assert "canary" not in str(error)


async def test_404_says_what_is_missing_where():
    error = await refused(mocked(always(404)), "/usage?key=hunter2")
    assert str(error) == "there is no /v1/usage at api.example.com:443 (HTTP 404): is the url right?"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "20"}, 20.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "-7"}, 1.0),
        ({"Retry-After": "1000000000"}, 3600.0),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2020 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({}, None),
    ],
)
async def test_429_names_the_time_to_wait_within_bounds(headers, seconds):
    error = await refused(mocked(always(429, headers)))
    assert error.retry_seconds == seconds
    assert "fewer requests" in str(error)


@pytest.mark.parametrize("status", [400, 418, 500, 502, 503])
async def test_other_statuses_are_said_with_the_path(status):
    error = await refused(mocked(always(status)), "/usage")
    assert str(error) == f"api.example.com:443 answers HTTP {status} to /v1/usage"
    assert error.state is State.DOWN


@pytest.mark.parametrize(
    "content",
    [b"{", b"[" * 100_000, b'{"error": 5}', b'{"error": {"message": []}}', b"null", b"\xff", b"<h1>Login</h1>"],
)
async def test_an_error_page_that_says_nothing_usable_is_left_out(content):
    error = await refused(mocked(always(500, {"Content-Type": "application/json"}, content=content)), "/x")
    assert str(error) == "api.example.com:443 answers HTTP 500 to /v1/x"


async def test_an_error_page_cannot_write_to_the_terminal_or_fill_it():
    page = {"error": {"message": "\x1b]52;c;SEFDSw==\x07\u202e" + "a" * 10_000}}
    error = await refused(mocked(always(500, json=page)))
    assert str(error).isprintable()
    assert len(str(error)) < 300

"""Keys: where they may come from, and that they never show."""

import logging
import pickle
import stat
import traceback

import httpx
import pytest

from infertop.engine.collector import State, Unavailable
from infertop.engine.http import Http
from infertop.engine.log import SafeFormatter, open_log
from infertop.engine.secrets import Secret, load_secret, redact
from tests.engine.servers import answer, mocked, serve, then_close, then_hang

CANARY = "canary-7f3a91c2e5"


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.write_text(f"{CANARY}\n")
    path.chmod(0o600)
    return path


def refusal(**named) -> str:
    with pytest.raises(Unavailable) as caught:
        load_secret(named.get("key_env", ""), named.get("key_file", ""), named.get("environ", {}))
    assert caught.value.state is State.AUTH
    assert CANARY not in str(caught.value)
    return str(caught.value)


def test_a_key_shows_as_stars_and_gives_itself_only_when_asked():
    secret = Secret(CANARY)
    assert f"{secret} {secret!r} {secret!s:>5} {[secret]}" == "*** ***   *** [***]"
    assert logging.LogRecord("a", 0, "", 0, "%s %r", (secret, secret), None).getMessage() == "*** ***"
    assert secret.reveal() == CANARY


def test_a_key_cannot_be_pickled():
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))


def test_without_a_name_there_is_no_key():
    assert load_secret("", "", {}) is None


def test_a_key_comes_from_the_environment_and_stays_there():
    environ = {"MY_KEY": f" {CANARY}\n"}
    secret = load_secret("MY_KEY", "", environ)
    assert secret.reveal() == CANARY
    assert "MY_KEY" in environ


def test_a_key_comes_from_a_private_file(key_file):
    assert load_secret("", str(key_file), {}).reveal() == CANARY


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused_with_the_command_that_mends_it(key_file, mode):
    key_file.chmod(mode)
    assert refusal(key_file=str(key_file)) == f"others can read the key file {key_file}: run `chmod 600 {key_file}`"


def test_what_is_missing_or_no_key_is_said(tmp_path, key_file):
    assert refusal(key_env="MY_KEY") == "the environment variable MY_KEY (key_env) is not set"
    assert "No such file or directory" in refusal(key_file=str(tmp_path / "none"))
    assert "is not a plain file" in refusal(key_file="/dev/null")
    assert "cannot be read" in refusal(key_file=str(tmp_path))
    key_file.write_text("")
    assert "is empty" in refusal(key_file=str(key_file))


@pytest.mark.parametrize(
    "text", [f"{CANARY}\nsecond", f"{CANARY} b", f"{CANARY}\x00", "ключ" + CANARY, CANARY + "a" * 5000]
)
def test_text_that_could_not_be_a_header_is_no_key(text, key_file):
    key_file.write_text(text)
    assert "does not hold a key" in refusal(key_file=str(key_file))


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.def-123",
        "sk-ant-admin01-XyZ_123456",
        "key=AIzaSyA1234567890abcdef",
        "http://user:pa55word@host/path",
        "gsk_abcdefgh1234",
        "Incorrect API key provided: sk-ab******wxyz.",
    ],
)
def test_whatever_looks_like_a_key_is_redacted(text):
    shown = redact(text)
    assert "***" in shown
    assert not any(part in shown for part in ("abc.def", "XyZ", "SyA123", "pa55", "abcdefgh", "wxyz"))


@pytest.mark.parametrize(
    "text", ["task-forces and disk-usage", "http://host:80/a@b", "basic idea", "vllm@127.0.0.1:8000"]
)
def test_ordinary_text_is_left_as_it_is(text):
    assert redact(text) == text


def log_of(error: BaseException) -> str:
    record = logging.LogRecord("infertop", logging.ERROR, __file__, 1, "poll failed", (), (type(error), error, None))
    return SafeFormatter().format(record)


def test_the_log_shows_neither_keys_nor_escape_codes_nor_tracebacks_with_them(tmp_path):
    secret = Secret(CANARY)
    handler = open_log(tmp_path / "infertop.log")
    try:
        logging.getLogger("infertop.test").error("key %s \x1b]0;title\x07", secret.reveal())
        logging.getLogger("infertop.test").error("bug", exc_info=ValueError(f"bad {CANARY} \x9b2J"))
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    text = (tmp_path / "infertop.log").read_text()
    assert CANARY not in text
    assert "key *** " in text
    assert "ValueError: bad ***" in text
    assert all(line.isprintable() for line in text.splitlines())
    assert stat.S_IMODE((tmp_path / "infertop.log").stat().st_mode) == 0o600


async def test_httpx_does_not_log_urls():
    async with serve(answer(b"")) as server:
        http = Http(server.url)
        await http.get("/")
        await http.close()
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
    assert not logging.getLogger("httpcore").isEnabledFor(logging.DEBUG)


FAILURES = {
    "refused": then_close(b""),
    "silence": then_hang(),
    "echoed": answer(b'{"error": {"message": "bad key ' + CANARY.encode() + b'"}}', "401 No", Content_Type="text/json"),
    "redirect": answer(b"", "302 Found", Location=f"http://127.0.0.1:1/{CANARY}?k={CANARY}"),
    "broken": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "server error": answer(CANARY.encode(), "500 Oops"),
}


def every_form(error: BaseException, http: Http) -> str:
    """All that could reach a screen, a log or a crash report, local variables included."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join((str(error), repr(error), repr(http), str(vars(http)), log_of(error), *trace.format()))


@pytest.mark.parametrize("failure", FAILURES)
async def test_no_failure_shows_the_key(failure, caplog):
    caplog.set_level(logging.DEBUG)
    async with serve(FAILURES[failure]) as server:
        http = Http(server.url, key=Secret(CANARY), timeout_seconds=0.3)
        with pytest.raises(Unavailable) as caught:
            await http.get("/usage")
        await http.close()
    assert CANARY in server.requests[0].decode()
    assert CANARY not in every_form(caught.value, http)
    assert CANARY not in caplog.text


async def test_a_key_that_cannot_be_a_header_is_not_shown_either():
    def handler(request):
        raise httpx.LocalProtocolError(f"Illegal header value b'{request.headers['x-api-key']}'")

    http = mocked(handler, key=Secret(CANARY), key_header="x-api-key")
    with pytest.raises(Unavailable) as caught:
        await http.get("/usage")
    assert CANARY not in every_form(caught.value, http)

"""A key that was handed over is sent to the server it is for, and stands nowhere else."""

import signal

import pytest

from tests.acceptance.hostile import says, serving, whole
from tests.acceptance.program import Program, stop
from tests.acceptance.replayed import recording, replaying, wait_for
from tests.acceptance.screen import on_screen

CANARY = "canary-0123456789-abcdef"
PAGES = recording("vllm/0.32.0.jsonl.gz", stride=20)
PRICING = """\
[[source]]
kind = "vllm"
name = "echoing"
url = "{}"
key_env = "ENGINE_KEY"
[[source]]
kind = "vllm"
name = "good"
url = "{}"
key_file = "{}"
[[source]]
kind = "openai"
key_env = "OPENAI_ADMIN_KEY"
"""


@pytest.fixture
def infertop(tmp_path):
    return Program(tmp_path, {"ENGINE_KEY": CANARY, "OPENAI_ADMIN_KEY": CANARY[::-1]})


def everything_written(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "key")


def test_a_key_is_in_no_output_no_log_and_no_database(infertop):
    key = infertop.folder / "key"
    key.write_text(CANARY + "\n")
    key.chmod(0o600)
    asked = []
    complaint = whole(b'{"error": {"message": "Incorrect key %s"}}' % CANARY.encode(), "401 Unauthorized",
                      "Content-Type: application/json")  # fmt: skip
    with serving(says(complaint), asked) as url, replaying(PAGES) as server:
        (infertop.folder / "prices.toml").write_text(PRICING.format(url, server.url, key))
        words = ("--pricing", "prices.toml")
        said = infertop.folder / "said"
        with said.open("w") as errors:
            process = infertop.record(*words, stderr=errors)
            server.wait_until_served(5, process)
            wait_for(lambda: any(CANARY.encode() in head for head in asked))
            assert stop(process, signal.SIGTERM)[0] == 0
        written = ""
        for command in (("--once", "--json"), ("--once",), ("check",), ("report",)):
            done = infertop.run(*command, *infertop.read, *words)
            written += done.stdout + done.stderr
        with on_screen(infertop, *infertop.read, *words) as screen:
            screen.shows("echoing", "does not accept the key")
            assert screen.leave() == 0
        shown = bytes(screen.out)
    assert "does not accept the key (HTTP 401)" in written
    for secret in (CANARY, CANARY[::-1]):
        assert secret not in written
        assert secret.encode() not in shown
        assert secret.encode() not in everything_written(infertop.folder)


def test_a_key_that_is_not_there_is_said_and_the_others_go_on(infertop):
    with replaying(PAGES) as server:
        text = '[[source]]\nkind = "vllm"\nname = "{}"\nurl = "{}"\n{}\n'
        (infertop.folder / "prices.toml").write_text(
            text.format("keyless", server.url, 'key_env = "NOT_SET"') + text.format("good", server.url, "")
        )
        reading = infertop.once("--pricing", "prices.toml")
    rows = {row["name"]: row for row in reading["sources"]}
    assert (rows["good"]["state"], rows["keyless"]["state"]) == ("up", "auth")
    assert "the environment variable NOT_SET (key_env) is not set" in rows["keyless"]["detail"]


def test_a_key_file_that_others_can_read_is_refused_with_what_to_do(infertop):
    key = infertop.folder / "key"
    key.write_text(CANARY)
    key.chmod(0o644)
    asked = []
    with serving(says(whole(b"")), asked) as url:
        (infertop.folder / "prices.toml").write_text(
            f'[[source]]\nkind = "vllm"\nname = "a"\nurl = "{url}"\nkey_file = "{key}"\n'
        )
        reading = infertop.once("--pricing", "prices.toml")
    (row,) = [row for row in reading["sources"] if row["name"] == "a"]
    assert (row["state"], "chmod 600" in row["detail"]) == ("auth", True)
    assert not any(CANARY.encode() in head for head in asked)

"""pricing.toml and the command line: every mistake is said at once, and later ones change nothing but what is shown."""

import os
import signal

import pytest

from tests.acceptance.program import stop
from tests.acceptance.replayed import recording, replaying, wait_for
from tests.acceptance.screen import on_screen

PAGES = recording("vllm/0.32.0.jsonl.gz", stride=20)[2:]
WRONG = """\
timezone = "Europe/Berlni"
[host]
usd_per_hour = -1
[gpu."H100"]
usd_per_hour = nan
usd_per_huor = 2
[[budget]]
name = "all"
limit_usd = "much"
period = "fortnight"
[model."gpt-4o"]
input = 1e308
[[source]]
kind = "vlm"
url = "http://127.0.0.1:8000"
"""


def write(infertop, text):
    """Replace the file as an editor does."""
    path = infertop.folder / "prices.toml"
    path.with_suffix(".new").write_text(text)
    os.replace(path.with_suffix(".new"), path)


@pytest.mark.parametrize("words", [("--once", "--json"), ("record", "--for", "1"), ("report",), ()])
def test_every_mistake_is_said_with_its_line_and_the_program_ends_with_status_2(infertop, words):
    write(infertop, WRONG)
    done = infertop.run(*words, "--pricing", "prices.toml")
    assert (done.returncode, done.stdout) == (2, "")
    for line, word in ((1, "timezone"), (3, "usd_per_hour"), (5, "usd_per_hour"), (6, "usd_per_huor")):
        assert any(f"prices.toml:{line}:" in each and word in each for each in done.stderr.splitlines()), done.stderr
    for line, word in ((9, "limit_usd"), (10, "period"), (12, "input"), (14, "kind")):
        assert any(f"prices.toml:{line}:" in each and word in each for each in done.stderr.splitlines()), done.stderr
    assert "usd_per_hour" in next(each for each in done.stderr.splitlines() if "usd_per_huor" in each)
    assert "Traceback" not in done.stderr
    assert not infertop.database.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[host\nusd_per_hour = 1\n", "prices.toml:1:"),
        (b"a = 1\na = 2\n", "prices.toml:2:"),
        (b"\xff\xfe\x00", "prices.toml"),
        (b'["\\u001b]52;c;aGk=\\u0007"]\nx = 1\n', "prices.toml:1:"),
        (b"x = " + b"[" * 5000 + b"\n", "prices.toml"),
        (None, "prices.toml"),
    ],
    ids=["syntax", "twice", "not text", "escape codes", "deep", "no file"],
)
def test_a_file_that_is_no_configuration_ends_it_in_a_sentence(infertop, content, said):
    if content is not None:
        (infertop.folder / "prices.toml").write_bytes(content)
    done = infertop.run("--once", "--json", "--pricing", "prices.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(ch for ch in done.stderr if not ch.isprintable() and ch != "\n")


@pytest.mark.parametrize(
    "words",
    [
        ("--source", "vllm"),
        ("--source", "vlm=http://127.0.0.1:1"),
        ("--source", "vllm=ftp://127.0.0.1:1"),
        ("--source", "vllm=http://user:secret@127.0.0.1:1"),
        ("--source", "a b=vllm=http://127.0.0.1:1"),
        ("--interval", "0"),
        ("--db-limit", "much"),
        ("--no-such-option",),
        ("record", "--for", "-1"),
        ("report", "--by", "colour"),
        ("report", "--since", "yesterdya"),
        ("--json",),
        ("--demo", "record"),
    ],
)
def test_wrong_use_ends_it_with_status_2_and_a_sentence(infertop, words):
    command = words if words[0] in ("record", "report", "--json", "--demo") else (*words, "--once")
    done = infertop.run(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


HOST = "[host]\nusd_per_hour = {}\n"


def test_a_mistake_made_while_it_records_is_said_and_the_prices_from_before_stay(infertop):
    write(infertop, HOST.format(3600))
    said = infertop.folder / "said"
    with replaying(PAGES) as server, said.open("w") as errors:
        process = infertop.record("--pricing", "prices.toml", "--source", f"vllm={server.url}", stderr=errors)
        wait_for(lambda: "recording" in said.read_text())
        write(infertop, HOST.format('"dear"'))
        wait_for(lambda: "prices.toml:2: host.usd_per_hour must be a number" in said.read_text())
        server.wait_until_ended(process)
        write(infertop, HOST.format(3600))
        assert stop(process, signal.SIGTERM)[0] == 0
    assert said.read_text().count("prices.toml:2:") == 1
    (row,) = [row for row in infertop.report("--pricing", "prices.toml") if row["model"] == "tiny-llama"]
    assert row["usd"] > 0.5


def test_a_mistake_made_while_the_screen_runs_is_shown_until_it_is_mended(infertop):
    write(infertop, HOST.format(3600))
    with (
        replaying(PAGES) as server,
        on_screen(infertop, *infertop.read, "--pricing", "prices.toml", "--source", f"vllm={server.url}") as screen,
    ):
        screen.shows("tiny-llama", "3 600")
        write(infertop, HOST.format(-5))
        screen.shows("prices.toml:2:", "3 600")
        write(infertop, HOST.format(7200))
        screen.shows("7 200")
        assert screen.leave() == 0


FOREIGN = """\
[host]
usd_per_hour = 1
[[source]]
kind = "vllm"
name = "spy"
url = "http://192.0.2.7:8000"
[[source]]
kind = "openai"
key_env = "SOME_KEY"
"""


def test_of_a_file_in_the_folder_one_happens_to_be_in_only_harmless_things_are_taken(infertop):
    (infertop.folder / "pricing.toml").write_text(FOREIGN)
    done = infertop.run("--once", *infertop.read)
    assert done.returncode == 0
    assert done.stderr.count("pricing.toml") >= 2
    reading = infertop.once()
    assert {row["name"] for row in reading["sources"]} == {"nvml", "host"}
    assert reading["usd_per_hour"]["host"] == 1

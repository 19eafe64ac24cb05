"""Names with markup, escape codes, bidi characters and great lengths: shown for what they are, and nothing happens."""

import csv
import io
import signal

import pytest

from tests.acceptance.program import Program, stop
from tests.acceptance.replayed import replaying
from tests.acceptance.screen import ESCAPE, on_screen

CLIPBOARD, CLEAR, TITLE = "\x1b]52;c;aGk=\x07", "\x1b[2J\x1b[H", "\x1b]0;pwned\x07"
NAMES = [
    "[red]x[/]",
    "[/]",
    "[link=http://evil]y",
    f"a{CLIPBOARD}b",
    f"c{CLEAR}d",
    f"e{TITLE}f",
    "\x9b31mC1",
    "\u202egnp.exe\u202c",
    "zero\u200bwidth\ufeff",
    "大模型-七十億",
    "👩‍👩‍👧",
    'quote"back\\slash\nline',
    "=cmd|' /C calc'!A0",
    "${HOME}",
    "x" * 500,
]
COUNTERS = ("generation_tokens_total", "prompt_tokens_total", "request_params_n_count")


def page(step):
    quoted = [name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name in NAMES]
    samples = [f'{counter}{{model_name="{name}"}}' for counter in COUNTERS for name in quoted]
    return "".join(f"vllm:{sample} {(n + 1) * step}\n" for n, sample in enumerate(samples))


@pytest.fixture
def infertop(tmp_path):
    (tmp_path / "prices.toml").write_text("[host]\nusd_per_hour = 0.4\n")
    program = Program(tmp_path)
    program.read += ("--pricing", "prices.toml")
    return program


@pytest.fixture
def engine():
    with replaying([page(step) for step in range(1, 400)]) as server:
        yield server


def is_plain(text):
    return all(ch.isprintable() or ch in "\n" for ch in text)


def test_json_has_them_as_they_were_sent_and_text_has_nothing_that_acts(infertop, engine):
    words = (*infertop.read, "--source", f"vllm={engine.url}")
    done = infertop.run("--once", "--json", *words)
    assert is_plain(done.stdout + done.stderr)
    assert {row["model"] for row in infertop.once("--source", f"vllm={engine.url}")["models"]} == set(NAMES)
    text = infertop.run("--once", *words)
    assert is_plain(text.stdout + text.stderr)
    for shown in ("[red]x[/]", "[/]", "a\ufffd]52;c;aGk=\ufffdb", "大模型-七十億", "=cmd"):
        assert shown in text.stdout
    check = infertop.run("check", *words)
    assert is_plain(check.stdout + check.stderr)


def test_reports_have_them_as_rows_of_their_own(infertop, engine):
    process = infertop.record("--source", f"vllm={engine.url}")
    engine.wait_until_served(4, process)
    assert stop(process, signal.SIGTERM)[0] == 0
    assert {row["model"] for row in infertop.report()} == set(NAMES)
    for form in ("table", "csv"):
        done = infertop.run("report", "--format", form)
        assert is_plain(done.stdout), form
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == len(NAMES)
    assert not any(row["model"].startswith(("=", "+", "-", "@")) for row in rows)


def test_the_screen_shows_them_and_sends_nothing_but_its_own_sequences(infertop, engine):
    with on_screen(infertop, *infertop.read, "--source", f"vllm={engine.url}") as screen:
        screen.shows("[red]x[/]", "[/]", "$")
        for keys, there in (("2", "[red]x[/]"), ("\r", "models ›"), ("?", "explained")):
            screen.press(keys)
            screen.shows(there)
        screen.press("\x1b")
        screen.until(lambda: "explained" not in screen.text and "LATENCY" in screen.text)
        screen.press("\x1b")
        screen.until(lambda: "LATENCY" not in screen.text and "[red]x[/]" in screen.text)
        screen.press("/[red]x[\r")
        screen.until(lambda: "[red]x[/]" in screen.text and "${HOME}" not in screen.text)
        assert screen.leave() == 0
    strings = {found[0] for found in ESCAPE.finditer(bytes(screen.out)) if found[0][1:2] in b"]P^_X"}
    assert {each for each in strings if not each.startswith(b"\x1b]22;")} == set()  # 22 is the mouse pointer's shape
    assert b"\x1b[2J\x1b[H" not in screen.out
    assert not any((ord(ch) < 32 and ch not in "\r\n") or 0x7F <= ord(ch) < 0xA0 for ch in screen.printed)
    assert not any(ch in screen.printed for ch in "\u202e\u202c\u200b\u200d\ufeff")

"""The program in a terminal: partial repaints, what reaches the terminal, and how it leaves."""

import os
import re
import signal
import time

import pytest

from tests.tui.emulator import ESCAPE, Terminal

SGR = re.compile(rb"\x1b\[([0-9;]*)m")
MODES = (b"1049", b"1000", b"1002", b"1003", b"1004", b"1006", b"2004")


@pytest.fixture
def start():
    opened = []

    def open_terminal(*words, **options):
        terminal = Terminal(*words, **options)
        opened.append(terminal)
        assert terminal.read(lambda: "q quit" in terminal.text), terminal.text
        return terminal

    yield open_terminal
    for terminal in opened:
        try:
            os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def in_full(terminal: Terminal) -> list:
    """The cells after a repaint of the whole screen, from a blank one."""
    terminal.screen.reset()
    terminal.press("\x0c")
    terminal.settle()
    return terminal.cells


@pytest.mark.parametrize("view", ["rich", "hostile"])
def test_partial_repaints_show_what_a_full_one_does(start, view):
    terminal = start(view)
    terminal.settle(seconds=2.5)
    for keys in (
        "jj",
        "\t",
        "s",
        "g",
        "2",
        "/a",
        "\r",
        "5",
        "j",
        "6",
        "1",
        "?",
        "jjj",
        "\x1b",
        "\x1b",
        "w",
        "G",
        "k",
        "l",
        "/mo",
        "\r",
    ):
        terminal.press(keys)
        terminal.settle(0.1, 0.3)
    for columns, rows in ((140, 40), (60, 15), (100, 30)):
        terminal.resize(columns, rows)
        terminal.settle(0.2, 0.6)
    terminal.read(lambda: False, 1.2)
    terminal.press(" ")
    terminal.settle()
    by_parts = terminal.cells
    whole = in_full(terminal)
    differing = [(y, x) for y, row in enumerate(whole) for x, cell in enumerate(row) if cell != by_parts[y][x]]
    assert differing == []


@pytest.mark.parametrize(
    ("view", "pressed"),
    [
        ("hostile", ("\r", "?", "\x1b", "\x1b", "3", "jj", "4", "5", "j", "6", "2", "g", "\r", "1")),
        ("hostile incidents", ("6", "j", "\r", "?", "\x1b", "j", "a", "P", "c", "lt+", "\x1b", "\x1b", "1", "c")),
    ],
)
def test_nothing_reaches_the_terminal_that_is_not_plain_drawing(start, view, pressed):
    terminal = start(view, columns=140, rows=40)
    for keys in pressed:
        terminal.press(keys)
        terminal.settle(0.1, 0.3)
    strings = [found[0] for found in ESCAPE.finditer(bytes(terminal.out)) if found[0][1:2] in b"]P^_X"]
    assert [each for each in strings if not each.startswith(b"\x1b]22;")] == []
    text = ESCAPE.sub(b"", bytes(terminal.out)).decode()
    assert not any((ord(ch) < 32 and ch not in "\r\n") or 0x7F <= ord(ch) < 0xA0 for ch in text)
    assert not any(ch in text for ch in "\u202e\u200b\u200d\ufeff")


@pytest.mark.parametrize(
    ("words", "environ"),
    [((), {"NO_COLOR": "1"}), (("--no-color",), {}), ((), {"NO_COLOR": "1", "COLORTERM": "truecolor"})],
)
def test_without_colour_no_colour_code_is_sent(start, words, environ):
    terminal = start("rich", *words, columns=140, rows=40, **environ)
    terminal.press("\r")
    terminal.settle(0.2, 1.0)
    codes = {int(code) for found in SGR.finditer(bytes(terminal.out)) for code in found[1].split(b";") if code}
    assert codes <= {0, 1, 2, 4, 7}


@pytest.mark.parametrize(
    "environ", [{"TERM": "dumb"}, {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_where_only_ascii_can_be_shown_only_ascii_is_sent(start, environ):
    terminal = start("hostile", columns=140, rows=40, **environ)
    terminal.press("?")
    terminal.settle(0.2, 1.0)
    assert bytes(terminal.out).isascii()


def test_a_dumb_terminal_is_sent_no_attributes(start):
    terminal = start("rich", TERM="dumb")
    terminal.settle(0.2, 1.5)
    assert {found[1] for found in SGR.finditer(bytes(terminal.out))} <= {b"0"}


def test_sixteen_colour_terminals_get_their_own_colours(start):
    terminal = start("rich", columns=140, rows=40, TERM="xterm")
    assert b"38;5" not in terminal.out
    assert b"38;2" not in terminal.out


def test_a_tick_sends_little(start):
    terminal = start("rich", columns=160, rows=45)
    terminal.settle(0.3, 2)
    before, began = len(terminal.out), time.monotonic()
    terminal.read(lambda: False, 2.5)
    assert (len(terminal.out) - before) / (time.monotonic() - began) < 8_000


@pytest.mark.parametrize(
    ("leave", "status"),
    [("q", 0), ("\x03", 0), (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["q", "ctrl+c", "SIGINT", "SIGTERM", "SIGHUP"],
)
def test_whatever_ends_it_the_terminal_is_itself_again(start, leave, status):
    terminal = start("rich")
    if isinstance(leave, str):
        terminal.press(leave)
    else:
        terminal.send(leave)
    assert terminal.close() == status
    out = bytes(terminal.out)
    assert [mode for mode in MODES if out.rfind(b"?" + mode + b"h") > out.rfind(b"?" + mode + b"l")] == []
    assert out.rfind(b"\x1b[?25h") > out.rfind(b"\x1b[?25l")


@pytest.mark.parametrize("words", ["crash", "broken"])
def test_a_crash_restores_the_terminal_and_leaves_one_line(start, words, tmp_path):
    terminal = start(words, XDG_STATE_HOME=str(tmp_path))
    assert terminal.close() == 1
    after = bytes(terminal.out).rpartition(b"\x1b[?1049l")[2]
    said = ESCAPE.sub(b"", after).decode().strip()
    assert said.startswith("infertop: it crashed: RuntimeError: the ")
    assert "\n" not in said
    assert b"canary" not in terminal.out
    (report,) = tmp_path.rglob("crash-*.txt")
    assert str(report) in said


def test_without_the_mouse_no_mouse_mode_is_turned_on(start):
    terminal = start("rich", "--no-mouse")
    assert b"\x1b[?1000h" not in terminal.out
    assert b"\x1b[?1003h" not in terminal.out


def test_a_terminal_that_nobody_reads_does_not_stop_the_feed(start, tmp_path):
    place = tmp_path / "ticks"
    terminal = start("rich", columns=200, rows=60, INFERTOP_TEST_TICKS=str(place))
    time.sleep(4.0)
    before = len(place.read_bytes())
    time.sleep(1.0)
    assert len(place.read_bytes()) > before
    terminal.press("q")
    assert terminal.close() == 0

import pytest

from infertop.engine.secrets import Secret
from tui import crash, terminal
from tui.themes import Shades


@pytest.mark.parametrize(
    ("environ", "shades"),
    [
        ({"TERM": "xterm-256color"}, Shades.COLOUR),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, Shades.COLOUR),
        ({"TERM": "tmux-256color"}, Shades.COLOUR),
        ({"TERM": "xterm"}, Shades.ANSI),
        ({"TERM": "linux"}, Shades.ANSI),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, Shades.MONO),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, Shades.COLOUR),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, Shades.BARE),
        ({}, Shades.BARE),
    ],
)
def test_colours_follow_the_terminal(environ, shades):
    assert terminal.shades(environ) is shades


def test_the_option_takes_colour_away():
    assert terminal.shades({"TERM": "xterm-256color"}, color=False) is Shades.MONO


@pytest.mark.parametrize(
    ("environ", "encoding", "ascii"),
    [
        ({"TERM": "xterm"}, "UTF-8", False),
        ({"TERM": "xterm"}, "utf8", False),
        ({"TERM": "xterm"}, "ANSI_X3.4-1968", True),
        ({"TERM": "xterm"}, "ISO-8859-1", True),
        ({"TERM": "dumb"}, "UTF-8", True),
    ],
)
def test_ascii_is_used_where_the_locale_or_the_terminal_has_nothing_else(environ, encoding, ascii):
    assert terminal.needs_ascii(environ, encoding) is ascii


def failing() -> None:
    key = "sk-canary-0123456789"
    raise ValueError(f"no view\x1b[2J ({len(key)})")


def test_a_crash_report_names_its_file_and_holds_no_local_variable(tmp_path):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the error is what is reported
        failing()
    sentence = crash.report(caught.value, tmp_path / "log")
    (place,) = (tmp_path / "log").iterdir()
    assert str(place) in sentence
    assert "\x1b" not in sentence
    assert place.stat().st_mode & 0o777 == 0o600
    written = place.read_text()
    assert "failing" in written
    assert "canary" not in written.replace('key = "sk-canary-0123456789"', "")


def test_a_report_that_cannot_be_written_still_says_what_happened(tmp_path):
    (tmp_path / "log").write_text("a file in the way")
    sentence = crash.report(ValueError("no view"), tmp_path / "log")
    assert sentence == "infertop: it crashed: ValueError: no view (no report could be written: File exists)"


def test_a_crash_report_holds_no_key_that_the_error_itself_tells(tmp_path):
    told = Secret("told-canary-0123456789")
    try:
        try:
            raise ValueError(f"Illegal header value b'Bearer {told.reveal()}'")
        except ValueError as cause:
            raise RuntimeError(f"asked with {told.reveal()} and sk-ant-admin01-other-canary") from cause
    except RuntimeError as error:
        sentence = crash.report(error, tmp_path / "log")
    (place,) = (tmp_path / "log").iterdir()
    text = place.read_text()
    assert "Illegal header value" in text
    assert "asked with ***" in sentence
    for canary in ("told-canary-0123456789", "sk-ant-admin01-other-canary"):
        assert canary not in sentence + text

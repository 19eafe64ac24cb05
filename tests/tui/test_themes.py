import pytest
from rich.color import ColorSystem
from textual.strip import Strip

from tests.tui.sample import HOSTILE_NAMES
from tui.look import Look
from tui.themes import (
    ACCENT,
    ALARM,
    BADGE,
    BOLD,
    DIM,
    HEAD,
    HEAD_STRONG,
    OK,
    OTHER,
    PLAIN,
    WARN,
    Shades,
    layers,
    series,
    style_of,
)
from tui.widgets.cells import FILL, Row, cells

NAMED = (PLAIN, BOLD, DIM, HEAD, HEAD_STRONG, ACCENT, OK, WARN, ALARM, BADGE)
LETTERS = (
    *NAMED,
    *(series(n) for n in range(OTHER + 1)),
    *(layers(a, b) for a in range(OTHER + 1) for b in (None, *range(OTHER + 1))),
)


def codes(letter: str, shades: Shades) -> list[int]:
    ansi = Strip.render_ansi(style_of(letter, shades), ColorSystem.EIGHT_BIT)
    return [int(code) for code in ansi.split(";") if code]


def luminance(red: int, green: int, blue: int) -> float:
    parts = [c / 255 / 12.92 if c / 255 <= 0.03928 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(letter: str, background: tuple[int, int, int]) -> float:
    triplet = style_of(letter, Shades.COLOUR).color.get_truecolor()
    light, dark = sorted((luminance(*triplet), luminance(*background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("letter", [OK, WARN, ALARM, ACCENT, *(series(n) for n in range(OTHER + 1))])
def test_every_colour_is_legible_on_black_and_on_white(letter):
    assert contrast(letter, (0, 0, 0)) >= 2.6
    assert contrast(letter, (255, 255, 255)) >= 2.6


def test_letters_are_one_character_and_differ():
    assert all(len(letter) == 1 for letter in LETTERS)
    assert len(set(LETTERS)) == len(LETTERS)


@pytest.mark.parametrize("letter", LETTERS)
def test_without_colour_no_colour_code_is_made(letter):
    assert all(code < 30 for code in codes(letter, Shades.MONO))
    assert codes(letter, Shades.BARE) == []


@pytest.mark.parametrize("letter", LETTERS)
def test_sixteen_colours_take_nothing_but_the_terminals_own(letter):
    assert all(code < 10 or 30 <= code <= 47 or 90 <= code <= 107 for code in codes(letter, Shades.ANSI))


@pytest.mark.parametrize("letter", NAMED)
def test_text_has_no_background_of_its_own(letter):
    assert style_of(letter, Shades.COLOUR).bgcolor is None


def test_a_series_keeps_its_colour_and_those_beyond_the_last_share_one():
    look = Look()
    numbers = [look.colour(f"model {n}") for n in range(12)]
    assert numbers[:OTHER] == list(range(OTHER))
    assert set(numbers[OTHER:]) == {OTHER}
    assert look.colour("model 3") == 3


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "▁▂▃▄▅▆▇█━╸▌▲▼●○◌×›→…·⏎␣■", "6 240 ±310"])
def test_ascii_is_ascii_and_moves_nothing(name):
    text = cells(name)
    row = Look(ascii=True).finish(Row(text, " " * len(text)))
    assert row.text.isascii()
    assert len(row.text) == len(text)
    assert FILL not in row.text


def test_a_range_keeps_its_sign_in_ascii():
    assert Look(ascii=True).finish(Row("6 240 ±310", " " * 10)).text == "6 240+-310"


def test_what_slips_past_the_cells_is_still_stopped_at_the_end():
    assert Look().finish(Row("a\x1b[2Jb", "      ")).text == "a?[2Jb"

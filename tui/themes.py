"""What a style letter looks like, by what the terminal can show.

Nothing assumes a background: text keeps the terminal's own colours, and the few colours used are legible on black and
on white. Without colour, weight, underline and glyphs still say everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from rich.color import Color
from rich.style import Style

PLAIN, BOLD, DIM, HEAD, HEAD_STRONG = " ", "b", "d", "h", "H"
ACCENT, OK, WARN, ALARM, BADGE = "a", "g", "w", "r", "i"
OTHER = 8
"""The number of the series in which all that have no colour of their own are summed."""
_LAYERS, _NOTHING = 0x100, 0xF


def series(number: int) -> str:
    """Return the letter of text in the colour of series `number`."""
    return str(number)


def layers(lower: int, upper: int | None) -> str:
    """Return the letter of a block whose lower part is series `lower`, with `upper` (or nothing) above it."""
    return chr(_LAYERS + lower * 16 + (_NOTHING if upper is None else upper))


class Shades(Enum):
    """How much a terminal can show."""

    COLOUR = "256 colours"
    ANSI = "16 colours"
    MONO = "no colour, but bold and underlined text"
    BARE = "text alone"


@dataclass(frozen=True, slots=True)
class _Inks:
    accent: str
    ok: str
    warn: str
    alarm: str
    series: tuple[str, ...]


def _numbered(*colours: int) -> tuple[str, ...]:
    return tuple(f"color({colour})" for colour in colours)


# Mid tones: at least 2.6 to 1 against black and against white (tests/tui/test_themes.py).
_INKS = {
    Shades.COLOUR: _Inks(
        "color(69)", "color(71)", "color(172)", "color(203)", _numbered(68, 134, 37, 172, 71, 168, 99, 137, 244)
    ),
    Shades.ANSI: _Inks(
        "blue",
        "green",
        "yellow",
        "red",
        ("blue", "magenta", "cyan", "yellow", "green", "bright_blue", "bright_magenta", "bright_cyan", "bright_black"),
    ),
}
_ATTRIBUTES = {
    PLAIN: Style(),
    BOLD: Style(bold=True),
    DIM: Style(dim=True),
    HEAD: Style(dim=True, underline=True),
    HEAD_STRONG: Style(bold=True, underline=True),
    ACCENT: Style(bold=True),
    OK: Style(),
    WARN: Style(),
    ALARM: Style(bold=True),
    BADGE: Style(bold=True, reverse=True),
}


@lru_cache(maxsize=1024)
def style_of(letter: str, shades: Shades) -> Style:
    """Return the style of one letter."""
    if shades is Shades.BARE:
        return Style()
    attributes = _ATTRIBUTES.get(letter, Style())
    inks = _INKS.get(shades)
    return attributes + _coloured(letter, inks) if inks else attributes


def _coloured(letter: str, inks: _Inks) -> Style:
    code = ord(letter)
    if code >= _LAYERS:
        lower, upper = divmod(code - _LAYERS, 16)
        above = None if upper == _NOTHING else Color.parse(inks.series[upper])
        return Style(color=Color.parse(inks.series[lower]), bgcolor=above)
    if letter.isdigit():
        return Style(color=Color.parse(inks.series[int(letter)]))
    named = {ACCENT: inks.accent, OK: inks.ok, WARN: inks.warn, ALARM: inks.alarm}.get(letter)
    return Style(color=Color.parse(named)) if named else Style()

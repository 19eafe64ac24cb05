"""How things are drawn on this terminal: its shades, its characters, and which series has which colour."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.themes import DIM, OTHER, Shades, series
from tui.widgets.cells import FILL, Row

# One character for one, so that nothing moves.
_ASCII = str.maketrans(
    {
        **dict(zip("▁▂▃▄▅▆▇█", "_.-~=+*#", strict=True)),
        **dict(zip("▏▎▍▌▐▉", "|||>>#", strict=True)),
        **dict(zip("━╸─│├┤┼", "=--|+++", strict=True)),
        **dict(zip("▲▼▴▾●○◌×›→←…·±⏎␣⇧■□°↓↑", "^v^v*o.x>><~.~<_^##'v^", strict=True)),
    }
)


@dataclass(slots=True)
class Look:
    """`colours` fills as series appear: each keeps its colour as long as the program runs."""

    shades: Shades = Shades.COLOUR
    ascii: bool = False
    colours: dict[str, int] = field(default_factory=dict)

    @property
    def coloured(self) -> bool:
        """Whether series can be told apart by colour."""
        return self.shades in (Shades.COLOUR, Shades.ANSI)

    def colour(self, name: str) -> int:
        """Return the number of the colour of the series `name`; from the ninth on they share one."""
        number = self.colours.setdefault(name, len(self.colours))
        return min(number, OTHER)

    def letter(self, name: str) -> str:
        """Return the style letter of the series `name`; without colour a quiet one that drowns no figures."""
        return series(self.colour(name)) if self.coloured else DIM

    def finish(self, row: Row) -> Row:
        """Return a row as this terminal can show it: ASCII alone where it must be, and nothing that does not print."""
        text = row.text
        if self.ascii and not text.isascii():
            text = text.replace(" ±", "+-").translate(_ASCII)
            text = "".join(ch if ch.isascii() and ch != FILL else "?" for ch in text)
        if not text.replace(FILL, "").isprintable():
            text = "".join(ch if ch.isprintable() or ch == FILL else "?" for ch in text)
        return Row(text, row.style)

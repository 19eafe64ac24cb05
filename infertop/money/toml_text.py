"""Names from outside as pricing.toml may have them: what is shown to be pasted must be TOML, and mean that name."""

from __future__ import annotations

from infertop.readings.safe import REPLACEMENT

LONGEST_NAME = 200
_ESCAPES = {"\\": "\\\\", '"': '\\"'}


def quoted(text: str) -> str:
    """Return a string as TOML writes it, on one line and without what a terminal would take for a code.

    It is cut to 200 characters with `…`; half of a pair of surrogates, which TOML cannot write, becomes U+FFFD.
    """
    cut = text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
    return f'"{"".join(map(_escaped, cut))}"'


def heading(section: str, name: str) -> str:
    """Return the line above the settings of a name: `[model."gpt-4o"]`."""
    return f"[{section}.{quoted(name)}]"


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        return REPLACEMENT
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"

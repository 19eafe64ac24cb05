"""Make a string from outside fit for a terminal or a log.

Labels, model names, error texts and file paths can carry escape codes (clipboard, window title), bidi overrides and
zero-width characters. Nothing of that may reach a terminal; the string itself stays as sent wherever it is a key.
"""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def safe(text: object, limit: int = 512) -> str:
    """Return `text` in NFC with every character that does not print replaced, cut to `limit` characters with `…`.

    Control, format (bidi, zero-width), surrogate, private and unassigned characters and line separators become
    U+FFFD.
    """
    raw = str(text)
    cut = raw[: limit * 4]
    plain = "".join(ch if ch.isprintable() else REPLACEMENT for ch in cut)
    normal = unicodedata.normalize("NFC", plain)
    if len(normal) > limit or len(raw) > len(cut):
        return normal[: limit - 1] + "…"
    return normal


def named(name: str, limit: int = 512) -> str:
    """Return `safe` of a name, in quotes where it is blank: a row must have something to call it by."""
    return f'"{safe(name, max(limit - 2, 1))}"' if name.isspace() else safe(name, limit)

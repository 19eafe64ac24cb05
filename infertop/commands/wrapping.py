"""Sentences in lines of a width, with a number and its unit on one line."""

from __future__ import annotations

import re
from textwrap import wrap

from infertop.readings.safe import safe

# What `count` and `percent` write behind a number, and a blank at which textwrap does not break.
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:[TGMk]|%)(?:\W|$))")
_UNBROKEN = "\N{NO-BREAK SPACE}"


def wrapped(text: str, width: int, first: str = "", indent: str = "", most: int = 2000) -> list[str]:
    """Return the lines of a text of at most `most` characters: `first` goes before the first, `indent` the others."""
    bound = _BEFORE_UNIT.sub(_UNBROKEN, safe(text, most))
    lines = wrap(bound, width, initial_indent=first, subsequent_indent=indent)
    return [line.replace(_UNBROKEN, " ") for line in lines]

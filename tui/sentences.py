"""Sentences of views as the screen writes them: with figures as its tables have them."""

from __future__ import annotations

import re

_GROUPS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_SHARES = re.compile(r"(?<=[0-9])%(?![0-9A-Fa-f])")
_SCALES = re.compile(r"(?<=[0-9]) (?=[kMGT]\b)")


def sentence(text: str) -> str:
    """Return a sentence with figures as tables have them: "12,027" as "12 027", "1.6 M" as "1.6M", "5%" as "5 %"."""
    return _SHARES.sub(" %", _SCALES.sub("", _GROUPS.sub(" ", text))).replace(" -> ", " → ").replace(" +- ", " ± ")

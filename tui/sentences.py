"""Sentences of views as the screen writes them: with figures as its tables have them."""

from __future__ import annotations

import re

_GROUPS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_SCALES = re.compile(r"(?<=[0-9]) (?=[kMGT]\b)")


def sentence(text: str) -> str:
    """Return a sentence with its figures as tables have them: "12,027" as "12 027", "27.6 M" as "27.6M"."""
    return _SCALES.sub("", _GROUPS.sub(" ", text)).replace(" -> ", " → ")

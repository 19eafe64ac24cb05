"""Keys in texts: what is one, or looks like one, is replaced before anything is shown, logged or written."""

from __future__ import annotations

import re

HIDDEN = "***"
_SHORTEST = 8
_PATTERN = re.compile(
    r"(?<=bearer )[\w.~+/=:-]{4,}|(?<=basic )[\w+/=]{8,}|(?<=://)[^/\s@]+(?=@)"
    r"|\bsk-[\w*.-]{4,}|\bAIza[\w-]{8,}|\b(?:gsk|xai|pplx|hf|r8)[_-]\w{8,}",
    re.IGNORECASE,
)
_known: set[str] = set()


def hide(key: str) -> None:
    """Let a key be replaced in every text from now on; one of less than eight characters is in too many words."""
    if len(key) >= _SHORTEST:
        _known.add(key)


def redact(text: str) -> str:
    """Return `text` with every known key, and whatever looks like one, replaced by `***`."""
    for value in sorted(_known, key=len, reverse=True):  # one may begin as another does
        text = text.replace(value, HIDDEN)
    return _PATTERN.sub(HIDDEN, text)

"""What looks like a secret key and so must be neither in pricing.toml nor in a message about it."""

from __future__ import annotations

import re

# The beginnings that vendors give their keys; names and ids of keys ("apikey_01...", "key_...") are no secrets.
_SHAPES = re.compile(
    r"(?:Bearer\s+)?(?:sk|rk|gsk|xai|hf|r8|pplx|nvapi|fw|csk|tgp|glpat|ghp|github_pat|dop_v1|AIza|AKIA|ya29|eyJ)"
    r"[-_.]?[A-Za-z0-9_.+/=-]{16,}"
)


def looks_secret(text: str) -> bool:
    """Tell whether `text` looks like a key itself."""
    return len(text) <= 4096 and _SHAPES.fullmatch(text.strip()) is not None

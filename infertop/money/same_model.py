"""Whether two names mean the same model: sources spell them with and without a path before and a date behind."""

from __future__ import annotations

import re

_DATED = re.compile(r"[-@](?:20\d{6}|20\d{2}-\d{2}-\d{2}|latest)(?=$|-v\d|:)")


def same_model(one: str | None, other: str | None) -> bool:
    """Say whether two names mean the same model; two dates are two models, and no name is none."""
    if one is None or other is None:
        return False
    a, b = _base(one), _base(other)
    return a == b or (_undated(a) == _undated(b) and _undated(a) in (a, b))


def model_key(model: str | None) -> str:
    """Return what all names of a model have in common."""
    return "" if model is None else _undated(_base(model))


def _base(model: str) -> str:
    return model.lower().rsplit("/", 1)[-1].strip()


def _undated(base: str) -> str:
    return _DATED.sub("", base)

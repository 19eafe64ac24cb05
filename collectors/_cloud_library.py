"""The vendors' libraries that find credentials: optional, and imported at the first request, off the screen's loop."""

from __future__ import annotations

import importlib
from typing import Any

from infertop.engine.collector import State, Unavailable
from infertop.readings.safe import safe

AGAIN_SECONDS = 60.0
"""When credentials that are missing are looked for again; until then nothing else of the account is tried."""

_PACKAGES = {"aws": "botocore", "azure": "azure-identity", "google": "google-auth"}


def library(name: str, extra: str, kind: str) -> Any:
    """Return a module of one of infertop's extras; raise Unavailable with what to install where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        absent = (problem.name or "").partition(".")[0] == name.partition(".")[0]
        why = "is not installed" if absent else f"cannot be loaded ({safe(problem, 80)})"
    sentence = f'{kind} finds its credentials through {_PACKAGES[extra]}, which {why}: pip install "infertop[{extra}]"'
    raise Unavailable(sentence, state=State.ABSENT, retry_seconds=AGAIN_SECONDS)

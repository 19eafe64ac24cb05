"""What the screen remembers between runs: sorting, grouping, windows, and how far what-if looks back.

A small file in the user's state folder, written whole at the end of a run. Whatever stands in it that this version does
not know, or that is no choice of it, is left out: a file that somebody broke costs the choices, never the start.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui.choices import GROUPINGS, SPANS, WINDOWS, Choices
from tui.keys import FILTERED
from tui.windows import PRESETS, Windows

_MOST_BYTES = 4096
_MOST_ORDERS = 16
_SORTED = (*FILTERED, "deployments")


def recall(path: Path, choices: Choices) -> None:
    """Take from `path` what was chosen before; without a file, or with a broken one, nothing changes."""
    known = _read(path)
    if _is_order(known.get("group"), len(GROUPINGS)):
        choices.group = known["group"]
    choices.window = next((each for each in WINDOWS if each == known.get("window")), None)
    choices.span = next((each for each in SPANS if each == known.get("span")), choices.span)
    if _is_order(known.get("compare"), len(PRESETS)):
        choices.windows = Windows(known["compare"])
    sorts = known.get("sorts")
    if isinstance(sorts, dict):
        choices.sorts = {name: sorts[name] for name in _SORTED if _is_order(sorts.get(name), _MOST_ORDERS)}


def _is_order(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value < most


def _read(path: Path) -> Mapping[str, Any]:
    import json  # only who has chosen something before pays for it

    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def keep(path: Path, choices: Choices) -> None:
    """Write what is chosen to `path` in one step; where that is not possible it is not kept."""
    import json

    chosen = {
        "sorts": choices.sorts,
        "group": choices.group,
        "window": choices.window,
        "span": choices.span,
        "compare": choices.windows.number,
    }
    if _read(path) == chosen:
        return
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(chosen, file)
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()

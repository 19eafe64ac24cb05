"""Loading amdsmi, AMD's bindings to libamd_smi.so, and asking them.

The bindings change from release to release (amdsmi_get_energy_count said `power` up to 6.2 and `energy_accumulator`
from 6.4 on) and answer "N/A" for what a GPU does not tell: whoever reads an answer goes through `number()`.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from infertop.engine.collector import State, Unavailable
from infertop.readings.safe import safe

Library = Any
"""The module `amdsmi`: it has no type hints that hold."""

_NAME = "libamd_smi.so"
_INSTALL = 'pip install "infertop[amd]", with the amdsmi of your release of ROCm'
# amdsmi_status_t (amdsmi.h): after these no other call can succeed.
_NO_PERMISSION, _NOT_INITIALISED, _NO_DRIVER, _RESTART_FAILED = 10, 32, 34, 54
_GONE = frozenset((_NOT_INITIALISED, _NO_DRIVER, _RESTART_FAILED))
_SENTENCES = {
    _NO_PERMISSION: "this user may not use AMD's GPUs: add it to the groups `render` and `video`",
    _NOT_INITIALISED: "amdsmi was shut down, as when the driver is loaded anew: it is opened again",
    _NO_DRIVER: "AMD's driver is not loaded: load it with `modprobe amdgpu`, or reboot",
    _RESTART_FAILED: "AMD's driver could not be restarted: see `dmesg`",
}
# How a call can fail besides AmdSmiException: it is missing in this release, or stumbles over what the driver says.
_MISSING = (AttributeError, KeyError, IndexError, TypeError, ValueError, OSError)


class LibraryGone(Exception):  # noqa: N818 - it says a state
    """The library or the driver answers nothing any more; `code` is its status."""

    def __init__(self, code: int) -> None:
        super().__init__(_SENTENCES[code])
        self.code = code


def load() -> Library:
    """Return the module `amdsmi`; raise `Unavailable` with what to do where it cannot be loaded."""
    if "amdsmi" not in sys.modules:
        spec = importlib.util.find_spec("amdsmi")
        if spec is None:
            raise _absent(f"amdsmi is not installed, by which AMD's GPUs are read: {_INSTALL}")
        # Without the library the module prints to stdout, where the output or the screen is, before it fails.
        if not _is_there(Path(spec.origin or "").parent):
            raise _absent(f"{_NAME} is not found, by which amdsmi reads GPUs: install amd-smi-lib, a part of ROCm")
    try:
        return importlib.import_module("amdsmi")
    except (ImportError, *_MISSING) as problem:
        raise _absent(f"amdsmi does not fit this machine's {_NAME} ({safe(problem, 80)}): {_INSTALL}") from None


def _absent(sentence: str) -> Unavailable:
    return Unavailable(sentence, state=State.ABSENT)


def _is_there(package: Path) -> bool:
    """Say whether the library can be loaded from where the bindings look for it."""
    home = os.environ.get("ROCM_HOME") or os.environ.get("ROCM_PATH") or "/opt/rocm"
    for place in (Path(home) / "lib" / _NAME, Path(_NAME), package / _NAME, Path("/opt/rocm/lib") / _NAME):
        with suppress(OSError):
            ctypes.CDLL(str(place))
            return True
    return False


def ask(library: Library, call: str, *arguments: object) -> Any:
    """Return what a call answers, None where it cannot; raise `LibraryGone` where no call can any more."""
    try:
        return getattr(library, call)(*arguments)
    except _MISSING:
        return None
    except library.AmdSmiException as problem:
        code = getattr(problem, "err_code", None)
        if code in _GONE:
            raise LibraryGone(code) from None
        return None


def initialise(library: Library) -> None:
    """Open the library for GPUs; raise `Unavailable` where the driver or the user's rights are not there."""
    try:
        library.amdsmi_init()
    except _MISSING as problem:
        raise Unavailable(f"amdsmi cannot be started: {safe(problem, 80)}") from None
    except library.AmdSmiException as problem:
        code = getattr(problem, "err_code", None)
        said = _SENTENCES.get(code) if isinstance(code, int) else None
        told = safe(getattr(problem, "err_info", "") or problem, 120)
        state = State.ABSENT if code == _NO_DRIVER else State.DOWN
        raise Unavailable(said or f"amdsmi cannot be started: {told}", state=state) from None


def number(answer: object, *keys: str, most: float) -> float | None:
    """Return the first number between 0 and `most` under `keys` (or `answer` itself), None where there is none.

    "N/A", numbers that stand for it (all bits set) and whatever else is no such number count as not told.
    """
    for key in keys:
        value = answer.get(key) if isinstance(answer, Mapping) else None
        if (found := number(value, most=most)) is not None:
            return found
    if keys or isinstance(answer, bool) or not isinstance(answer, int | float) or not 0 <= answer <= most:
        return None
    return float(answer)


def text(answer: object) -> str:
    """Return a text as it was told, empty where there is none."""
    return answer.strip()[:200] if isinstance(answer, str) and answer.strip() not in ("", "N/A") else ""

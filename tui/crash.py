"""Crash reports: a file without local variables and keys, and one line on stderr that names it."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from infertop.views.text import redact, safe


def report(error: BaseException, folder: Path | None = None) -> str:
    """Write the traceback of `error` to a file of its own, mode 0600, and return the sentence for stderr."""
    what = safe(redact(f"{type(error).__name__}: {error}"), 200)
    try:
        place = _write(error, folder or _folder())
    except OSError as failure:
        return f"infertop: it crashed: {what} (no report could be written: {failure.strerror})"
    return f"infertop: it crashed: {what}. The report is in {place}"


def _folder() -> Path:
    from platformdirs import user_log_path

    return user_log_path("infertop", appauthor=False)


def _write(error: BaseException, folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = folder / f"crash-{os.getpid()}.txt"
    text = redact("".join(traceback.format_exception(error)))
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(f"python {sys.version.split()[0]}, pid {os.getpid()}\n\n{text}")
    return place

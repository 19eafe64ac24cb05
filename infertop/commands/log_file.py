"""Where a screen's log goes: a file in the user's state folder, beside what the screen remembers."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

from infertop.engine.log import open_log


def keep_log(folder: Path | None = None) -> Path | None:
    """Send what is logged to `infertop.log` in `folder` (the user's state folder) and return it, None if it cannot be.

    Whoever has no such folder, or may not write there, has the screen all the same.
    """
    folder = folder or user_state_path("infertop", appauthor=False)
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "infertop.log"
        if not any(getattr(each, "baseFilename", "") == str(path) for each in logging.getLogger().handlers):
            open_log(path)  # the demo after the first screen goes on in the same file
        return path
    return None

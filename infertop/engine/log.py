"""The log file: private, bounded, without keys or escape codes."""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from infertop.engine.secrets import redact
from infertop.readings.safe import safe

_BYTES, _FILES = 2**20, 3
_LONGEST_LINE = 2000


class SafeFormatter(logging.Formatter):
    """Formats a record, its traceback included, with keys and what does not print replaced."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's lines."""
        return "\n".join(safe(line, _LONGEST_LINE) for line in redact(super().format(record)).split("\n"))


class _PrivateFile(RotatingFileHandler):
    """A rotating file that only its owner can read."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=_private)  # type: ignore[return-value]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def open_log(path: Path) -> logging.Handler:
    """Send what infertop logs to `path` (1 MB, three older ones kept) and return the handler; raise OSError."""
    handler = _PrivateFile(path, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8", delay=True)
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler

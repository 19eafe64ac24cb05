"""Keys: where they come from, and how they stay out of messages, logs and tracebacks."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from infertop.engine.collector import State, Unavailable
from infertop.readings.redact import HIDDEN, hide, redact
from infertop.readings.safe import safe

__all__ = ["Secret", "load_secret", "redact"]

_LONGEST = 4096


class Secret:
    """A key that shows as `***` wherever it is printed; only `reveal()` gives it away.

    `again` reads it anew where it may change: a file.
    """

    __slots__ = ("_again", "_value")

    def __init__(self, value: str, again: Callable[[], Secret] | None = None) -> None:
        self._again = again
        self._take(value)

    def _take(self, value: str) -> None:
        self._value = value
        hide(value)

    def renewed(self) -> bool:
        """Read the key anew where that can be, and say whether it is another one by now."""
        try:
            value = self._again().reveal() if self._again else self._value
        except Unavailable:
            return False
        changed = value != self._value
        self._take(value)
        return changed

    def reveal(self) -> str:
        """Return the key itself, for the header that carries it and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not copied or written anywhere")


def load_secret(
    key_env: str, key_file: str, environ: Mapping[str, str] = os.environ, *, what: str = "key"
) -> Secret | None:
    """Return the key of a source (or `what` it is) from an environment variable or a file, None where neither is named.

    The variable is left in the environment: what is started from here gets an environment without it.
    A file that others can read is refused, as ssh does. Raises Unavailable with what to do.
    """
    if key_env:
        if not environ.get(key_env, "").strip():
            raise Unavailable(f"the environment variable {safe(key_env)} ({what}_env) is not set", state=State.AUTH)
        return _checked(environ[key_env], f"the environment variable {safe(key_env)}", what)
    if key_file:
        path = Path(key_file).expanduser()

        def read() -> Secret:
            return _checked(_read_private(path, what), f"the {what} file {safe(path)}", what)

        return Secret(read().reveal(), read)
    return None


def _read_private(path: Path, what: str) -> str:
    shown = safe(path)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise Unavailable(f"the {what} file {shown} is not a plain file", state=State.AUTH)
            if mode & 0o077:
                raise Unavailable(f"others can read the {what} file {shown}: run `chmod 600 {shown}`", state=State.AUTH)
            return file.read(_LONGEST + 1).decode("utf-8", "replace")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    raise Unavailable(f"the {what} file {shown} cannot be read: {reason}", state=State.AUTH)


def _checked(text: str, where: str, what: str) -> Secret:
    value = text.strip()
    if not value:
        raise Unavailable(f"{where} is empty", state=State.AUTH)
    if len(value) > _LONGEST or not all("!" <= ch <= "~" for ch in value):
        raise Unavailable(f"{where} does not hold a {what}: one line of plain characters is expected", state=State.AUTH)
    return Secret(value)

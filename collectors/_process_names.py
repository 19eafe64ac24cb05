"""What runs under a pid, and for whom: the program's name and the user's, for the lists of GPU processes. It blocks.

A program is named and never its arguments, which may hold keys. `python -m vllm.entrypoints.api_server --api-key K`
is `vllm.entrypoints.api_server`, a process that gives itself a title (`VLLM::EngineCore`) is that.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from infertop.engine.machine import is_boxed

_INTERPRETER = re.compile(r"(?:python|pypy|ruby|node|perl|bash|dash|sh|zsh)[\d.]*")
_LONGEST = 60
# A process may give itself a title, or become another program, after it was first seen.
_AGAIN_SECONDS = 30.0


@dataclass(slots=True)
class Names:
    """The names of processes, remembered from one reading to the next.

    None is told in a container: the driver's numbers are the machine's, and are other processes here.
    """

    _known: dict[int, dict[str, str]] = field(default_factory=dict)
    _before: dict[int, dict[str, str]] = field(default_factory=dict)
    _asked: float = -math.inf
    _boxed: bool | None = None

    def next_reading(self) -> None:
        """Forget whoever was not asked for in the last reading, and from time to time what everybody's name was."""
        now = time.monotonic()
        again = now - self._asked >= _AGAIN_SECONDS
        self._before, self._known = {} if again else self._known, {}
        self._asked = now if again else self._asked

    def of(self, pid: int) -> dict[str, str]:
        """Return `name` and `user` of a process, as far as they may be seen; one of another machine has neither."""
        if self._boxed is None:
            self._boxed = is_boxed()
        if self._boxed:
            return {}
        if pid not in self._known:
            self._known[pid] = self._before[pid] if pid in self._before else _named(pid)
        return self._known[pid]


def _named(pid: int) -> dict[str, str]:
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            try:
                told = program(process.cmdline()) or process.name()
            except psutil.AccessDenied:
                told = process.name()
            named = {"name": told, "user": process.username()}
    except (psutil.Error, OSError, KeyError, ValueError, OverflowError):
        return {}
    # A command is bytes: what is no text in it comes as lone surrogates, which nobody can write.
    return {label: said[:_LONGEST].encode("utf-8", "replace").decode() for label, said in named.items() if said}


def program(argv: Sequence[str]) -> str:
    """Return the name of the program that a command runs, of an interpreter that of its module or script."""
    words = [word for word in argv if word]
    if not words:
        return ""
    first = _base(words[0])
    if not _INTERPRETER.fullmatch(first):
        return first
    for at, word in enumerate(words[1:], 1):
        if word in ("-m", "-c"):
            module = words[at + 1] if word == "-m" and at + 1 < len(words) else ""
            return _base(module) or first
        if not word.startswith("-"):
            return _base(word)
    return first


def _base(word: str) -> str:
    """Return the file's name of a path; a title ends at its first blank."""
    title = word.split(maxsplit=1)[0] if word.split() else ""
    return title if "::" in title else title.rstrip("/").rpartition("/")[2]

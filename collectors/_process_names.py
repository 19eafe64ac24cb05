"""What runs under a pid, and for whom: the program's name and the user's, for the lists of GPU processes. It blocks.

A program is named and never its arguments, which may hold keys. `python -m vllm.entrypoints.api_server --api-key K`
is `vllm.entrypoints.api_server`, a process that gives itself a title (`VLLM::EngineCore`) is that.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

_INTERPRETER = re.compile(r"(?:python|pypy|ruby|node|perl|bash|dash|sh|zsh)[\d.]*")
_LONGEST = 60
# A process may give itself a title, or become another program, after it was first seen.
_AGAIN_SECONDS = 30.0


@dataclass(slots=True)
class Names:
    """The names of processes, remembered while they are asked for."""

    _known: dict[int, dict[str, str]] = field(default_factory=dict)
    _asked: float | None = None

    def of(self, pids: Set[int]) -> dict[int, dict[str, str]]:
        """Return `name` and `user` by pid, as far as they may be seen; a pid of another machine has neither."""
        now = time.monotonic()
        again = self._asked is None or now - self._asked >= _AGAIN_SECONDS
        if again:
            self._asked = now
        self._known = {pid: _named(pid) if again or pid not in self._known else self._known[pid] for pid in pids}
        return self._known


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
    return {label: said[:_LONGEST] for label, said in named.items() if said}


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

"""pricing.toml while infertop runs: read again when it changes, and never for the worse."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from infertop.money.load import Kinds, load
from infertop.money.locate import Candidate, distrust
from infertop.money.schema import Mistakes
from infertop.money.settings import Settings
from infertop.readings.safe import safe

# A file that was written this short a time ago may be written again without a new time in its directory entry.
_UNSETTLED_SECONDS = 2.0

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in use, since when (epoch seconds), and from where (None: no file, defaults).

    `notices` say what of the file was ignored. `problem` says why a newer state of it is not in use, or nothing.
    """

    settings: Settings
    loaded_at: float
    path: Path | None = None
    notices: tuple[str, ...] = ()
    problem: str = ""


class Watcher:
    """Keeps the settings of the first of `places` that has a file. `tick` may be called from any thread.

    Making one reads the file and raises `Mistakes`, so that infertop never starts with half of what was meant. A file
    that appears at a place before the one in use takes over; one that goes away leaves its last settings in use.
    """

    def __init__(self, places: Sequence[Candidate], kinds: Kinds | None, ts: float) -> None:
        self._places = tuple(places)
        self._kinds = kinds
        self._lock = threading.Lock()
        self._last = len(self._places)  # places from here on no longer matter
        rank = self._first()
        self._seen = (rank, self._stamp(rank))
        self.current = Loaded(Settings(), ts) if rank is None else self._read(rank, ts)

    def tick(self, ts: float) -> Loaded | None:
        """Look whether the file has changed and return what is in use now, or None where all is as it was."""
        with self._lock:
            rank = self._first()
            stamp = self._stamp(rank)
            unsettled = stamp is not None and abs(ts - stamp[0] / 1e9) < _UNSETTLED_SECONDS
            if (rank, stamp) == self._seen and not unsettled:
                return None
            self._seen = (rank, stamp)
            found = self._gone() if rank is None or stamp is None else self._again(rank, ts)
            if found == self.current:
                return None
            self.current = found
            return found

    def _first(self) -> int | None:
        """Return the rank of the place that counts, or None where no file is left."""
        ranks = enumerate(self._places[: self._last])
        return next((rank for rank, each in ranks if each.asked_for or each.there()), None)

    def _stamp(self, rank: int | None) -> _Stamp | None:
        """Return what changes when the file is written or replaced, or None where there is no file."""
        try:
            found = os.stat(self._places[rank].path) if rank is not None else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None

    def _again(self, rank: int, ts: float) -> Loaded:
        try:
            loaded = self._read(rank, ts)
        except Mistakes as mistakes:
            return replace(self.current, problem=_first_of(mistakes))
        return replace(loaded, loaded_at=self.current.loaded_at) if loaded.settings == self.current.settings else loaded

    def _read(self, rank: int, ts: float) -> Loaded:
        place = self._places[rank]
        settings = load(place.path, self._kinds)
        notices: tuple[str, ...] = ()
        if not place.trusted:
            settings, notices = distrust(settings)
        self._last = rank + 1
        return Loaded(settings, ts, place.path, notices)

    def _gone(self) -> Loaded:
        if self.current.path is None:
            return self.current
        return replace(self.current, problem=f"{safe(self.current.path)} is gone: what it said last stays in use")


def _first_of(mistakes: Mistakes) -> str:
    first, *others = mistakes.sentences
    more = f" (and {len(others)} more)" if others else ""
    return f"{first}{more}: the settings from before stay in use"

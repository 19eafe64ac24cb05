"""How each part of an account stands (a family of usage, bills, names): what was odd, what failed, when to go on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from infertop.engine.collector import State, Unavailable

TOO_MANY = 429
_REFUSED_SECONDS = 300.0
_SHOWN = 3
_DOUBLINGS = 3
_KEPT = 8
_PATH = re.compile(r" /\S*")  # what of a sentence tells one part from another


class _Note(NamedTuple):
    """What was odd in [start, end), epoch seconds."""

    start: int
    end: int
    said: str


@dataclass(slots=True)
class Standing:
    """What is to be said of the parts of an account; `advice` is for a key that may not read one.

    A part that is silent again and again is asked ever less often, so that those behind it have their turn.
    """

    advice: str = ""
    _notes: dict[tuple[str, int], list[_Note]] = field(default_factory=dict)
    _troubles: dict[str, Unavailable] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)
    _silent: dict[str, int] = field(default_factory=dict)

    def good(self, part: str, note: str = "", width: int = 0, span: tuple[int, int] = (0, 1)) -> None:
        """Take that a part was read, over a span of time; `note` is empty where nothing was odd.

        Buckets of different `width` are read in turns, and older hours after newer ones: what was odd in some stands
        until these are read again.
        """
        self._troubles.pop(part, None)
        self._not_before.pop(part, None)
        self._silent.pop(part, None)
        others = [each for each in self._notes.get((part, width), ()) if each.end <= span[0] or span[1] <= each.start]
        self._notes[part, width] = sorted([*others, *([_Note(*span, note)] if note else [])])[-_KEPT:]

    def failed(self, part: str, trouble: Unavailable, ts: float, every: float) -> None:
        """Take that a part could not be read: it is tried again after its usual time, a refused one later."""
        silent = self._silent[part] = self._silent.get(part, -1) + 1 if trouble.status is None else 0
        least = _REFUSED_SECONDS if trouble.state is State.AUTH else every * (1 << min(silent, _DOUBLINGS))
        self._troubles[part] = trouble
        self._notes = {key: note for key, note in self._notes.items() if key[0] != part}
        self._not_before[part] = ts + max(least, trouble.retry_seconds or 0.0) - 1

    def waits(self, part: str, ts: float) -> bool:
        """Say whether it is too early to try a part again."""
        return ts < self._not_before.get(part, 0.0)

    def sentences(self) -> Iterator[str]:
        """Iterate over what is to be said: troubles, each kind once with all parts that have it, then what was odd."""
        kinds: dict[object, list[str]] = {}
        for part, trouble in self._troubles.items():
            silent = _PATH.sub("", trouble.sentence)
            kinds.setdefault((trouble.state, trouble.status) if trouble.status else silent, []).append(part)
        for parts in kinds.values():
            yield self.said(self._troubles[parts[0]], parts[1:])
        odd = {part: notes[-1].said for (part, _), notes in self._notes.items() if notes}
        yield from odd.values()

    def said(self, trouble: Unavailable, others: Sequence[str] = ()) -> str:
        """Return a trouble's sentence, with what else has the same and what to do about a key that is refused."""
        shown = ", ".join(others[:_SHOWN]) + (f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else "")
        also = f" (likewise {shown})" if others else ""
        what_to_do = f"; {self.advice}" if self.advice and trouble.state is State.AUTH else ""
        return f"{trouble.sentence}{also}{what_to_do}"


def is_pause(trouble: Unavailable) -> bool:
    """Say whether the whole account is to be left alone for a while: too many requests, or a time was named."""
    return trouble.status == TOO_MANY or trouble.retry_seconds is not None

"""Where polls go: into the live state, and to the recorder where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Protocol

from infertop.engine.collector import Health
from infertop.engine.state import State
from infertop.readings.model import Batch

_LEFT = "reading back:"  # how the note of a source begins that says how much is left
# What is not other at every poll.
_LASTING = attrgetter(*({each.name for each in fields(Health)} - {"good_ts", "tried_ts", "seconds", "polls"}))


class Recording(Protocol):
    """What takes polls to be kept."""

    def put(self, batch: Batch) -> None:
        """Keep a batch."""
        ...

    def put_health(self, source: str, content: dict[str, object]) -> None:
        """Keep how a source is."""
        ...


class Hub:
    """Hands every poll to the state and the recorder; a source that does not count is kept all the same."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.recorder: Recording | None = None
        self.first_poll: float | None = None
        self.members: Callable[[Batch], None] | None = None  # is told of a batch's members before they say anything
        self.polled: Callable[[str], None] | None = None  # is told of a source whose poll is over, its members' too
        self.behind: set[str] = set()  # sources that have more to tell at once
        self.unread: set[str] = set()  # sources whose past has not been read back since the start
        self._whole: set[str] = set()
        self._told: dict[str, tuple[object, ...]] = {}

    def apply(self, batch: Batch) -> None:
        """Take what one poll read."""
        self.first_poll = self.first_poll or batch.ts
        (self.behind.discard if batch.again_seconds is None else self.behind.add)(batch.source)
        self._look_whether_read(batch)
        if batch.members and self.members is not None:
            self.members(batch)
        self.state.apply(batch)
        if self.recorder is not None:
            self.recorder.put(batch)

    def apply_health(self, health: Health) -> None:
        """Take how a source is; the recorder is told when that changed, not at every poll."""
        self.state.apply_health(health)
        said = _LASTING(health)
        if self.recorder is not None and self._told.get(health.source) != said:
            self._told[health.source] = said
            self.recorder.put_health(health.source, asdict(health))
        if self.polled is not None:
            self.polled(health.source)

    def forget(self, source: str) -> None:
        """Let go of what a source said, when it is no longer read."""
        self.state.forget(source)
        self._told.pop(source, None)
        for known in (self.behind, self.unread, self._whole):
            known.discard(source)

    def _look_whether_read(self, batch: Batch) -> None:
        """Note whether a source has told of all that was before; what it asks again later is known by then."""
        source, left = batch.source, any(note.startswith(_LEFT) for note in batch.notes)
        if (left or source in self.behind) and source not in self._whole:
            self.unread.add(source)
        else:
            self.unread.discard(source)
            self._whole.add(source)

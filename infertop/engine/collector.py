"""The contract between the engine and the collectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from infertop.readings.model import Batch, Member


class Unavailable(Exception):  # noqa: N818 - it reads as the sentence it carries
    """A source could not be read; the text is a sentence for the person at the screen: what, where, what to do.

    `state` refines how the source is shown. `retry_seconds` is the least time until the next try, where the other
    side named one, `status` that of the HTTP answer that said no. Text from outside must have gone through `safe()`
    before it comes here.
    """

    def __init__(
        self,
        sentence: str,
        *,
        state: State | None = None,
        retry_seconds: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.state = state or State.DOWN
        self.retry_seconds = retry_seconds
        self.status = status


class State(StrEnum):
    """How a source is: what the screen and the JSON show as its state."""

    STARTING = "starting"
    UP = "up"
    STALE = "stale"
    DOWN = "down"
    AUTH = "auth"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Health:
    """How the polls of one source go. `good_ts` is the time of the last good one, `detail` one sentence or empty.

    `polls` and `failures` count since the start, `seconds` is what the last poll took, `rejected` counts lines or
    fields that could not be read in the last poll.
    """

    source: str
    kind: str
    state: State = State.STARTING
    good_ts: float | None = None
    tried_ts: float | None = None
    seconds: float | None = None
    polls: int = 0
    failures: int = 0
    rejected: int = 0
    detail: str = ""
    address: str = ""
    interval_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Option:
    """A key that a kind accepts in its [[source]] besides the common ones (kind, name, url, interval, counts, gpus)."""

    name: str
    help: str


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """What the user or discovery says of a source. `options` are the kind's own keys, as TOML gave them.

    One that is not `trusted` comes from a file that may be anybody's: it gets no key, wherever that would be found.
    """

    kind: str
    name: str
    url: str = ""
    interval_seconds: float = 1.0
    gpus: tuple[str, ...] = ()
    counts: bool | None = None
    key_env: str = ""
    key_file: str = ""
    options: dict[str, object] = field(default_factory=dict)
    trusted: bool = True


class Collector(Protocol):
    """Reads one system. It measures; it does not price, store, retry, colour or alert."""

    kind: str
    config: SourceConfig

    async def collect(self, ts: float) -> Batch:
        """Read once and return what was read, stamped `ts`; raise `Unavailable` where nothing could be read."""
        ...

    async def close(self) -> None:
        """Let go of connections and libraries."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """A collector whose members have a past that can be read."""

    async def recall(self, since: float, until: float, step: int) -> tuple[Member, ...]:
        """Return what its members said at each `step` seconds from `since` to `until`; raise `Unavailable`."""
        ...


@runtime_checkable
class Resumes(Protocol):
    """A collector whose batches carry bookmarks: it reads on from where it was."""

    def resume(self, bookmarks: Mapping[str, str]) -> None:
        """Go on from the newest bookmark of each key; called before the first poll."""
        ...

"""Runs as a screen or a script is shown them: what one session of an agent, or one trace, took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. `models` are the dearest first, times are epoch seconds, `usd` is None where nothing in it has a price.

    `requests` is None where nobody counts them. `unpriced_tokens` are tokens whose price should be known and is not,
    `counts` is False where all of it is counted by another source.
    """

    run: str
    source: str
    agent: str
    project: str
    models: tuple[str, ...]
    start: float
    end: float
    requests: int | None
    tokens: Mapping[str, int]
    usd: float | None
    unpriced_tokens: int = 0
    counts: bool = True

    @property
    def all_tokens(self) -> int:
        """Tokens of all classes."""
        return sum(self.tokens.values())


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the 95th percentile over the runs that say so, which are `of`; None where none does."""

    median: float | None = None
    p95: float | None = None
    of: int = 0


@dataclass(frozen=True, slots=True)
class RunsPage:
    """The runs that told something in [since, until), the dearest first; `runs` counts all, `rows` are the first ones.

    `usd` is what all that counts of them cost, `requests_without` the requests that belong to no run.
    """

    at: float
    since: float
    until: float
    rows: tuple[RunRow, ...] = ()
    runs: int = 0
    usd: float | None = None
    usd_per_run: Spread = field(default_factory=Spread)
    requests_per_run: Spread = field(default_factory=Spread)
    tokens_per_run: Spread = field(default_factory=Spread)
    requests_without: int = 0
    notices: tuple[str, ...] = ()

"""What the user asked for, checked before anything starts: pricing.toml, sources, the database's place."""

from __future__ import annotations

import os
import re
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import infertop
from infertop.commands.sources import PLANNED, WrongUseError, configured, refuse_twins
from infertop.engine.clock import Clock, SystemClock
from infertop.engine.collector import SourceConfig
from infertop.history.files import default_path
from infertop.money.locate import NAME, Candidate, candidates
from infertop.money.reload import Watcher
from infertop.money.schema import Mistakes
from infertop.readings.safe import safe

DB_LIMIT_BYTES = 1_000_000_000
LEAST_DB_BYTES = 10_000_000  # less than a day of readings of a few sources, with room for their ledger
_SIZE = re.compile(r"(\d{1,9})\s*([KMG]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that a run is made of. `options` are the [NAME=]KIND=URL of the command line, still to be read again
    when pricing.toml changes; `interval` is what --interval said, or None.
    """

    clock: Clock
    watcher: Watcher
    database: Path
    db_limit_bytes: int
    options: tuple[str, ...]
    interval: float | None
    discover: bool
    demo: bool = False

    def sources(self, interval: float | None = None, own_names: frozenset[str] = frozenset()) -> list[SourceConfig]:
        """Return every source that is configured now; `interval` stands in for --interval, see `configured`."""
        sources = self.watcher.current.settings.sources
        return configured(sources, self.options, interval or self.interval, own_names)


class _Kinds(Mapping[str, tuple[str, ...]]):
    """The first paint waits for the collectors only where someone names one."""

    @cached_property
    def _options(self) -> dict[str, tuple[str, ...]]:
        from collectors import KINDS

        own = {name: tuple(option.name for option in kind.options) for name, kind in KINDS.items()}
        return own | dict.fromkeys(PLANNED, ())

    def __getitem__(self, kind: str) -> tuple[str, ...]:
        return self._options[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)


def kinds() -> Mapping[str, tuple[str, ...]]:
    """Return the kinds that [[source]] may name, with the options of each."""
    return _Kinds()


def setup(options: Namespace) -> Setup:
    """Check the options and read pricing.toml; raise WrongUseError or Mistakes with everything that is wrong."""
    clock = SystemClock()
    database = _database(options)
    watcher = Watcher(_places(options), kinds(), clock.now())
    made = Setup(
        clock=clock,
        watcher=watcher,
        database=database,
        db_limit_bytes=_size(options.db_limit) if options.db_limit else DB_LIMIT_BYTES,
        options=tuple(options.source or ()),
        interval=options.interval,
        discover=not options.no_discovery and not getattr(options, "demo", False),
        demo=bool(getattr(options, "demo", False)),
    )
    refuse_twins(made.sources())
    return made


def _database(options: Namespace) -> Path:
    """Return where the history is; a file that is named and is something else is left alone. A check tells of it."""
    if not options.db:
        return default_path()
    path: Path = options.db.expanduser()
    if getattr(options, "command", None) == "check":
        return path
    from infertop.history.claim import refusal  # the first paint waits for SQLite only where a file is named

    if what := refusal(path):
        raise WrongUseError(f"--db {safe(path)} is {what}, not a history of infertop: it was left alone; name another")
    return path


def _places(options: Namespace) -> tuple[Candidate, ...]:
    if getattr(options, "demo", False) and not options.pricing:
        # Asking for it as a resource would load every collector.
        return (Candidate(Path(infertop.__file__).parent.parent / "collectors" / "demo" / NAME),)
    return candidates(str(options.pricing) if options.pricing else None, os.environ, Path.cwd())


def setup_or_status(options: Namespace) -> Setup | int:
    """Return what is set up, or the exit status 2 with every mistake on stderr."""
    try:
        return setup(options)
    except WrongUseError as error:
        return complain([str(error)])
    except Mistakes as mistakes:
        return complain(mistakes.sentences)


def complain(sentences: Iterable[str]) -> int:
    """Say what is wrong with the configuration or the command line, and return the status for it."""
    for sentence in sentences:
        print(f"infertop: {safe(sentence, 2000)}", file=sys.stderr)
    return 2


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if not match or int(match[1]) == 0:
        raise WrongUseError(f'--db-limit "{safe(text, 40)}" must be a size like 500M or 2G')
    size = int(match[1]) * _UNITS[match[2].upper()]
    if size < LEAST_DB_BYTES:
        least = f"{LEAST_DB_BYTES // 10**6}M"
        raise WrongUseError(
            f'--db-limit "{safe(text, 40)}" is {size} bytes, too little for a history: {least} is the least; '
            "K, M and G are 10^3, 10^6 and 10^9 bytes"
        )
    return size

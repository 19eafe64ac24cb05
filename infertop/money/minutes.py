"""What was metered in one minute, before it is divided among models and priced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from infertop.money.lines import Price
from infertop.money.rates import PriceBook

MINUTE = 60
MINUTE_MS = 60_000


def milliseconds(ts: float) -> int:
    """Return epoch seconds as whole milliseconds, so that spans add up without drift."""
    return round(ts * 1000)


def pieces(start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    """Cut a span at minute edges: (start of the piece in ms, its length in ms), which sum to the span exactly."""
    while start_ms < end_ms:
        edge = min(end_ms, (start_ms // MINUTE_MS + 1) * MINUTE_MS)
        yield start_ms, edge - start_ms
        start_ms = edge


class Reports(NamedTuple):
    """What an engine reports of a model: tokens, requests, and the GPUs for which it gives the model's GPU time."""

    tokens: bool = False
    requests: bool = False
    gpus: tuple[str, ...] = ()


class Terms(NamedTuple):
    """What a batch is taken under: the prices of now, the engines on this machine, and what serves which models.

    `models_of` returns the models of a source's last batch.
    """

    prices: PriceBook
    local_sources: Collection[str]
    models_of: Callable[[str], tuple[str | None, ...]]


class Metered(NamedTuple):
    """Where an engine's quantity belongs; `resource` is a token class or a count of requests."""

    source: str
    model: str | None
    resource: str


class Wide(NamedTuple):
    """An engine's quantity over a time in which nobody polled, in epoch seconds."""

    start: int
    end: int
    source: str
    model: str | None
    resource: str
    flags: str


class SpanKey(NamedTuple):
    """What GPU time is kept apart by. `root` is the whole GPU that a MIG instance is part of, else the GPU itself.

    `slices` are the compute slices that the price is for, None for a GPU that is not cut. `metered` is False where
    utilisation was not known, `held` where no source had a process there.
    """

    meter: str
    gpu: str
    root: str
    slices: int | None
    price: Price | None
    held: bool
    metered: bool


class Deployed(NamedTuple):
    """What a deployment's time is kept apart by; `model` is None where it serves more than one."""

    name: str
    provider: str
    model: str | None
    price: Price | None


@dataclass(slots=True)
class Held:
    """A holder's memory and SM time, each times milliseconds; None while it was never known."""

    byte_ms: float | None = None
    sm_ms: float | None = None


@dataclass(slots=True)
class Energy:
    """Millijoules drawn while something ran (`busy`), and while nothing did; `guessed` where some were not measured."""

    busy: float = 0.0
    idle: float = 0.0
    guessed: bool = False


@dataclass(slots=True)
class GpuSpan:
    """Time on one GPU under one price: milliseconds, the busy ones of them, energy by its price, and who held it."""

    ms: int = 0
    busy_ms: float = 0.0
    energy: dict[Price | None, Energy] = field(default_factory=dict)
    holders: dict[str, Held] = field(default_factory=dict)


@dataclass(slots=True)
class Minute:
    """Everything metered in the minute that begins at `start` (epoch seconds).

    `models` says which models a source served in it, `inherited` the same of a source that was not polled in it.
    `compute` is GPU seconds by (source, model, gpu). `local` are the sources that run on this machine.
    """

    start: int
    quantities: dict[Metered, int] = field(default_factory=dict)
    wide: dict[Wide, int] = field(default_factory=dict)
    restarted: set[str] = field(default_factory=set)
    models: dict[str, Mapping[str | None, Reports]] = field(default_factory=dict)
    inherited: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    local: set[str] = field(default_factory=set)
    compute: dict[tuple[str, str | None, str], float] = field(default_factory=dict)
    spans: dict[SpanKey, GpuSpan] = field(default_factory=dict)
    host: dict[tuple[str, Price | None], int] = field(default_factory=dict)
    deployed: dict[Deployed, int] = field(default_factory=dict)
    covered: list[tuple[int, int]] = field(default_factory=list)

    def span(self, key: SpanKey) -> GpuSpan:
        """Return the span of `key`, made where it is new."""
        if (found := self.spans.get(key)) is None:
            found = self.spans[key] = GpuSpan()
        return found

    def serve(self, source: str, models: Mapping[str | None, Reports]) -> None:
        """Note what a source serves; a model that it served earlier in the minute stays."""
        before = self.models.get(source)
        self.models[source] = models if before is None or before is models else {**before, **models}

    def cover(self, start_ms: int, end_ms: int) -> None:
        """Note that a source was polled without a hole over this span, which lies within the minute."""
        if self.covered:
            first, last = self.covered[-1]
            if start_ms <= last and first <= end_ms:
                self.covered[-1] = (min(first, start_ms), max(last, end_ms))
                return
        self.covered.append((start_ms, end_ms))

    def coverage_ms(self) -> int:
        """Return the milliseconds of the minute in which at least one source was polled without a hole."""
        total, reached = 0, 0
        for start, end in sorted(self.covered):
            total += max(0, end - max(start, reached))
            reached = max(reached, end)
        return total


class Minutes:
    """The minutes that are still open, by their start. What comes too late for a closed one goes to the first open."""

    def __init__(self) -> None:
        self.by_start: dict[int, Minute] = {}
        self.watermark = 0
        # Up to when the time of deployments was added, in epoch milliseconds.
        self.deployed_ms = 0

    def at(self, ms: int) -> Minute:
        """Return the minute that epoch milliseconds lie in, made where it is new."""
        start = max(ms // MINUTE_MS * MINUTE, self.watermark)
        if (found := self.by_start.get(start)) is None:
            found = self.by_start[start] = Minute(start)
        return found

    def cover(self, start_ms: int, end_ms: int) -> None:
        """Note a span without a hole in the minutes that it touches; closed minutes keep what they had."""
        for start, length in pieces(max(start_ms, self.watermark * 1000), end_ms):
            self.at(start).cover(start, start + length)

    def take_before(self, ts: float) -> list[Minute]:
        """Remove and return the minutes that end at or before `ts`, in order; nothing can be added to them again."""
        self.watermark = max(self.watermark, int(ts // MINUTE * MINUTE))
        return [self.by_start.pop(start) for start in sorted(self.by_start) if start < self.watermark]

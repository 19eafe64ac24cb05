"""A shape in the making: the lines of a page, sorted by what they are."""

from __future__ import annotations

from infertop.readings.exposition_line import Bad, Declared, RawSeries, Read, Skipped, Verdict
from infertop.readings.exposition_shape import Layout, Odd, Shape, picker

MAX_SAMPLES = 50_000
MAX_REJECTED = 10_000


class Draft:
    """Takes the lines of a page in order, then gives the shape and the values."""

    def __init__(self) -> None:
        self._places: dict[RawSeries, int] = {}
        self._samples: list[int] = []
        self._starts: list[bytes] = []
        self._values: list[float] = []
        self._skipped: list[int] = []
        self._skips: list[bytes] = []
        self._shared: dict[bytes, bytes] = {}  # thousands of lines start alike
        self._fixed: list[int] = []
        self._texts: list[bytes] = []
        self._odd: list[Odd] = []
        self._types: dict[str, str] = {}
        self._ends: int | None = None

    def take(self, at: int, line: bytes, verdict: Verdict) -> bool:
        """Take line `at`; return whether the page may go on."""
        if isinstance(verdict, Skipped):
            self._skipped.append(at)
            self._skips.append(self._shared.setdefault(verdict.start, verdict.start))
        elif isinstance(verdict, Read):
            return self._sample(at, line, verdict)
        elif isinstance(verdict, Bad):
            return self._reject(at, None, verdict.reason)
        else:
            self._fixed.append(at)
            self._texts.append(line)
            if isinstance(verdict, Declared):
                self._types.setdefault(verdict.family, verdict.kind)
        return True

    def _sample(self, at: int, line: bytes, read: Read) -> bool:
        if read.series in self._places:
            return self._reject(at, read.series, "stands on the page already")
        if len(self._samples) == MAX_SAMPLES:
            self._reject(at, read.series, f"and those after it are beyond the limit of {MAX_SAMPLES} samples")
            self._ends = at + 1
            return False
        self._places[read.series] = len(self._samples)
        self._samples.append(at)
        self._starts.append(line[: read.size])
        self._values.append(read.value)
        return True

    def _reject(self, at: int, series: RawSeries | None, reason: str) -> bool:
        self._odd.append(Odd(at, series, reason))
        if len(self._odd) < MAX_REJECTED:
            return True
        self._ends = at + 1
        return False

    def finish(self, lines: int, before: Layout | None) -> tuple[Shape, list[float]]:
        """Make the shape of a page of `lines` lines, and the values; series that only moved keep their order."""
        layout = Layout(tuple(self._places), self._types)
        if before and len(before.series) == len(self._places) and all(each in self._places for each in before.series):
            layout = before if self._types == before.types else Layout(before.series, self._types)
        order = [self._places[each] for each in layout.series]
        samples = tuple(self._samples[at] for at in order)
        shape = Shape(
            layout=layout,
            lines=lines,
            ends=lines if self._ends is None else self._ends,
            repeated=sum(odd.series in self._places for odd in self._odd if odd.series is not None),
            starts=tuple(self._starts[at] for at in order),
            skips=tuple(self._skips),
            fixed=tuple(self._fixed),
            texts=tuple(self._texts),
            odd=tuple(self._odd),
            pick_samples=picker(samples),
            pick_skipped=picker(self._skipped),
        )
        return shape, [self._values[at] for at in order]

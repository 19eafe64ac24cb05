"""Reading back what was before infertop recorded: of the targets of a Prometheus, once, into the ledger.

A target's past is asked for when it is first read (the month so far, and a week at least) and when it is read again
after a night off. It is read from the newest part back, so that today is there first. The lines of a part and what is
left of the spans are stored in one transaction (history/recalls.py). The span of the one that tells of the targets is
for those that are there no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from infertop.commands.pricing import Pricing
from infertop.commands.recall_parts import GAP_STEPS, Ends, Part, cut, halves, step_of, within
from infertop.commands.roster import Roster
from infertop.engine.clock import Clock
from infertop.engine.collector import Unavailable
from infertop.engine.members import Through
from infertop.history.reader import Reader, Unreadable
from infertop.history.recalls import Known, Recalled, Span, known_sources, open_spans, overlaps, poll_at
from infertop.history.recorder import Recorder
from infertop.money.periods import PeriodKind, period
from infertop.money.recall import fold
from infertop.readings.model import Batch

_log = logging.getLogger(__name__)
_WEEK_SECONDS = 7 * 86400.0
_NEWCOMER_SECONDS = 600.0
_AGAIN_SECONDS = 60.0
_MOST_FAILURES = 5


class Recalling:
    """Decides what is to be read back, and reads it. `notice` says how it went where it did not go well."""

    def __init__(self, roster: Roster, recorder: Recorder, pricing: Pricing, clock: Clock) -> None:
        self._roster = roster
        self._recorder = recorder
        self._pricing = pricing
        self._clock = clock
        self._known: Mapping[str, Known] = {}
        self._last: dict[str, float] = {}
        self._began: dict[str, float] = {}
        self._spans: dict[str, list[Span]] = {}
        self._failures = 0
        self._due: set[str] = set()  # readers of whose members something is to be read back once their poll is over
        self._ready: set[str] = set()
        self._work, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self.enabled = False
        self.notice = ""
        roster.recorded, roster.members_said, roster.polled = self.recorded, self.take, self.go_on

    def load(self) -> None:
        """Learn what is recorded already, and what is still to be read back. It reads the disk."""
        try:
            reader = Reader(self._recorder.uri)
            self._known, spans = reader.ask(known_sources), reader.ask(open_spans)
            reader.close()
        except Unreadable as error:
            _log.warning("%s", error)
            return
        for span in spans:
            self._spans.setdefault(span.source, []).append(span)

    @property
    def left(self) -> frozenset[str]:
        """The sources of which something is still to be read back; none where nobody answers."""
        return frozenset(self._spans) if self.enabled and self._failures < _MOST_FAILURES else frozenset()

    def recorded(self, source: str) -> float:
        """Return the time of a source's newest poll that is recorded; 0 where there is none."""
        known = self._known.get(source)
        return max(self._last.get(source, 0.0), known.last if known else 0.0)

    def take(self, batch: Batch) -> None:
        """Look at a batch with members before it is recorded: what is between it and the last one is a span."""
        polls = [(batch.source, batch.ts, batch.ts)]
        polls += [(each.name, each.batches[0].ts, each.batches[-1].ts) for each in batch.members if each.batches]
        for source, first, last in polls:
            if self.enabled:
                self._consider(batch.source, source, first)
            self._last[source] = last
        if self.enabled and any(source in self._spans for source, _, _ in polls):
            self._idle.clear()
            self._due.add(batch.source)

    def go_on(self, reader: str) -> None:
        """Read back what there is, now that the polls at the ends of all spans were handed to the recorder."""
        if reader in self._due:
            self._due.discard(reader)
            self._ready.add(reader)
            self._work.set()

    def _consider(self, reader: str, source: str, ts: float) -> None:
        known, last = self._known.get(source), self.recorded(source)
        began = self._began.setdefault(reader, ts)
        if source not in self._last and (known is None or not known.seen):
            # What comes later was not there when the past of all was asked for.
            since = self._reach() if ts <= began else max(ts - _NEWCOMER_SECONDS, began)
            self._open(Span(source, since, known.first if known else ts), gap=False)
        if last and ts - last > self._roster.gap_seconds(source):
            self._open(Span(source, last, ts), gap=True)

    def _open(self, span: Span, *, gap: bool) -> None:
        span = span._replace(until=round(span.until * 1000) / 1000)
        if span.until > span.since:
            self._recorder.recall(span, gap=gap)
            others = [each for each in self._spans.get(span.source, ()) if not overlaps(each, span)]
            self._spans[span.source] = [*others, span]

    def _reach(self) -> float:
        now = self._clock.now()
        return min(period(PeriodKind.MONTH, now, self._pricing.settings.zone)[0], now - _WEEK_SECONDS)

    async def run(self) -> None:
        """Read back what there is to read, for ever."""
        self.enabled = True
        while True:
            await self._work.wait()
            self._work.clear()
            ready, self._ready = self._ready, set()
            for name in ready & self._roster.members.through.keys():
                await self._read_back(name, self._roster.members.through[name])
            if not self._due:
                self._idle.set()
            if self.notice and self._failures < _MOST_FAILURES:
                await self._clock.sleep_until(self._clock.now() + _AGAIN_SECONDS)
                self._ready |= ready
                self._work.set()

    async def wait(self, seconds: float) -> None:
        """Return when nothing is being read back, and after `seconds` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    async def _read_back(self, reader: str, through: Through) -> None:
        members = self._roster.members.of(reader)
        mine = [span for source in (reader, *members) for span in self._spans.get(source, ())]
        if not mine:
            return
        ends = await asyncio.to_thread(self._ends, mine)
        step = step_of(mine)
        parts = cut(min(each.since for each in mine), max(each.until for each in mine), step, len(mine))
        while parts:
            part = parts.pop()
            touched = [each for each in mine if each.since < part.until and part.since < each.until]
            try:
                left = await self._read_part(reader, through, part, touched, ends) if touched else {}
            except Unavailable as error:
                if len(more := halves(part)) > 1:
                    parts += more
                    continue
                self._failures += 1
                self.notice = f"{reader}: what was before is not read back: {error.sentence}"
                return
            mine = [left.get(each, each) for each in mine]
            mine = [each for each in mine if each.until > each.since]
        self._failures, self.notice = 0, ""

    async def _read_part(
        self, reader: str, through: Through, part: Part, touched: list[Span], ends: Ends
    ) -> dict[Span, Span]:
        """Read one part and hand its lines over; return what each span is now."""
        said = await through.recall(part.start, part.until, part.step)
        each_span = [
            list(within(span, part, said.get(span.source, ()), ends)) for span in touched if span.source != reader
        ]
        whole = next((span for span in touched if span.source == reader), None)
        if whole is not None:
            each_span += await asyncio.to_thread(self._of_gone, whole, part, said)
        prices, local = self._pricing.prices, self._roster.local()
        folded = await asyncio.to_thread(fold, each_span, prices, GAP_STEPS * part.step, local)
        left = {span: max(part.since, span.since) for span in touched}
        self._recorder.put_recalled(Recalled(folded.lines, folded.covered_ms, left))
        shorter = {span: span._replace(until=until) for span, until in left.items()}
        for source in {each.source for each in touched}:
            now = [shorter.get(each, each) for each in self._spans.get(source, ())]
            self._spans[source] = [each for each in now if each.until > each.since]
            if not self._spans[source]:
                del self._spans[source]
        return shorter

    def _of_gone(self, whole: Span, part: Part, said: Mapping[str, tuple[Batch, ...]]) -> list[list[Batch]]:
        """Return what is told of targets that are not read any more, from when they were last recorded."""
        found: list[list[Batch]] = []
        for source in said.keys() - self._roster.members.configs.keys() - self._roster.configs.keys():
            last = self.recorded(source)
            if last >= part.until:
                continue
            span = Span(source, max(whole.since, last), whole.until)
            ends = self._ends([span]) if last and part.since <= last else {}
            found.append(list(within(span, part, said[source], ends)))
        return found

    def _ends(self, spans: list[Span]) -> Ends:
        """Return the polls at the ends of spans, as far as the tape has them: there the past joins what is recorded."""
        self._recorder.flush()
        found = {}
        try:
            reader = Reader(self._recorder.uri)
            for span in spans:
                for ts in (span.since, span.until):
                    if (batch := reader.ask(poll_at, span.source, ts)) is not None:
                        found[span.source, ts] = batch
            reader.close()
        except Unreadable as error:
            _log.warning("%s", error)
        return found

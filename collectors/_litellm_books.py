"""What a LiteLLM proxy's lines grew by, added up: live counters by model, and statements of who used and spent what.

What grew is told of the minute in which it was read, again with every page of that minute and each time whole, so that
the last thing said of a minute stands; where very many spend, it is told of ten minutes. What is told is the difference
of sums that only grow: rounding adds up to less than a unit, however long it goes on.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping

from collectors import _litellm_labels as of
from collectors._litellm_labels import About, Refused, Spender
from infertop.readings.model import Series, Statement

_MINUTE = 60.0
# Where so many spend in one minute, it is told by ten: what is said of each minute stays for as long as the ledger.
_MANY, _TEN_MINUTES = 500, 600.0
# What grew over a longer time is of no minute: it is told of that time.
_HOLE_SECONDS = 120.0
_NEARLY = 1e-3  # sums of differences of floats: 99999.99999999999 is 100000
MAX_STATEMENTS = 1000
_COUNTS = (of.REQUESTS, of.ANSWERED)
_LIVE = (of.PROMPT, of.CACHED, of.OUTPUT, of.SECONDS, of.QUEUED)
# Each class of tokens: a counter, less those of what is counted in it and apart.
_CLASSES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "input": (of.PROMPT, (of.CACHED, of.WRITTEN, of.AUDIO_IN)),
    "cache_read": (of.CACHED, ()),
    "cache_write_5m": (of.WRITTEN, ()),
    "input_audio": (of.AUDIO_IN, ()),
    "output": (of.OUTPUT, (of.REASONING, of.AUDIO_OUT)),
    "reasoning": (of.REASONING, ()),
    "output_audio": (of.AUDIO_OUT, ()),
}
_USD = "usd_nano"

Amounts = dict[str, int]


class Books:
    """The sums. They are increases only: what LiteLLM drops from its page takes nothing off them.

    `since` is when they began, None before the first page.
    """

    def __init__(self) -> None:
        self.since: float | None = None
        self._last = self._start = 0.0
        self._width = _MINUTE
        self._requests = ""
        self._live: dict[tuple[str, str, str, str], float] = {}
        self._sums: dict[Spender, dict[str, float]] = {}
        self._told: dict[Spender, Amounts] = {}
        self._new: dict[Spender, None] = {}
        self._series: tuple[Series, ...] = ()

    def begin(self, ts: float) -> None:
        """Take the time of a page: it begins the books, a new minute, or a span over which nobody read."""
        if self.since is None:
            self.since = self._last = self._start = ts
        begun = ts // self._width * self._width
        if ts - self._last > _HOLE_SECONDS:
            self._settle(self._last)
        elif begun > self._start:
            self._settle(max(begun, self._last))
        self._last = ts

    def add(self, about: About, amount: float, served: Mapping[str, tuple[str, str]]) -> None:
        """Add an increase; `served` tells which model of which provider answers to a name."""
        if isinstance(about, Refused):
            provider, model = served.get(about.asked, (of.UNTOLD, ""))
            self._count(of.FAILED, provider, model, about.reason, amount)
            who = Spender(provider, model, about.dimensions) if model else None
            field = of.FAILED
        else:
            field, who = about
            if field in _LIVE or field in _COUNTS:
                self._count(field, who.provider, who.model, "", amount)
        if who is not None:
            sums = self._sums.setdefault(who, {})
            sums[field] = sums.get(field, 0.0) + amount
            if amount:
                self._new[who] = None

    def rows(self) -> tuple[tuple[Series, ...], tuple[float, ...]]:
        """Return the live counters; the series are the same object while they are the same."""
        self._choose()
        rows: dict[Series, float] = {}
        for (field, provider, model, reason), amount in self._live.items():
            if field in _COUNTS and field != self._requests:
                continue
            metric = of.REQUESTS if field in _COUNTS else field
            labels = {"model": model, "provider": provider, "reason": reason}
            rows[Series.of(metric, **{name: text for name, text in labels.items() if text})] = amount
        if tuple(rows) != self._series:
            self._series = tuple(rows)
        return self._series, tuple(rows.values())

    def statements(self, source: str, ts: float) -> Iterator[Statement]:
        """Yield all that is to be said of the running minute, the dearest first; the rest of too many in one for each.

        The one for the rest says provider and model, and not who it was.
        """
        amounts = {who: grown for who in self._new if (grown := self._grown(who))}
        ordered = sorted(amounts, key=lambda who: (-amounts[who].get(_USD, 0), -sum(amounts[who].values()), who))
        rest: dict[Spender, Amounts] = {}
        for who in ordered[MAX_STATEMENTS:]:
            _add(rest.setdefault(who._replace(dimensions=()), {}), amounts[who])
        told = {who: amounts[who] for who in ordered[:MAX_STATEMENTS]}
        for who, more in rest.items():
            _add(told.setdefault(who, {}), more)
        for who, grown in told.items():
            used = _named(grown, (*_CLASSES, of.FAILED))
            requests, usd_nano = grown.get(of.REQUESTS), grown.get(_USD)
            yield statement(source, f"{self._start:.3f}", (self._start, ts), who, used, requests, usd_nano)

    def _count(self, field: str, provider: str, model: str, reason: str, amount: float) -> None:
        key = (field, provider, model, reason)
        self._live[key] = self._live.get(key, 0.0) + amount

    def _choose(self) -> None:
        """Decide once which counter of requests is read."""
        if not self._requests:
            here = {field for field, *_ in self._live}
            self._requests = next((each for each in _COUNTS if each in here), "")

    def _settle(self, start: float) -> None:
        """Take what was said of the span until now for said; the next one begins at `start`."""
        for who in self._new:
            told = self._told.setdefault(who, {})
            for name, amount in self._whole(who).items():
                told[name] = max(amount, told.get(name, 0))
        self._width = _TEN_MINUTES if len(self._new) > _MANY else _MINUTE
        self._new = {}
        self._start = start

    def _grown(self, who: Spender) -> Amounts:
        """Return what there is to say of the running span, nothing where all of it is 0.

        What belongs to a class before its counter of it moved is owed: nothing is ever negative.
        """
        told = self._told.get(who, {})
        grown = {name: max(0, amount - told.get(name, 0)) for name, amount in self._whole(who).items()}
        return grown if any(grown.values()) else {}

    def _whole(self, who: Spender) -> Amounts:
        """Return all that somebody used since the books began, in whole units of disjoint classes."""
        sums = self._sums[who]
        whole: Amounts = {}
        for name, (field, apart) in _CLASSES.items():
            if field in sums:
                whole[name] = _floor(sums[field] - sum(sums.get(each, 0.0) for each in apart))
        for name, field in ((of.REQUESTS, self._requests), (of.FAILED, of.FAILED)):
            if field in sums:
                whole[name] = _floor(sums[field])
        if sums.get(of.SPEND):
            # A model of which LiteLLM knows no price costs 0 there: that says nothing.
            whole[_USD] = _floor(sums[of.SPEND] * 1e9)
        return whole


def _floor(amount: float) -> int:
    return max(0, math.floor(amount + _NEARLY))


def _add(to: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        to[name] = to.get(name, 0) + amount


def statement(
    source: str,
    key: str,
    span: tuple[float, float],
    who: Spender,
    quantities: Mapping[str, int],
    requests: int | None,
    usd_nano: int | None,
) -> Statement:
    """Return what somebody used in a span (epoch seconds), at LiteLLM's list; `key` tells the span from others."""
    return Statement(
        source=source,
        key=f"{key}/{hashlib.sha256(repr(who).encode()).hexdigest()[:16]}",
        start=span[0],
        end=span[1],
        provider=who.provider,
        model=who.model,
        dimensions=dict(who.dimensions),
        quantities=quantities,
        requests=requests,
        usd_nano=usd_nano,
        basis="computed",
    )


def _named(amounts: Amounts, names: Iterable[str]) -> Amounts:
    return {name: amounts[name] for name in names if name in amounts and (amounts[name] or name in ("input", "output"))}
